"""The verbs: what reaches the wire, and what a handler gets back."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gevent import socket

from fsivr import (
    Call,
    CommandRefused,
    Handler,
    Hangup,
    HangupCause,
    Leg,
    LocalProtocolError,
    NoInput,
    NoMatch,
    PromptError,
    Say,
    Silence,
    Speak,
)
from fsivr.esl.control import Limits
from fsivr.esl.session import Session
from tests.esl.peer import OK, UUID, Peer, complete
from tests.esl.switch_rules import Packet, expansions, separate

Open = Callable[..., tuple[Call, Peer]]

#: Text as a caller, a database or a mistake may hold it.
HOSTILE = [
    "a\rb", "a\nb", "a\0b", "a\r\n\r\napi system id", "a\n\nexit", "${system(id)}", "$${base_dir}", "\\${x}", "${x",
    "it's", 'say "hi"', "a,b", "a!b", "a|b", "a b", " a", "a ", "%0a", "%0AEvent-Name: X", "%41", "{x=y}a", "[x=y]a",
    "<x=y>a", "a;b=c", "^^:a:b", "a:_:b", "a&b", "`id`", "\\n", "\\", "é", "\N{PILE OF POO}", "a\u2028b", "a\x85b",
    "\ud800", "x" * 70_000, "é" * 35_000,
]  # fmt: skip

IDS = [ascii(text[:16]) for text in HOSTILE]


@pytest.fixture
def open_call() -> Iterator[Open]:
    """A call, and the far end of its event socket, which plays everything at once."""
    opened = []

    def make(script: Any = None) -> tuple[Call, Peer]:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            ours = socket.create_connection(listener.getsockname())
            theirs, address = listener.accept()
        peer = Peer(ours, script or _plays)
        session = Session(address, theirs, Limits(60.0, 60.0, 60.0))
        opened.append((session, peer))
        session.connect()
        call = Call(session)
        call.answer()
        return call, peer

    yield make
    for session, peer in opened:
        session.close()
        peer.close()


def _plays(peer: Peer, packet: Packet) -> Any:
    if packet.get("execute-app-name") == "play_and_get_digits":
        return OK + complete(packet, "_none_", {"variable_fsivr_digits": "1234"})
    return OK + complete(packet) if packet.get("execute-app-name") else NotImplemented


def argument(packet: Packet) -> str:
    return packet.body if packet.body is not None else packet.get("execute-app-arg") or ""


# -- hostile text ---------------------------------------------------------------------------


#: What takes a text: either it is refused with a ValueError before a byte is sent, or it is plain enough to go.
NAMES: dict[str, Callable[[Call, str], Any]] = {
    "play": lambda call, text: call.play(text),
    "play several": lambda call, text: call.play("a", text),
    "ask": lambda call, text: call.ask(text, digits=4),
    "menu": lambda call, text: call.menu(text, {"1234": 1}),
    "no match": lambda call, text: _wrong_answer(call, text),
    "bridge": lambda call, text: call.bridge(f"user/{text}"),
    "bridge endpoint": lambda call, text: call.bridge(text),
    "say": lambda call, text: call.play(Say("NAME_SPELLED", "PRONOUNCED", text)),
    "spell": lambda call, text: call.play(Say.spelled(text)),
    "language": lambda call, text: setattr(call, "language", text),
    "engine": lambda call, text: call.play(Speak("a", engine=text)),
    "terminator": lambda call, text: call.ask("a", digits=4, terminator=text),
    "choice": lambda call, text: call.menu("a", {text: 1}),
    "variable's name": lambda call, text: call.variables.__setitem__(text, "x"),
    "variable to fetch": lambda call, text: call.variables.fetch(text),
}


def _wrong_answer(call: Call, text: str) -> None:
    with contextlib.suppress(NoMatch):
        call.ask("a", digits=5, no_match=text, tries=2)


@pytest.mark.parametrize("verb", NAMES)
def test_hostile_text_is_a_name_or_an_error(open_call: Open, verb: str) -> None:
    call, peer = open_call()
    for text in HOSTILE:
        before = len(peer.commands)
        try:
            NAMES[verb](call, text)
        except ValueError:
            assert len(peer.commands) == before, f"{text[:20]!r} was refused after something was sent"
            continue
        for packet in peer.commands[before:]:
            if packet.get("execute-app-name"):
                assert expansions(argument(packet)) == []
                assert not any(char in argument(packet) for char in "\r\n\0")
        sent = [packet for packet in peer.commands[before:] if text in packet.command + argument(packet)]
        assert sent, f"{text[:20]!r} did not arrive as it was"


def test_what_each_verb_lets_through(open_call: Open) -> None:
    """Held down, so that a verb that grows more generous is looked at."""
    call, _ = open_call()
    passed: dict[str, list[str]] = {}
    for verb, act in NAMES.items():
        for text in HOSTILE:
            try:
                act(call, text)
            except ValueError:
                continue
            passed.setdefault(verb, []).append(text[:10])
    files = ["x" * 10]
    assert passed["play"] == passed["play several"] == passed["ask"] == passed["menu"] == passed["no match"] == files
    assert passed["bridge"] == ["a;b=c", *files]  # the parameters of a SIP address
    assert "bridge endpoint" not in passed
    assert set(passed["say"]) <= {"a b", "a:_:b", "x" * 10}
    assert passed["variable's name"] == passed["variable to fetch"] == files
    assert passed["spell"] == ["a b", "a:_:b"]
    assert passed["engine"] == files
    assert "language" not in passed
    assert "terminator" not in passed
    assert "choice" not in passed


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_a_variable_takes_any_text(open_call: Open, text: str) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    if "\0" in text or "\ud800" in text:
        with pytest.raises(LocalProtocolError):
            call.variables["note"] = text
        assert len(peer.commands) == before
        return
    call.variables["note"] = text
    [packet] = peer.commands[before:]
    assert packet.command.startswith("api uuid_setvar ")
    assert separate(packet.command.removeprefix("api uuid_setvar ")) == [UUID, "note", text]
    assert call.variables["note"] == text


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_an_argument_of_execute_is_given_as_it_is(open_call: Open, text: str) -> None:
    """It may hold expansions, which is what its documentation says; more than one command it cannot hold."""
    call, peer = open_call()
    before = len(peer.commands)
    if "\0" in text or "\ud800" in text:
        with pytest.raises(LocalProtocolError):
            call.execute("set", text)
        assert len(peer.commands) == before
        return
    call.execute("set", text)
    [packet] = peer.commands[before:]
    assert packet.get("execute-app-name") == "set"
    assert argument(packet) == text


@pytest.mark.parametrize("text", ["playback\n\nexit", "a\rb", "a\0b"])
def test_an_application_is_one_word(open_call: Open, text: str) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises(LocalProtocolError):
        call.execute(text)
    assert len(peer.commands) == before


@pytest.mark.parametrize("cause", ["USER_BUSY", "USER_BUSY\n\nexit", 17, None])
def test_a_cause_is_a_hangup_cause(open_call: Open, cause: Any) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises((TypeError, ValueError), match="HangupCause"):
        call.hangup(cause)
    assert len(peer.commands) == before


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


# -- variables ----------------------------------------------------------------------------------


def test_variables_are_read_from_the_last_description(open_call: Open) -> None:
    told = {"variable_lang": "de", "variable_note": "a%20b%0Ac"}
    call, _ = open_call(
        lambda peer, packet: OK + complete(packet, "_none_", told) if packet.get("execute-app-name") else NotImplemented
    )
    assert call.variables["lang"] == "de"
    assert call.variables["note"] == "a b\nc"
    assert call.variables.get("absent") is None
    with pytest.raises(KeyError):
        call.variables["absent"]
    assert "lang" in call.variables
    assert set(call.variables) >= {"lang", "note"}
    call.variables["lang"] = "fr"
    assert call.variables["lang"] == "fr"
    del call.variables["lang"]
    assert "lang" not in call.variables
    call.play("a")  # a new description is the truth again
    assert call.variables["lang"] == "de"


@pytest.mark.parametrize("value", [1, None, b"a", 1.5])
def test_a_variable_is_a_str(open_call: Open, value: Any) -> None:
    call, _ = open_call()
    with pytest.raises(TypeError, match="note"):
        call.variables["note"] = value


def test_what_the_caller_is_like(open_call: Open) -> None:
    call, _ = open_call(
        lambda peer, packet: NotImplemented if not packet.get("execute-app-name") else OK + complete(packet)
    )
    assert call.uuid == UUID
    assert repr(call) == f"<Call {UUID}>"
    assert not call.over
    assert call.hangup_cause is None


# -- what the verbs do, in a call ------------------------------------------------------------------


def in_call(run: Callable[[Call], Any]) -> type[Handler]:
    return type("InCall", (Handler,), {"run": lambda self, call: run(call)})


def test_several_prompts_are_heard_in_order_without_a_gap(switch: Any) -> None:
    times: list[float] = []
    with switch.call(handler=in_call(lambda call: call.play("one", "two", 3, Silence(1), "four"))) as caller:
        for each in ("one", "two", Say.number(3), Silence(1), "four"):
            caller.hears(each)
            times.append(switch.clock.now())
    gaps = [later - earlier - 1 for earlier, later in itertools.pairwise(times)]
    assert max(gaps) < 0.03, gaps  # a sound is a second here; one turn of the switch's loop is 20 ms


@pytest.mark.parametrize("key", ["*", "#", "1"])
def test_no_key_cuts_a_prompt_short(switch: Any, key: str) -> None:
    """By default ``*`` ends a playback (FACTS 4.4), and the caller would not have heard it."""
    times: list[float] = []

    def run(call: Call) -> None:
        call.answer()
        times.append(switch.clock.now())
        call.play("long")
        times.append(switch.clock.now())

    switch.lasts("long", 30)
    with switch.call(handler=in_call(run)) as caller:
        caller.waits(1)
        caller.dials(key)
        caller.join()
    assert times[1] - times[0] >= 30


def test_a_prompt_that_is_missing_is_named(switch: Any) -> None:
    raised: list[BaseException] = []

    def run(call: Call) -> None:
        try:
            call.play("one", "two", "three")
        except PromptError as error:
            raised.append(error)
        call.play("four")

    switch.missing("two")
    with switch.call(handler=in_call(run)) as caller:
        caller.hears("one", "three", "four")
    assert [str(error) for error in raised] == ["the switch could not play 'two': FILE NOT FOUND"]


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


def answers_of(switch: Any, run: Callable[[Call], Any], dial: Callable[[Any], Any]) -> list[Any]:
    """What a handler's question came to: its value, or the error."""
    got: list[Any] = []

    def asks(call: Call) -> None:
        call.answer()
        try:
            got.append(run(call))
        except (NoInput, NoMatch) as error:
            got.append(error)

    with switch.call(handler=in_call(asks)) as caller:
        dial(caller)
        caller.join()
    return got


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


def test_sleep_takes_its_time_whatever_is_pressed(switch: Any) -> None:
    times: list[float] = []

    def run(call: Call) -> None:
        call.answer()
        times.append(switch.clock.now())
        call.sleep(5)
        times.append(switch.clock.now())

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(1)
        caller.dials("123")
        caller.join()
    assert 5 <= times[1] - times[0] < 5.1


@pytest.mark.parametrize(
    ("far_end", "answered", "cause"),
    [
        (lambda switch: switch.answers("user/agent", after=2, talks=30), True, HangupCause.NORMAL_CLEARING),
        (lambda switch: switch.busy("user/agent"), False, HangupCause.USER_BUSY),
        (lambda switch: switch.no_answer("user/agent"), False, HangupCause.NO_ANSWER),
        (lambda switch: switch.rejects("user/agent"), False, HangupCause.CALL_REJECTED),
        (lambda switch: None, False, HangupCause.SUBSCRIBER_ABSENT),
    ],
    ids=["answers", "busy", "no answer", "rejects", "absent"],
)
def test_a_bridge(switch: Any, far_end: Callable[[Any], None], answered: bool, cause: HangupCause) -> None:
    legs: list[Leg] = []

    def run(call: Call) -> None:
        call.answer()
        legs.append(call.bridge("user/agent", timeout=20))
        call.play("afterwards")  # the caller is still here, however it went

    far_end(switch)
    with switch.call(handler=in_call(run)) as caller:
        caller.hears("afterwards")
    [leg] = legs
    assert (leg.destination, leg.answered, leg.hangup_cause) == ("user/agent", answered, cause)
    assert (29 < leg.duration < 31) if answered else leg.duration == 0.0
    assert bool(leg.uuid) == answered


def test_a_later_bridge_does_not_show_an_earlier_ones_end(switch: Any) -> None:
    """Most of the switch's variables about a bridge are left over (FACTS 7.3)."""
    legs: list[Leg] = []

    def run(call: Call) -> None:
        call.answer()
        legs.extend(call.bridge(f"user/{name}") for name in ("good", "busy", "good", "absent"))

    switch.answers("user/good", after=1, talks=10)
    switch.busy("user/busy")
    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    assert [leg.answered for leg in legs] == [True, False, True, False]
    assert [leg.hangup_cause.name for leg in legs] == [
        "NORMAL_CLEARING",
        "USER_BUSY",
        "NORMAL_CLEARING",
        "SUBSCRIBER_ABSENT",
    ]


@pytest.mark.parametrize("cause", [HangupCause.NORMAL_CLEARING, HangupCause.USER_BUSY, HangupCause.CALL_REJECTED])
def test_hangup_ends_the_call_with_its_cause(switch: Any, cause: HangupCause) -> None:
    with switch.call(handler=in_call(lambda call: call.hangup(cause))) as caller:
        caller.join()
    assert caller.hangup_cause is cause
    assert not caller.answered


def test_every_verb_raises_hangup_after_the_end(switch: Any) -> None:
    raised: list[Any] = []
    verbs: list[Callable[[Call], Any]] = [
        lambda call: call.answer(),
        lambda call: call.play("a"),
        lambda call: call.ask("a", digits=1),
        lambda call: call.menu("a", {"1": 1}),
        lambda call: call.sleep(1),
        lambda call: call.bridge("user/agent"),
        lambda call: call.execute("set", "a=b"),
        lambda call: call.variables.__setitem__("a", "b"),
        lambda call: call.variables.fetch("a"),
        lambda call: call.hangup(HangupCause.CRASH),
    ]

    def run(call: Call) -> None:
        try:
            call.play("long")
        except Hangup as hangup:
            raised.append(hangup.cause)
        for verb in verbs:
            try:
                verb(call)
            except Hangup as hangup:
                raised.append(hangup.cause)

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(0.5)
        caller.hangs_up(HangupCause.USER_BUSY)
    assert raised == [HangupCause.USER_BUSY] * (len(verbs) + 1)


def test_what_the_caller_dialled(switch: Any) -> None:
    told: list[Any] = []

    def run(call: Call) -> None:
        told.extend([call.destination, call.caller, call.channel.caller_name, call.channel.context])
        told.extend([call.variables.get("lang"), call.channel.answered])
        call.answer()
        told.append(call.channel.answered)

    name = 'Édith "%0AAnswer-State: hangup\u2028x" ${system(id)}'
    with switch.call(
        "4711", handler=in_call(run), caller_number="+4930", caller_name=name, context="sales", variables={"lang": "de"}
    ) as caller:
        caller.join()
    # Two upper-case hex digits after a % cannot be told from an encoded byte (FACTS 1.7).
    assert told == ["4711", "+4930", name.replace("%0A", "\n"), "sales", "de", False, True]


def test_a_refused_application_is_an_error_of_its_own(open_call: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name") == "playback":
            return b"Content-Type: command/reply\nReply-Text: -ERR no\n\n"
        return _plays(peer, packet)

    call, _ = open_call(script)
    with pytest.raises(CommandRefused, match="-ERR no"):
        call.play("a")
