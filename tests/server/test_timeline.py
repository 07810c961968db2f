"""The timeline: an entry for each verb of a handler, with what it was given and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from fsivr import Call, Handler, Hangup, HangupCause, InputError, NoMatch, Say, Speak
from fsivr.call import NotedCall
from fsivr.call.placing import CallsSwitch
from fsivr.call.timeline import FIRST, LAST, Timeline
from fsivr.simulator import Caller
from tests.server.kept import Kept
from tests.server.timelines import TIMELINES
from tests.verbs import VERBS


@pytest.fixture
def kept(switch: Any, tmp_path: Path) -> Iterator[Kept]:
    opened = Kept(switch, tmp_path)
    for verb in VERBS.values():
        verb.setup(switch)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_has_its_entry(kept: Kept, name: str) -> None:
    verb = VERBS[name]
    assert kept.timeline(verb.run, verb.meanwhile) == TIMELINES[name]


def test_no_timeline_is_of_a_verb_that_is_no_more() -> None:
    assert set(TIMELINES) == set(VERBS)


@pytest.mark.parametrize("name", [name for name, verb in VERBS.items() if not (verb.brief or verb.quick)])
def test_the_caller_hangs_up_in_it(kept: Kept, name: str) -> None:
    verb = VERBS[name]
    entries = kept.timeline(verb.run, lambda caller: (caller.waits(0.3), caller.hangs_up()))
    if name == "record":  # what was recorded is returned all the same, and the next verb raises
        assert entries[0]["result"]["completion"] == "HANGUP"
    # Rooms answer the call first.
    causes = {"NORMAL_CLEARING", "ORIGINATOR_CANCEL"}
    told = [entry["over"] for entry in entries if "over" in entry]
    assert told
    assert set(told) <= causes


def test_a_verb_that_is_new_leaves_a_note() -> None:
    verbs = {name for name in dir(Call) if not (name.startswith("_") or isinstance(getattr(Call, name), property))}
    assert verbs <= set(vars(NotedCall))
    assert {name for name in vars(CallsSwitch) if not name.startswith("_")} <= set(vars(type(_noted_switch())))


def _noted_switch() -> CallsSwitch:
    session: Any = SimpleNamespace(uuid="x", channel=None, post=lambda *given: None)
    return NotedCall(session, dialler=lambda: None).switch


def test_a_call_without_a_store_has_no_timeline(switch: Any) -> None:
    kinds: list[type[Call]] = []

    class Looks(Handler):
        def run(self, call: Call) -> None:
            kinds.append(type(call))

    with switch.call(handler=Looks):
        pass
    assert kinds == [Call]


def test_a_handler_that_hands_over(kept: Kept) -> None:
    class Second(Handler):
        def run(self, call: Call) -> None:
            call.play("two")
            raise LookupError

        def on_error(self, call: Call, error: BaseException) -> None:
            call.play("sorry")

        def on_hangup(self, call: Call) -> None:
            with pytest.raises(Hangup):
                call.play("late")

    first, *others = kept.timeline(lambda call: call.hand_over(Second))
    assert first["verb"] == "hand_over"
    assert "error" not in first
    assert [entry["given"]["prompts"] for entry in others] == [["two"], ["sorry"], ["late"]]
    assert others[-1]["over"] == "NORMAL_TEMPORARY_FAILURE"


def test_calls_that_are_placed(kept: Kept) -> None:
    kept.switch.no_answer("user/a")
    kept.switch.busy("user/b")

    def places(call: Call) -> None:
        handler = type(call.handlers[0])
        list(call.switch.dial_many(["user/a", "user/b"], handler, per_second=100, timeout=5))
        for _ in call.switch.dial_many(["user/b", "user/a"], handler, per_second=100, timeout=5):
            break
        call.switch.api("module_exists", "mod_secret")
        with pytest.raises(ValueError, match=r"."):
            call.switch.originate("no destination", handler, variables={"pin": "864297531864"})

    both, one, asked, failed = kept.timeline(places)
    assert both == {"verb": "dial_many", "result": {"NO_ANSWER": 1, "BUSY": 1}}
    assert sum(one["result"].values()) == 1
    assert asked == {"verb": "api", "given": {"command": "module_exists"}}
    assert failed["error"] == "ValueError"
    assert "864297531864" not in repr(kept.rows)


def test_each_try_of_a_question(kept: Kept) -> None:
    def asks(call: Call) -> None:
        call.ask("one", digits=2, pattern="4[0-9]", terminator="#", no_input="silent", no_match="wrong")

    def acts(caller: Caller) -> None:
        caller.hears("one", "silent", "one")
        caller.dials("31")
        caller.hears("wrong", "one")
        caller.dials("4#")

    [entry] = kept.timeline(asks, acts)
    assert entry["tries"] == [
        {"said": "", "outcome": "NoInput"},
        {"said": "31", "outcome": "NoMatch"},
        {"said": "4", "outcome": "NoMatch"},  # of digits the switch does not say what ended them
    ]
    assert entry["error"] == "NoMatch: what was keyed is no answer, after 3 tries"
    assert (entry["given"]["no_input"], entry["given"]["no_match"]) == ("silent", "wrong")


@pytest.mark.parametrize("keys", ["47*11", "8*", "9753*0864"])
def test_a_secret_is_nowhere(kept: Kept, keys: str) -> None:
    """Neither in the row, nor in what waits to be written, and of no length that tells anything."""

    def asks(call: Call) -> None:
        with pytest.raises(InputError):
            call.ask("pin", digits=(2, 9), tries=2, pattern="0|864297531864", sensitive=True)
        with pytest.raises(NoMatch):
            call.conference("sales", pin="864297531864", pin_prompt="pin", tries=1)

    def acts(caller: Caller) -> None:
        caller.hears("pin")
        caller.dials(f"{keys}#")
        caller.hears("pin", "pin")
        caller.dials(keys[:2] + "#")

    entries = kept.timeline(asks, acts)
    assert [each["said"] for entry in entries for each in entry["tries"]] == ["******", "", "******"]
    queued = repr(kept.rows)
    assert "******" in queued
    assert keys not in queued
    assert "864297531864" not in queued
    assert "terminator" not in json.dumps(entries)


def test_the_key_that_ended_prompts(kept: Kept) -> None:
    entries = kept.timeline(
        lambda call: call.play("one", "two", interrupt="any"),
        lambda caller: (caller.hears("one"), caller.dials("5", during="two")),
    )
    assert entries == [{"verb": "play", "given": {"prompts": ["one", "two"], "interrupt": "any"}, "key": "5"}]


def test_errors_of_the_program_are_named_alone(kept: Kept) -> None:
    def fails(call: Call) -> None:
        kept.switch.missing("gone")
        for wrong in (lambda: call.play("gone"), lambda: call.sleep("customer 4711"), lambda: call.music(4711)):  # type: ignore[arg-type]
            with pytest.raises(Exception, match=r"."):
                wrong()

        class Ours(Exception):
            pass

        with pytest.raises(Ours), call.deadline(5):
            raise Ours("customer 4711")

    played, slept, music, deadline = kept.timeline(fails)
    assert played["error"] == "PromptError: the switch could not play 'gone': FILE NOT FOUND"
    assert (slept["error"], music["error"], deadline["error"]) == ("ValueError", "ValueError", "Ours")


def test_a_talk_in_which_the_caller_hangs_up_was_one(kept: Kept) -> None:
    kept.switch.answers("user/agent", after=1, talks=300)
    bridges: Callable[[Call], Any] = lambda call: call.bridge("user/agent")  # noqa: E731
    [rung] = kept.timeline(bridges, lambda caller: (caller.waits(0.5), caller.hangs_up()))
    [talked] = kept.timeline(bridges, lambda caller: (caller.waits(5), caller.hangs_up()))
    assert "answered" not in rung
    assert talked["answered"] is True


def test_verbs_of_other_handlers_and_hooks(kept: Kept) -> None:
    def runs(call: Call) -> None:
        call.handlers[0].on_hangup = None  # type: ignore[method-assign]
        call.invoke(type("Inner", (type(call.handlers[0]),), {"run": lambda self, call: call.play("one")}))
        with call.recording():
            call.hangup(HangupCause.USER_BUSY)

    invoked, played, recorded, hung_up = kept.timeline(runs)
    assert invoked["given"]["handler"].endswith("Inner")
    assert played["given"] == {"prompts": ["one"]}
    assert recorded["over"] == hung_up["over"] == "USER_BUSY"
    assert set(recorded["result"]) == {"completion", "truncated"}


def test_a_call_of_many_verbs_is_cut_in_the_middle(kept: Kept) -> None:
    def plays(call: Call) -> None:
        for number in range(FIRST + LAST + 50):
            call.variables[f"v{number}"] = "x"

    entries = json.loads(kept.call(plays).timeline)
    assert [len(entries), entries[FIRST]] == [FIRST + LAST + 1, {"left_out": 50}]
    names = [entry["given"]["name"] for entry in entries if "given" in entry]
    assert names == [f"v{number}" for number in (*range(FIRST), *range(FIRST + 50, FIRST + LAST + 50))]


def test_long_entries_are_cut_too(kept: Kept) -> None:
    long = [Speak(f"{letter} " * 1900) for letter in "abcdefgh"]

    def plays(call: Call) -> None:
        timeline: Timeline = call.timeline  # type: ignore[attr-defined]
        for number in range(300):
            timeline.note(("play", number, number, tuple(long), {}, "", ()))

    text = kept.call(plays).timeline
    entries = json.loads(text)
    assert 100_000 < len(text) < 262_144
    [gone] = [entry["left_out"] for entry in entries if "left_out" in entry]
    assert gone == 300 - (len(entries) - 1)
    assert [entries[0]["at"], entries[-1]["at"]] == sorted([entries[0]["at"], entries[-1]["at"]])


def test_hostile_text_is_text(kept: Kept) -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("never asked")

        __repr__ = __str__

    def plays(call: Call) -> None:
        timeline: Timeline = call.timeline  # type: ignore[attr-defined]
        for given in (("\0\ud800'\"" * 900,), (Odd(),), ({Odd(): 1},), (2**70,), (float("nan"),)):
            timeline.note(("bridge", 1e9, 1e9 + 1, given, {}, None, ()))
        timeline.note(("play", 1e9, 1e9 + 1, (Odd(),), {}, None, ()))

    *bridged, played = json.loads(kept.call(plays).timeline)
    text = bridged[0]["given"]["destination"]
    assert len(text) <= 400
    assert "\0" not in text
    assert text.encode()  # whole letters
    assert [entry["given"]["destination"] for entry in bridged[1:3]] == [Odd.__qualname__, "dict"]
    assert played.pop("at") > 0
    assert played == {"verb": "play", "seconds": 1.0, "not_told": "RuntimeError"}


def test_what_another_greenlet_does_meanwhile_harms_nothing(kept: Kept) -> None:
    def plays(call: Call) -> None:
        other = gevent.spawn(call.play, "two")
        call.play("one")
        other.join()
        call.play(Say.number(3))

    assert [entry["given"]["prompts"] for entry in kept.timeline(plays)][-1] == ["Say.number(3)"]


def test_a_handler_that_goes_on_after_the_hangup(kept: Kept) -> None:
    def plays(call: Call) -> None:
        try:
            call.play("one")
        except Hangup:
            call.play("two")

    entries = kept.timeline(plays, lambda caller: caller.hangs_up(during="one"))
    assert [entry["over"] for entry in entries] == ["ORIGINATOR_CANCEL"] * 2
