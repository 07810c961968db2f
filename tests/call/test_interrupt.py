"""Prompts that keys end, and prompts that no key ends."""

from __future__ import annotations

from typing import Any

import pytest

from fsivr import Call, NoInput, PromptError, Say, Silence, Speak, Tone, Uninterrupted
from tests.call.conversations import HOSTILE, IDS, Open, answers_of


def _plays(*prompts: Any, **options: Any) -> Any:
    def run(call: Call) -> Any:
        key = call.play(*prompts, **options)
        call.play("after")
        return key

    return run


@pytest.mark.parametrize(
    ("interrupt", "keys", "ended_by"),
    [("#", "#", "#"), ("#", "1#", "#"), ("any", "7", "7"), ("any", "A", "A"), ("12", "2", "2"), ("*", "*", "*")],
)
@pytest.mark.parametrize("long", ["long", Say.number(7), Speak("It is long.")], ids=str)
def test_a_key_ends_the_prompts(switch: Any, long: Any, interrupt: str, keys: str, ended_by: str) -> None:
    def dial(caller: Any) -> None:
        caller.hears("first")
        caller.dials(keys, during=long)
        caller.hears("after")

    switch.lasts(long, 60)
    run = _plays("first", long, "second", "third", interrupt=interrupt)
    assert answers_of(switch, run, dial) == [ended_by]
    assert switch.clock.now() < 10


def test_prompts_that_are_heard_whole(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.dials("12", during="first")
        caller.hears("second", "after")

    assert answers_of(switch, _plays("first", "second", interrupt="#"), dial) == [""]


def test_without_interrupt_there_is_no_key(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.dials("#", during="first")
        caller.hears("second", "after")

    assert answers_of(switch, _plays("first", "second"), dial) == [""]


def test_later_prompts_are_not_ended(switch: Any) -> None:
    """The keys that ended one verb's prompts are taken back."""

    def run(call: Call) -> Any:
        first = call.play("first", interrupt="any")
        return first, call.variables.fetch("playback_terminators"), call.play("second", "third")

    def dial(caller: Any) -> None:
        caller.dials("1", during="first")
        caller.dials("1", during="second")
        caller.hears("third")

    assert answers_of(switch, run, dial) == [("1", "none", "")]


def test_they_are_taken_back_after_an_error_too(switch: Any) -> None:
    def run(call: Call) -> Any:
        with pytest.raises(PromptError, match="'second'"):
            call.play("first", "second", "third", interrupt="any")
        return call.variables.fetch("playback_terminators")

    def dial(caller: Any) -> None:
        caller.hears("first", "third")

    switch.missing("second")
    assert answers_of(switch, run, dial) == ["none"]


def test_a_key_between_two_prompts_ends_them(switch: Any) -> None:
    """The park takes it (FACTS 4.2), and no prompt sees it."""

    def run(call: Call) -> Any:
        real = call._session.execute

        def late(*arguments: Any, **options: Any) -> Any:
            completion = real(*arguments, **options)
            if "first.wav" in arguments:
                caller = switch.callers[0]
                caller._channel.press("1")
                real("sleep", "100")  # sleep eats the key as the park would
            return completion

        call._session.execute = late  # type: ignore[method-assign]
        return call.play("first", "second", "third", interrupt="any")

    def dial(caller: Any) -> None:
        caller.hears("first")
        caller.join()
        assert not [line for line in caller.transcript if "second" in line]

    assert answers_of(switch, run, dial) == ["1"]


def test_a_key_that_ended_prompts_does_not_answer_the_next_question(switch: Any) -> None:
    def run(call: Call) -> Any:
        call.type_ahead = True
        return call.play("first", interrupt="#"), call.ask("second", digits=2)

    def dial(caller: Any) -> None:
        caller.dials("1#", during="first")
        caller.waits(1)
        caller.dials("2")

    assert answers_of(switch, run, dial) == [("#", "12")]


def test_one_that_is_uninterrupted_is_heard_whole_among_others(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.dials("1", during="legal")
        caller.hears("second")
        caller.dials("2", during="third")
        caller.hears("after")

    run = _plays(Uninterrupted("legal"), "second", "third", "fourth", interrupt="any")
    assert answers_of(switch, run, dial) == ["2"]


@pytest.mark.parametrize("interrupt", ["x", "1 2", "none", "any ", "1;x=y", 1, None, ["1"], "é"])
def test_interrupt_is_keys(open_call: Open, interrupt: Any) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises(ValueError, match="interrupt holds keys"):
        call.play("a", interrupt=interrupt)
    assert len(peer.commands) == before


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_hostile_text_as_keys_or_a_wrapped_name_is_an_error(open_call: Open, text: str) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    for act in (
        lambda: call.play("a", interrupt=text),
        lambda: call.confirm("a", yes=text),
        lambda: call.confirm("a", no=text),
    ):
        with pytest.raises(ValueError, match="keys"):
            act()
    if not text.isascii() or set(text) != {"x"}:
        for act in (
            lambda: call.play(Uninterrupted(text)),
            lambda: call.music(text),
            lambda: call.confirm(text),
        ):
            with pytest.raises(ValueError, match="name"):
                act()
    assert len(peer.commands) == before


# -- in a question ------------------------------------------------------------------------------


def test_keys_before_the_end_of_what_must_be_heard_are_dropped(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.dials("1", during="intro")
        caller.dials("2", during="legal")
        caller.hears("question")
        caller.dials("3")

    def run(call: Call) -> Any:
        return call.menu(["intro", Uninterrupted("legal"), "question"], {"1": 1, "2": 2, "3": 3})

    assert answers_of(switch, run, dial) == [3]


def test_a_question_of_nothing_else(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.dials("1", during=Uninterrupted("legal"))
        caller.waits(2)
        caller.dials("2")

    assert answers_of(switch, lambda call: call.confirm(Uninterrupted("legal")), dial) == [False]


@pytest.mark.parametrize("ahead", [False, True])
def test_what_must_be_heard_and_is_missing_is_an_error(switch: Any, ahead: bool) -> None:
    def run(call: Call) -> Any:
        call.type_ahead = ahead
        with pytest.raises(PromptError, match=r"Uninterrupted\('legal'\): FILE NOT FOUND"):
            call.ask(Uninterrupted("legal"), "question", digits=1, timeout=1, tries=1)
        return "raised"

    switch.missing("legal")
    assert answers_of(switch, run, lambda caller: None) == ["raised"]


def test_an_uninterrupted_prompt() -> None:
    assert str(Uninterrupted("a")) == "Uninterrupted('a')"
    assert str(Uninterrupted(3)) == "Uninterrupted(Say.number(3))"
    assert Uninterrupted(Uninterrupted("a")) == Uninterrupted("a")
    assert hash(Uninterrupted("a")) == hash(Uninterrupted("a"))
    with pytest.raises(ValueError, match="a prompt is"):
        Uninterrupted(None)  # type: ignore[arg-type]


# -- confirm ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("keys", "options", "said"), [
    ("1", {}, True), ("2", {}, False), ("9", {"yes": "9", "no": "6"}, True), ("12#", {"yes": "1", "no": "12"}, False),
])  # fmt: skip
def test_a_confirmation(switch: Any, keys: str, options: Any, said: bool) -> None:
    def dial(caller: Any) -> None:
        caller.hears("sure", "really")
        caller.dials(keys)

    [answer] = answers_of(switch, lambda call: call.confirm("sure", "really", **options), dial)
    assert answer is said


def test_nobody_confirms(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.hears("sure", "well", "sure")

    [error] = answers_of(switch, lambda call: call.confirm("sure", tries=2, no_input="well"), dial)
    assert isinstance(error, NoInput)


def test_yes_and_no_differ(open_call: Open) -> None:
    call, _ = open_call()
    with pytest.raises(ValueError, match="different keys"):
        call.confirm("a", yes="1", no="1")
    with pytest.raises(ValueError, match="at least one prompt"):
        call.confirm()


def test_a_single_key_that_is_the_terminator(switch: Any) -> None:
    """Of one key the switch does not tell that it ended the input (switch_ivr_read)."""

    def dial(caller: Any) -> None:
        caller.dials("#", during="one")

    assert answers_of(switch, lambda call: call.ask("one", digits=(0, 1)), dial) == [""]


def test_files_tones_and_silence_are_ended_too(switch: Any) -> None:
    def dial(caller: Any) -> None:
        caller.dials("1", during=Tone("%(60000,0,440)"))
        caller.dials("2", during=Silence(60))

    def run(call: Call) -> Any:
        return call.play(Tone("%(60000,0,440)"), interrupt="any"), call.play(Silence(60), interrupt="any")

    assert answers_of(switch, run, dial) == [("1", "2")]
    assert switch.clock.now() < 10


def test_the_time_is_for_all_of_them(open_call: Open) -> None:
    from fsivr import ReplyTimeout

    call, _ = open_call()
    with pytest.raises(ReplyTimeout):
        call.play("a", "b", interrupt="any", timeout=0.0)
