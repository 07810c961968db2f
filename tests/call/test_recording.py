"""``call.record``: how a recording ends, what is known of it, and what is not asked of the switch."""

from __future__ import annotations

import os
import wave
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fsivr import Call, CompletionCause, DeadlineExceeded, Handler, Hangup, Recording, RecordingError
from fsivr.call.recorder import BEEP
from fsivr.simulator.api import run
from tests.call.conversations import Open, in_call, plays
from tests.esl.peer import OK, Peer, event
from tests.esl.switch_rules import Packet


def recorded(switch: Any, speak: Callable[[Any], Any], **options: Any) -> list[Any]:
    """What ``record`` came to for a caller: the recording, or the error."""
    got: list[Any] = []

    def leaves_message(call: Call) -> None:
        call.answer()
        try:
            got.append(call.record(**options))
        except RecordingError as error:
            got.append(error)
        got.append(call.recordings)
        call.play("thanks")

    with switch.call(handler=in_call(leaves_message)) as caller:
        if options.get("beep", True):
            caller.hears(BEEP)
        speak(caller)
    return got


def seconds_on_disk(recording: Recording) -> float:
    with wave.open(recording.path) as file:
        assert (file.getframerate(), file.getsampwidth()) == (8000, 2)
        assert file.getnchannels() == recording.channels
        return file.getnframes() / 8000


def test_the_terminator_ends_it(switch: Any) -> None:
    def speak(caller: Any) -> None:
        caller.talks(4)
        caller.dials("5")  # is no terminator
        caller.talks(2)
        caller.dials("#")
        caller.hears("thanks")

    recording, every = recorded(switch, speak)
    assert recording.completion is CompletionCause.TERMINATOR
    assert recording.duration == pytest.approx(6, abs=0.05)
    assert seconds_on_disk(recording) == recording.duration
    assert not recording.truncated
    assert recording.channels == 1
    assert recording.masked == ()
    assert recording.consent is None
    assert every == (recording,)


def test_other_keys_may_end_it_and_none_may(switch: Any) -> None:
    def speak(caller: Any) -> None:
        caller.talks(1)
        caller.dials("9")
        caller.hears("thanks")

    assert recorded(switch, speak, terminator="19")[0].duration == pytest.approx(1, abs=0.05)
    left = recorded(switch, lambda caller: (caller.talks(1), caller.dials("#*"), caller.hears("thanks")), terminator="")
    assert left[0].completion is CompletionCause.SILENCE


def test_keys_do_not_end_prompts_after_it(switch: Any) -> None:
    def speak(caller: Any) -> None:
        caller.talks(1)
        caller.dials("#")
        caller.dials("#", during="thanks")
        began = switch.clock.now()
        caller.join()
        assert switch.clock.now() - began >= 0.9  # a sound lasts a second

    recorded(switch, speak)


def test_silence_ends_it(switch: Any) -> None:
    recording, _ = recorded(switch, lambda caller: (caller.talks(2), caller.hears("thanks")), silence=3)
    assert recording.completion is CompletionCause.SILENCE
    assert recording.duration == pytest.approx(5, abs=0.05)
    assert not recording.truncated


def test_nobody_talks(switch: Any) -> None:
    recording, _ = recorded(switch, lambda caller: caller.hears("thanks"), silence=4)
    assert recording.completion is CompletionCause.SILENCE
    assert recording.duration == pytest.approx(4, abs=0.05)


def test_silence_may_be_of_no_importance(switch: Any) -> None:
    recording, _ = recorded(switch, lambda caller: caller.hears("thanks"), silence=None, limit=30)
    assert recording.completion is CompletionCause.LIMIT
    assert 30 <= recording.duration <= 31


def test_the_limit_truncates_it(switch: Any) -> None:
    recording, _ = recorded(switch, lambda caller: (caller.talks(60), caller.hears("thanks")), limit=10)
    assert recording.completion is CompletionCause.LIMIT
    assert recording.truncated
    assert 10 <= recording.duration <= 11  # the switch counts whole seconds


def test_without_a_beep(switch: Any) -> None:
    recording, _ = recorded(
        switch, lambda caller: (caller.talks(1), caller.dials("#"), caller.hears("thanks")), beep=False
    )
    assert recording.completion is CompletionCause.TERMINATOR


def test_no_sound_from_the_caller_is_no_error(switch: Any) -> None:
    """As in the capture 04i_record_no_rtp_from_caller: the recording says it, with no length."""
    recording, every = recorded(switch, lambda caller: (caller.sends_no_sound(), caller.hears("thanks")), silence=2)
    assert recording.duration == 0.0
    assert recording.completion is CompletionCause.SILENCE
    assert os.path.getsize(recording.path) == 44
    assert every == (recording,)


def test_it_is_stopped_from_elsewhere(switch: Any) -> None:
    def speak(caller: Any) -> None:
        caller.talks(2)
        run(switch, "uuid_break", caller.uuid)
        caller.hears("thanks")

    recording, _ = recorded(switch, speak)
    assert recording.completion is CompletionCause.STOPPED
    assert recording.duration == pytest.approx(2, abs=0.05)


def test_a_caller_who_hangs_up_has_left_a_message(switch: Any) -> None:
    kept: list[Any] = []

    class Voicemail(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            kept.append(call.record())
            kept.append("stored")
            call.play("thanks")
            kept.append("not reached")

        def on_hangup(self, call: Call) -> None:
            kept.append(call.recordings)

    with switch.call(handler=Voicemail) as caller:
        caller.hears(BEEP)
        caller.talks(7)
        caller.hangs_up()
    recording = kept[0]
    assert kept == [recording, "stored", (recording,)]
    assert recording.completion is CompletionCause.HANGUP
    assert recording.duration == pytest.approx(7, abs=0.05)
    assert seconds_on_disk(recording) == recording.duration
    assert not recording.truncated


def test_a_caller_who_hangs_up_before_it_begins_has_not(switch: Any) -> None:
    kept: list[Any] = []

    class Voicemail(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            kept.append(call.record())

        def on_hangup(self, call: Call) -> None:
            kept.append(call.recordings)

    with switch.call(handler=Voicemail) as caller:
        caller.hangs_up(during=BEEP)
    assert kept == [()]


def test_a_lost_connection_leaves_a_truncated_recording(switch: Any) -> None:
    kept: list[Any] = []

    class Voicemail(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            try:
                call.record()
            except Hangup as hangup:
                kept.append(hangup)
                raise

        def on_hangup(self, call: Call) -> None:
            kept.append(call.recordings)

    with switch.call(handler=Voicemail) as caller:
        caller.hears(BEEP)
        caller.talks(3)
        caller.line.eof()
    hangup, (recording,) = kept
    assert hangup.error is not None
    assert recording.completion is CompletionCause.LOST
    assert recording.truncated


def test_a_deadline_stops_it(open_call: Open) -> None:
    """What the switch says of it afterwards is taken down all the same."""
    call, peer = open_call(_records_for_ever)
    with pytest.raises(DeadlineExceeded), call.deadline(0.5):
        call.record(beep=False)
    peer.send(event("RECORD_START", {"Record-File-Path": _path(peer), "Event-Date-Timestamp": "1795426356000000"}))
    length = {"variable_record_ms": "40", "variable_record_samples": "320", "variable_record_file_size": "684"}
    told = {"Record-File-Path": _path(peer), "Event-Date-Timestamp": "1795426356040000", **length}
    peer.send(event("RECORD_STOP", told))
    call.sleep(0.01)
    assert [packet.command for packet in peer.commands if "uuid_break" in packet.command]
    (recording,) = call.recordings
    assert recording.completion is CompletionCause.STOPPED
    assert recording.duration == 0.04
    assert recording.started == datetime(2026, 11, 23, 9, 32, 36, tzinfo=UTC)


def _records_for_ever(peer: Peer, packet: Packet) -> Any:
    return OK if packet.get("execute-app-name") == "record" else plays(peer, packet)


def _path(peer: Peer) -> str:
    (argument,) = (
        packet.get("execute-app-arg") for packet in peer.executed if packet.get("execute-app-name") == "record"
    )
    assert argument is not None
    return argument.split()[0]


def test_when_it_began_is_told_by_the_switch(switch: Any) -> None:
    before = datetime.fromtimestamp(switch.micros() / 1e6, UTC)
    recording, _ = recorded(switch, lambda caller: caller.hears("thanks"))
    assert recording.started.tzinfo is UTC
    assert before < recording.started < before + timedelta(seconds=2)


def test_several_in_a_row(switch: Any) -> None:
    kept: list[Any] = []

    def leaves_messages(call: Call) -> None:
        call.answer()
        kept.append(call.record(beep=False))
        kept.append(call.record(beep=False, silence=2))
        kept.append(call.recordings)

    with switch.call(handler=in_call(leaves_messages)) as caller:
        caller.talks(3)
        caller.dials("#")
        caller.join()
    first, second, every = kept
    assert every == (first, second)
    assert first.path < second.path or first.path[:-16] == second.path[:-16]  # they sort by time
    assert (first.completion, second.completion) == (CompletionCause.TERMINATOR, CompletionCause.SILENCE)
    assert second.duration == pytest.approx(2, abs=0.05)
