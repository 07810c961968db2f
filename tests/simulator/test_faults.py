"""The faults that can be asked of a call's connection."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest

from fsivr.simulator import Caller, CallFailed
from fsivr.simulator.line import Line
from tests.simulator.app import App, Wire


def one_prompt(wire: Wire) -> None:
    """Play a prompt, then read whatever comes to the end."""
    wire.start()
    wire.execute("answer")
    wire.execute("playback", "a.wav", lock=True)
    wire.execute("sleep", "500", lock=True)
    wire.send("sendmsg\ncall-command: hangup")
    while wire.next() is not None:
        pass


class Tried:
    """A call with a fault in it."""

    def __init__(self) -> None:
        self.wire: Wire | None = None

    def __call__(self, wire: Wire) -> None:
        self.wire = wire
        one_prompt(wire)

    def run(self, fault: Callable[[Line], None]) -> Wire:
        with App(self) as app:
            app.switch.patience = 0.1
            with app.switch.call("1") as caller:
                fault(caller.line)
                caller.join()
        assert self.wire is not None
        return self.wire


def events(wire: Wire) -> list[str]:
    return [frame.get("Event-Name") for frame in wire.frames if frame.is_event]


def test_without_a_fault() -> None:
    wire = Tried().run(lambda line: None)
    assert events(wire)[-1] == "CHANNEL_HANGUP_COMPLETE"
    assert wire.ended == "EOF" and not wire.left


def test_the_connection_ends_without_a_word() -> None:
    wire = Tried().run(lambda line: line.eof(at="playback"))
    assert wire.ended == "EOF" and not wire.left
    assert events(wire)[-1] == "CHANNEL_EXECUTE"
    assert wire.frames[-1].kind == "event"


def test_the_connection_is_reset() -> None:
    wire = Tried().run(lambda line: line.reset(at="playback"))
    assert wire.ended == "ConnectionResetError"


def test_a_body_is_cut_short() -> None:
    wire = Tried().run(lambda line: line.cut_body(at="playback"))
    assert wire.ended == "EOF"
    assert b"Content-Length" in wire.left and len(wire.left) > 1000


def test_the_switch_falls_silent() -> None:
    ended: list[bool] = []

    def script(wire: Wire) -> None:
        wire.start()
        wire.execute("playback", "a.wav")
        wire.event("CHANNEL_EXECUTE")
        with gevent.Timeout(0.1, False):
            wire.next()
            ended.append(True)

    with App(script) as app, app.switch.call("1") as caller:
        caller.line.half_open(at="playback")
        caller.join(30)
    assert not ended


def test_a_server_that_keeps_a_dead_connection_is_a_failure() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        wire.execute("playback", "a.wav")
        while wire.next() is not None:
            pass

    with App(script) as app:
        app.switch.patience = 0.05
        with pytest.raises(CallFailed, match="kept a dead connection"), app.switch.call("1") as caller:
            caller.line.half_open(at="playback")
            caller.join(30)


def test_a_deaf_switch_still_sends() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        wire.execute("playback", "a.wav")
        wire.event("CHANNEL_EXECUTE")
        wire.send("sendmsg\ncall-command: hangup\nhangup-cause: USER_BUSY")
        wire.done("playback")

    with App(script) as app, app.switch.call("1") as caller:
        caller.line.accept_nothing(at="playback")
        assert not caller.join(30)
    assert str(caller.hangup_cause) == "NORMAL_CLEARING"


def test_header_values_are_not_utf8() -> None:
    wire = Tried().run(lambda line: line.bad_utf8())
    assert b"Caller-Caller-ID-Name: J\xfcrgen \xff\xfe" in wire.data
    assert b"Caller-Orig-Caller-ID-Name: J%FCrgen %FF%C3" in wire.data
    assert events(wire)[-1] == "CHANNEL_HANGUP_COMPLETE"


def test_events_come_twice() -> None:
    wire = Tried().run(lambda line: line.duplicate_events())
    assert events(wire).count("CHANNEL_ANSWER") == 2
    assert events(wire).count("CHANNEL_HANGUP_COMPLETE") == 2


def test_events_come_out_of_order() -> None:
    plain, mixed = Tried().run(lambda line: None), Tried().run(lambda line: line.reorder_events())
    assert sorted(events(plain)) == sorted(events(mixed))
    assert events(plain) != events(mixed)


def test_an_event_held_back_comes_all_the_same() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        wire.send("noevents", "event plain CHANNEL_EXECUTE_COMPLETE")
        wire.execute("playback", "a.wav")
        wire.done("playback")
        wire.send("sendmsg\ncall-command: hangup")
        while wire.next() is not None:
            pass

    with App(script) as app, app.switch.call("1") as caller:
        app.switch.patience = 0.1
        caller.line.reorder_events()
        caller.hears("a")


def test_the_caller_is_gone_before_connect() -> None:
    seen: list[Wire] = []

    def script(wire: Wire) -> None:
        seen.append(wire)
        while wire.next() is not None:
            pass

    with App(script) as app, app.switch.call("1", gone_before_connect=True) as caller:
        pass
    assert [frame.kind for frame in seen[0].frames] == ["text/disconnect-notice"]
    assert seen[0].frames[0].get("Content-Disposition") == "disconnect"
    assert caller.over


@pytest.mark.parametrize("fault", ["eof", "reset", "cut_body"])
def test_a_lost_connection_leaves_the_call_to_the_dialplan(fault: str) -> None:
    def script(wire: Wire) -> None:
        wire.start()
        wire.execute("playback", "a.wav", lock=True)
        while wire.next() is not None:
            pass

    after = [("playback", "sorry.wav"), ("hangup", "USER_BUSY")]
    with App(script) as app, app.switch.call("1", after=after) as caller:
        getattr(caller.line, fault)(at="playback")
        caller.hears("a", "sorry")
    assert str(caller.hangup_cause) == "USER_BUSY"


def test_faults_act_at_once() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        wire.execute("playback", "a.wav")
        while wire.next() is not None:
            pass

    def act(caller: Caller) -> None:
        caller.waits(0.5)
        caller.line.eof()
        assert not caller.line.open

    with App(script) as app, app.switch.call("1") as caller:
        act(caller)
