"""What is kept out of a recording: pauses, masks, and the questions that must not be heard in it."""

from __future__ import annotations

import struct
import wave
from typing import Any

import pytest

from fsivr import Call, Recording, RecordingError
from fsivr.call.ongoing import OngoingRecording
from tests.call.conversations import Open, plays
from tests.call.test_recording_session import kept
from tests.esl.peer import Peer, api_response
from tests.esl.switch_rules import Packet


def loud(recording: Recording, at: float) -> bool:
    """Whether something is heard in the first channel around a second of the file."""
    with wave.open(recording.path) as file:
        file.setpos(round(at * 8000))
        data = file.readframes(160)
    return any(sample for (sample, *_) in struct.iter_unpack(f"<{recording.channels}h", data))


def test_what_is_paused_is_not_in_it(switch: Any) -> None:
    def converse(call: Call) -> None:
        with call.recording() as recording:
            call.sleep(2)
            recording.pause()
            recording.pause()
            call.sleep(10)
            recording.resume()
            recording.resume()
            call.sleep(1)
            with recording.masked():
                call.sleep(2)

    [found] = kept(switch, converse, lambda caller: caller.talks(20))
    assert found.duration == pytest.approx(5, abs=0.2)
    [(since, until)] = found.masked  # seconds of the file, and not of the call
    assert (since, until) == (pytest.approx(3, abs=0.2), pytest.approx(5, abs=0.2))


def test_what_is_masked_is_silence_in_it(switch: Any) -> None:
    def converse(call: Call) -> None:
        with call.recording(stereo=True) as recording:
            call.sleep(2)
            recording.mask()
            call.sleep(3)
            recording.unmask()
            call.sleep(2)
            with recording.masked(), recording.masked():
                call.sleep(1)
            call.sleep(1)

    [found] = kept(switch, converse, lambda caller: caller.talks(20))
    assert found.duration == pytest.approx(9, abs=0.3)
    (first, second), (third, fourth) = found.masked
    assert [first, second, third, fourth] == [pytest.approx(at, abs=0.3) for at in (2, 5, 7, 8)]
    middle = (first + second) / 2, (third + fourth) / 2
    assert [loud(found, at) for at in (1, middle[0], 6, middle[1], 8.5)] == [True, False, True, False, True]


def test_within_a_masked_block_unmask_waits_for_its_end(switch: Any) -> None:
    def converse(call: Call) -> None:
        with call.recording() as recording:
            with recording.masked():
                recording.mask()
                recording.unmask()
                call.sleep(2)
            call.sleep(1)
            recording.mask()
            with recording.masked():
                pass
            call.sleep(2)

    [found] = kept(switch, converse, lambda caller: caller.talks(20))
    assert [until - since for since, until in found.masked] == [pytest.approx(2, abs=0.2), pytest.approx(2, abs=0.2)]
    assert not loud(found, found.duration - 0.1)


def test_what_verbs_keep_out_is_kept_out_of_every_recording(switch: Any) -> None:
    """``Line._masked`` is what a sensitive question is asked within."""

    def converse(call: Call) -> None:
        with call._masked():  # nothing records
            call.play("one")
        with call.recording(), call.recording(stereo=True):
            call.sleep(1)
            with call._masked():
                call.sleep(2)
            call.sleep(1)

    first, second = kept(switch, converse, lambda caller: (caller.hears("one"), caller.talks(20)))
    for found in (first, second):
        assert found.masked == ((pytest.approx(1, abs=0.2), pytest.approx(3, abs=0.2)),)
        assert not loud(found, 2)
        assert loud(found, 3.5)
    assert first.path != second.path


def test_a_mask_at_the_end_of_the_call_ends_with_it(switch: Any) -> None:
    def converse(call: Call) -> None:
        with call.recording() as recording:
            call.sleep(2)
            with recording.masked():
                call.sleep(60)

    [found] = kept(switch, converse, lambda caller: (caller.talks(5), caller.hangs_up()))
    assert found.masked == ((pytest.approx(2, abs=0.2), found.duration),)
    assert not loud(found, 4)


def test_a_question_is_not_asked_where_masking_fails(open_call: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.command.startswith("api uuid_record") and " mask " in packet.command:
            return api_response("-ERR Cannot mask recording session!\n")
        return plays(peer, packet)

    call, _ = open_call(script)
    call._ongoing = (OngoingRecording(call._session, call._take(1, None)),)
    with pytest.raises(RecordingError, match="cannot mask"), call._masked():
        pytest.fail("asked all the same")
