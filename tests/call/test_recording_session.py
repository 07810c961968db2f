"""``call.recording``: what is recorded while the call goes on, what is left out, and how it ends."""

from __future__ import annotations

import os
import wave
from collections.abc import Callable
from typing import Any

import pytest

from fsivr import Call, CompletionCause, Handler, HangupCause, Recording, RecordingError
from fsivr.simulator.api import run
from tests.call.conversations import Open


def kept(switch: Any, converse: Callable[[Call], Any], deed: Callable[[Any], Any]) -> list[Recording]:
    """The recordings of a call, as ``on_hangup`` sees them."""
    found: list[Recording] = []

    class Recorded(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            converse(call)

        def on_hangup(self, call: Call) -> None:
            found.extend(call.recordings)

    with switch.call(handler=Recorded) as caller:
        deed(caller)
    return found


def length(recording: Recording) -> float:
    with wave.open(recording.path) as file:
        assert file.getnchannels() == recording.channels
        return file.getnframes() / file.getframerate()


def test_a_part_of_the_call(switch: Any) -> None:
    results: list[Any] = []

    def converse(call: Call) -> None:
        call.play("before")
        with call.recording() as recording:
            results.append((recording.active, recording.result.completion, recording.path, recording.id))
            call.play("one", "two")
        results.append((recording.active, recording.result))
        call.play("after")

    [found] = kept(switch, converse, lambda caller: caller.hears("before", "one", "two", "after"))
    assert results == [(True, None, found.path, found.id), (False, found)]
    assert found.completion is CompletionCause.STOPPED
    assert found.duration == pytest.approx(2, abs=0.1)
    assert length(found) == found.duration
    assert not found.truncated
    assert found.channels == 1


def test_the_whole_call_in_stereo(switch: Any) -> None:
    def converse(call: Call) -> Any:
        with call.recording(stereo=True):
            call.play("one")
            return "done"

    [found] = kept(switch, converse, lambda caller: (caller.talks(0.5), caller.hears("one")))
    assert found.channels == 2
    assert length(found) == found.duration == pytest.approx(1, abs=0.1)
    assert os.path.getsize(found.path) == 44 + round(found.duration * 8000) * 4


def test_a_hangup_within_it(switch: Any) -> None:
    """Its end comes after the hangup, and is waited for."""
    after: list[Any] = []

    def converse(call: Call) -> None:
        try:
            with call.recording() as recording:
                call.play("one")
                call.sleep(60)
        finally:
            after.append(recording.result)

    [found] = kept(switch, converse, lambda caller: (caller.hears("one"), caller.talks(4), caller.hangs_up()))
    assert after == [found]
    assert found.completion is CompletionCause.HANGUP
    assert found.duration == pytest.approx(5, abs=0.1)
    assert length(found) == found.duration
    assert not found.truncated


def test_a_hangup_that_is_noticed_by_the_end_of_the_block(switch: Any) -> None:
    def converse(call: Call) -> None:
        with call.recording() as recording:
            call.sleep(5)
            switch.channels[call.uuid].hangup(HangupCause.NORMAL_CLEARING, by_caller=True)
        assert recording.result.completion is CompletionCause.HANGUP

    [found] = kept(switch, converse, lambda caller: caller.join())
    assert found.duration == pytest.approx(5, abs=0.1)


def test_a_lost_connection(switch: Any) -> None:
    def converse(call: Call) -> None:
        with call.recording():
            call.sleep(60)

    [found] = kept(switch, converse, lambda caller: (caller.waits(3), caller.line.eof()))
    assert found.completion is CompletionCause.LOST
    assert found.truncated


def test_an_error_within_it_passes(switch: Any) -> None:
    def converse(call: Call) -> None:
        with pytest.raises(KeyError), call.recording():
            call.play("one")
            raise KeyError("mine")
        call.play("two")

    [found] = kept(switch, converse, lambda caller: caller.hears("one", "two"))
    assert found.completion is CompletionCause.STOPPED


@pytest.mark.parametrize("stop", ["uuid_record {} stop all", "uuid_record {} stop {}"])
def test_one_that_was_ended_from_elsewhere(switch: Any, stop: str) -> None:
    def converse(call: Call) -> None:
        with call.recording() as recording:
            call.sleep(2)
            name, _, argument = stop.format(call.uuid, recording.path).partition(" ")
            run(switch, name, argument)
            call.sleep(2)
            assert not recording.active
            for verb in (recording.pause, recording.resume, recording.mask, recording.unmask):
                with pytest.raises(RecordingError, match="is over"):
                    verb()
            with call._masked():  # there is nothing to be kept out of
                call.play("one")

    [found] = kept(switch, converse, lambda caller: caller.hears("one"))
    assert found.completion is CompletionCause.STOPPED
    assert found.duration == pytest.approx(2, abs=0.1)


def test_a_disk_that_is_full_does_not_end_the_call(switch: Any) -> None:
    switch.room = 3.0

    def converse(call: Call) -> None:
        with call.recording():
            call.sleep(10)
        call.play("on")

    [found] = kept(switch, converse, lambda caller: caller.hears("on"))
    assert found.completion is CompletionCause.FAILED
    assert found.truncated
    assert found.duration == pytest.approx(3, abs=0.1)


def test_a_folder_that_cannot_be_written_does_not_end_the_call(switch: Any) -> None:
    switch.settings = type(switch.settings).defaults(listen="127.0.0.1:0", recordings_path="/proc/fsivr")

    def converse(call: Call) -> None:
        with pytest.raises(RecordingError, match="/proc/fsivr"), call.recording():
            pytest.fail("it does not begin")
        call.play("sorry")

    assert kept(switch, converse, lambda caller: caller.hears("sorry")) == []


def test_a_message_within_a_recording(switch: Any) -> None:
    def converse(call: Call) -> None:
        with call.recording():
            call.record(beep=False, silence=2)

    whole, message = kept(switch, converse, lambda caller: caller.join())
    assert message.completion is CompletionCause.SILENCE
    assert whole.completion is CompletionCause.STOPPED
    assert whole.duration >= message.duration


def test_a_call_that_is_not_recorded_asks_for_nothing_more(open_call: Open) -> None:
    call, peer = open_call()
    call.play("one")
    assert not [packet.command for packet in peer.commands if "RECORD" in packet.command]
    call._take(1, None)
    call._take(1, None)
    call.play("one")
    asked = [packet.command for packet in peer.commands if "RECORD" in packet.command]
    assert asked == ["event plain RECORD_START", "event plain RECORD_STOP"]
