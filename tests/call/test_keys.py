"""Keys outside of questions: typed ahead, and flushed."""

from __future__ import annotations

from typing import Any

import pytest

from fsivr import Call, NoInput, NoMatch, Say, Uninterrupted
from tests.call.conversations import Open, answers_of, in_call


def _ahead(run: Any) -> Any:
    def with_it(call: Call) -> Any:
        call.type_ahead = True
        call.play("first")
        return run(call)

    return with_it


@pytest.mark.parametrize(
    ("keys", "options", "answer"),
    [
        ("12", {"digits": 2}, "12"),
        ("123", {"digits": 2}, "12"),
        ("12#", {"digits": (1, 4)}, "12"),
        ("#", {"digits": (0, 4)}, ""),
        ("1#2", {"digits": 3, "terminator": ""}, "1#2"),
    ],
)
def test_what_was_typed_ahead_answers_without_a_prompt(switch: Any, keys: str, options: Any, answer: str) -> None:
    def dial(caller: Any) -> None:
        caller.dials(keys, during="first")
        caller.hears("after")

    def run(call: Call) -> str:
        answer = call.ask("second", **options)
        call.play("after")
        return answer

    assert answers_of(switch, _ahead(run), dial) == [answer]


def test_without_type_ahead_keys_of_a_prompt_are_lost(switch: Any) -> None:
    def run(call: Call) -> str:
        call.play("first")
        return call.ask("second", digits=2)

    def dial(caller: Any) -> None:
        caller.dials("12", during="first")
        caller.hears("second")
        caller.dials("34")

    assert answers_of(switch, run, dial) == ["34"]


def test_what_was_begun_ahead_is_ended_in_the_question_without_its_prompt(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.dials("12", during="first")
        caller.waits(2)
        caller.dials("34")
        caller.join()
        assert not [line for line in caller.transcript if "second" in line]

    assert answers_of(switch, _ahead(lambda call: call.ask("second", digits=4)), dial) == ["1234"]


def test_a_beginning_that_is_not_ended_is_no_answer(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.dials("12", during="first")

    [error] = answers_of(switch, _ahead(lambda call: call.ask("second", digits=4, tries=1)), dial)
    assert isinstance(error, NoMatch)
    assert error.digits == "12"


def test_what_is_too_much_answers_the_next_question(switch: Any) -> None:
    def run(call: Call) -> Any:
        return call.ask("second", digits=2), call.menu("third", {"1": "one", "3": "three"}), call.confirm("sure")

    def dial(caller: Any) -> None:
        caller.dials("1231", during="first")

    assert answers_of(switch, _ahead(run), dial) == [("12", "three", True)]


def test_a_burst_in_a_question_goes_on_to_the_next(switch: Any) -> None:
    """The last keys before the end of the question are its own; those after it are kept."""

    def run(call: Call) -> Any:
        return call.ask("second", digits=2), call.ask("third", digits=(1, 4)), call.ask("fourth", digits=1)

    def dial(caller: Any) -> None:
        caller.hears("first")
        caller.dials("12345#6", during="second")

    assert answers_of(switch, _ahead(run), dial) == [("12", "345", "6")]


def test_a_wrong_answer_drops_what_was_typed_ahead(switch: Any) -> None:
    def run(call: Call) -> Any:
        return call.menu("second", {"1": "one"}, no_match="wrong")

    def dial(caller: Any) -> None:
        caller.dials("91", during="first")
        caller.hears("wrong", "second")
        caller.dials("1")

    assert answers_of(switch, _ahead(run), dial) == ["one"]


def test_keys_between_verbs_and_in_a_sleep_are_kept(switch: Any) -> None:
    def run(call: Call) -> Any:
        call.sleep(3)
        return call.ask("second", digits=3)

    def dial(caller: Any) -> None:
        caller.hears("first")
        caller.waits(1)
        caller.dials("123")

    assert answers_of(switch, _ahead(run), dial) == ["123"]


@pytest.mark.parametrize("keys", ["1234", "12"])
def test_keys_end_a_value_that_is_said_and_count(switch: Any, keys: str) -> None:
    def dial(caller: Any) -> None:
        caller.hears("first", "second")
        caller.dials(keys, during=Say.number(7))
        caller.waits(1)
        if keys == "12":
            caller.dials("34")

    switch.lasts(Say.number(7), 60)
    assert answers_of(switch, _ahead(lambda call: call.ask("second", 7, "third", digits=4)), dial) == ["1234"]
    assert switch.clock.now() < 20


def test_a_question_with_a_value_and_nobody_keys(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.hears("first", "second", Say.number(7), "third")

    [error] = answers_of(switch, _ahead(lambda call: call.ask("second", 7, "third", digits=4, tries=1)), dial)
    assert isinstance(error, NoInput)


@pytest.mark.parametrize("noise", ["duplicate_events", "reorder_events", "bad_utf8"])
def test_the_keys_are_right_whatever_the_events_do(switch: Any, noise: str) -> None:
    def run(call: Call) -> Any:
        return call.ask("second", digits=3), call.ask("third", digits=2), call.ask("fourth", digits=2)

    def dial(caller: Any) -> None:
        getattr(caller.line, noise)()
        caller.dials("12345", during="first")
        caller.hears("fourth")
        caller.dials("67")

    assert answers_of(switch, _ahead(run), dial) == [("123", "45", "67")]


def test_a_key_typed_ahead_does_not_skip_what_must_be_heard(switch: Any) -> None:
    def run(call: Call) -> Any:
        return call.ask("intro", Uninterrupted("legal"), "second", digits=2)

    def dial(caller: Any) -> None:
        caller.dials("12", during="first")
        caller.hears("intro")
        caller.dials("34", during="legal")
        caller.hears("second")
        caller.dials("56")

    assert answers_of(switch, _ahead(run), dial) == ["56"]


def test_flush_forgets_and_has_the_switch_forget(switch: Any) -> None:
    def run(call: Call) -> Any:
        call.flush()
        return call.ask("second", digits=2)

    def dial(caller: Any) -> None:
        caller.dials("12", during="first")
        caller.hears("second")
        caller.dials("34")

    assert answers_of(switch, _ahead(run), dial) == ["34"]


def test_flush_empties_the_queue_of_the_switch(switch: Any) -> None:
    left: list[int] = []

    def run(call: Call) -> None:
        call.answer()
        call.play("first")
        call.flush()
        left.append(len(caller._channel.digits))

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("first")
        caller.dials("123456")
        caller.join()
    assert left == [0]


def test_type_ahead_that_is_ended_costs_nothing_and_keeps_nothing(switch: Any) -> None:
    def run(call: Call) -> Any:
        call.type_ahead = False
        assert call._keypad is None
        call.type_ahead = True
        return call.ask("second", digits=2)

    def dial(caller: Any) -> None:
        caller.dials("12", during="first")
        caller.hears("second")
        caller.dials("34")

    assert answers_of(switch, _ahead(run), dial) == ["34"]


@pytest.mark.parametrize("value", [1, "yes", None, []])
def test_type_ahead_is_true_or_false(open_call: Open, value: Any) -> None:
    call, _ = open_call()
    with pytest.raises(TypeError, match="True or False"):
        call.type_ahead = value
