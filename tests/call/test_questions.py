"""Questions and menus: what was keyed, what counts as an answer, and what is asked again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from fsivr import (
    Call,
    NoInput,
    NoMatch,
    PromptError,
    Say,
)
from tests.call.conversations import Open, answers_of, in_call

NUMBERS: dict[str, Callable[[Call, Any], Any]] = {
    "sleep": lambda call, value: call.sleep(value),
    "timeout": lambda call, value: call.ask("a", digits=4, timeout=value),
    "digit_timeout": lambda call, value: call.ask("a", digits=4, digit_timeout=value),
    "digits": lambda call, value: call.ask("a", digits=value),
    "fewest": lambda call, value: call.ask("a", digits=(value, 4)),
    "most": lambda call, value: call.ask("a", digits=(1, value)),
    "tries": lambda call, value: call.ask("a", digits=4, tries=value),
    "bridge timeout": lambda call, value: call.bridge("user/agent", timeout=value),
}


@pytest.mark.parametrize(
    "value", [-1, math.nan, math.inf, -math.inf, 10**9, "4", "4 x\n\nexit", None, [], (4,), (5, 4)]
)
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_out_of_range_is_refused(open_call: Open, name: str, value: Any) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises((ValueError, TypeError)):
        NUMBERS[name](call, value)
    assert len(peer.commands) == before


@pytest.mark.parametrize("digits", [1.5, (1.5, 4), (1, 2.5), True])
def test_a_count_of_digits_is_a_whole_number(open_call: Open, digits: Any) -> None:
    call, _ = open_call()
    with pytest.raises((ValueError, TypeError)):
        call.ask("a", digits=digits)


@pytest.mark.parametrize("digits", ["4", None, [1, 4], (4,), (1, 2, 3), ("1", "4")])
def test_a_count_of_digits_that_is_no_number_is_named(open_call: Open, digits: Any) -> None:
    call, _ = open_call()
    with pytest.raises(ValueError, match="digits is a number from 1 to 128"):
        call.ask("a", digits=digits)


def test_a_pattern_that_is_none_is_refused(open_call: Open) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises(ValueError, match="no regular expression"):
        call.ask("a", digits=4, pattern="(")
    assert len(peer.commands) == before


def test_nothing_to_play_is_refused(open_call: Open) -> None:
    call, _ = open_call()
    for nothing in (lambda: call.play(), lambda: call.menu([], {"1": 1}), lambda: call.menu("a", {})):
        with pytest.raises(ValueError, match="at least one"):
            nothing()


def test_a_prompt_that_is_missing_in_a_question_is_an_error(switch: Any) -> None:
    raised: list[BaseException] = []

    def run(call: Call) -> None:
        try:
            call.ask("two", digits=4)
        except PromptError as error:
            raised.append(error)

    switch.missing("two")
    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    assert len(raised) == 1
    assert "'two'" in str(raised[0])


@pytest.mark.parametrize(
    ("keys", "options", "answer"),
    [
        ("1234", {"digits": 4}, "1234"),
        ("12345", {"digits": 4}, "1234"),
        ("12#", {"digits": (1, 4)}, "12"),
        ("12", {"digits": (1, 4)}, "12"),  # ended by the time between digits
        ("*1", {"digits": 2}, "*1"),
        ("1#2", {"digits": 3, "terminator": ""}, "1#2"),
        ("12*", {"digits": (1, 4), "terminator": "*"}, "12"),
        ("#", {"digits": (0, 4)}, ""),
        ("12", {"digits": 2, "pattern": "[12]+"}, "12"),
    ],
)
def test_an_answer(switch: Any, keys: str, options: Any, answer: str) -> None:
    def dial(caller: Any) -> None:
        caller.hears("one")
        caller.dials(keys)

    assert answers_of(switch, lambda call: call.ask("one", **options), dial) == [answer]


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ("12#", {"digits": 4}),
        ("1", {"digits": (2, 4)}),
        ("34", {"digits": 2, "pattern": "[12]+"}),
        ("123#", {"digits": (1, 4), "pattern": "12"}),  # the whole of it must match
        ("1#", {"digits": (2, 4), "terminator": "#"}),
    ],
)
def test_no_match(switch: Any, keys: str, options: Any) -> None:
    def dial(caller: Any) -> None:
        caller.hears("one")
        caller.dials(keys)
        caller.hears("wrong", "one")
        caller.dials(keys)

    [error] = answers_of(switch, lambda call: call.ask("one", tries=2, no_match="wrong", **options), dial)
    assert isinstance(error, NoMatch)
    assert error.digits == keys.rstrip("#")
    assert error.digits not in str(error)  # it may be a secret


def test_no_input(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.hears("one", "nothing", "one", "nothing", "one")

    [error] = answers_of(switch, lambda call: call.ask("one", digits=4, no_input="nothing"), dial)
    assert isinstance(error, NoInput)
    assert "3 tries" in str(error)
    assert switch.clock.now() > 15  # three times five seconds on the switch's clock


def test_a_second_try_is_not_answered_by_the_first(switch: Any) -> None:
    """The switch clears neither the digits nor the terminator of an earlier question (FACTS 4.5)."""

    def twice(call: Call) -> Any:
        first = call.ask("one", digits=(1, 4))
        try:
            return first, call.ask("two", digits=(0, 4), tries=1)
        except NoInput:
            return first, "nothing"

    def dial(caller: Any) -> None:
        caller.hears("one")
        caller.dials("12#")

    assert answers_of(switch, twice, dial) == [("12", "nothing")]


def test_keys_during_the_prompt_end_it(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.dials("1234", during="one")

    switch.lasts("one", 60)
    assert answers_of(switch, lambda call: call.ask("one", digits=4), dial) == ["1234"]
    assert switch.clock.now() < 10


def test_values_are_said_in_a_question(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.hears("one", Say.number(7), "two")
        caller.dials("12")

    assert answers_of(switch, lambda call: call.ask("one", 7, "two", digits=2), dial) == ["12"]


@pytest.mark.parametrize(("keys", "choice"), [("1", "one"), ("2", "two"), ("*", "star"), ("#", "hash"), ("0", "zero")])
def test_a_choice(switch: Any, keys: str, choice: str) -> None:
    choices = {"1": "one", "2": "two", "*": "star", "#": "hash", "0": "zero"}

    def dial(caller: Any) -> None:
        caller.hears("one")
        caller.dials(keys)

    assert answers_of(switch, lambda call: call.menu("one", choices), dial) == [choice]


@pytest.mark.parametrize(("keys", "choice"), [("1", "short"), ("1#", "short"), ("12", "long"), ("123", "longest")])
def test_choices_of_several_keys(switch: Any, keys: str, choice: str) -> None:
    choices = {"1": "short", "12": "long", "123": "longest"}

    def dial(caller: Any) -> None:
        caller.hears("one")
        caller.dials(keys)

    assert answers_of(switch, lambda call: call.menu("one", choices), dial) == [choice]


def test_what_is_no_choice(switch: Any) -> None:
    def dial(caller: Any) -> None:
        for _ in range(3):
            caller.hears("one")
            caller.dials("9")

    [error] = answers_of(switch, lambda call: call.menu("one", {"1": 1}), dial)
    assert isinstance(error, NoMatch)
    assert error.digits == "9"
