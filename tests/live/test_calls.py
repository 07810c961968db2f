"""Calls on a real FreeSWITCH, over SIP and RTP."""

from __future__ import annotations

import wave
from pathlib import Path

import gevent
import pytest

from fsivr import CommandRefused, CompletionCause, DialResult, HangupCause, WhyLeft
from tests.live.conftest import Lab


def loudest(path: str, start: float, end: float, channel: int) -> int:
    """The loudest sample of a part of a file, in seconds."""
    with wave.open(path) as sound:
        rate, channels = sound.getframerate(), sound.getnchannels()
        sound.setpos(int(start * rate))
        samples = memoryview(sound.readframes(int((end - start) * rate))).cast("h")
    return max(map(abs, samples[channel::channels]))


def test_what_is_keyed_answers_questions_and_the_cause_reaches_the_caller(lab: Lab) -> None:
    caller = lab.switch.call("10")
    gevent.sleep(1)
    caller.dials("4711")
    gevent.sleep(2)
    caller.dials("2")
    assert lab.result("asked") == ("4711", "two")
    gevent.sleep(1)
    caller.dials("90817263")
    assert lab.result("secret") == "90817263"
    assert "nowhere/no-such-file" in lab.result("missing")
    lab.until(lambda: not caller.up)
    lab.until(lambda: lab.store.calls(limit=1).items[0].ended is not None)
    assert lab.store.calls(limit=1).items[0].hangup_cause == "USER_BUSY"
    assert "90817263" not in lab.switch.log


def test_a_recording_is_sealed_and_what_was_masked_is_silent(lab: Lab) -> None:
    lab.switch.call("11")
    masked, message = lab.result("masked"), lab.result("message")
    ((since, until),) = masked.masked
    assert loudest(masked.path, 0.2, since - 0.2, 0) > 1000
    assert loudest(masked.path, since + 0.1, until - 0.1, 0) == 0
    assert loudest(masked.path, until + 0.2, masked.duration - 0.2, 0) > 1000
    assert message.completion is CompletionCause.LIMIT
    assert message.duration == pytest.approx(3, abs=1.2)
    for one in (masked, message):
        lab.until(lambda one=one: lab.store.recording(one.id).state == "sealed")
        kept = lab.store.recording(one.id)
        assert kept.bytes == Path(one.path).stat().st_size
        assert kept.seconds == pytest.approx(one.duration, abs=0.25)


def test_a_recording_that_the_caller_ends_by_hanging_up_is_whole(lab: Lab) -> None:
    caller = lab.switch.call("12")
    path = lab.result("recording")
    gevent.sleep(2)
    caller.hangs_up()
    id = Path(path).stem
    lab.until(lambda: (kept := lab.store.recording(id)) is not None and kept.state == "sealed")
    assert lab.store.recording(id).completion == "HANGUP"


def test_a_bridge_tells_why_it_failed_and_the_caller_talks_to_the_next(lab: Lab) -> None:
    caller = lab.switch.call("13")
    leg = lab.result("busy")
    assert (leg.answered, leg.hangup_cause) == (False, HangupCause.USER_BUSY)
    gevent.sleep(1)
    assert caller.up


def test_a_caller_comes_back_from_a_queue_that_nobody_serves(lab: Lab) -> None:
    lab.switch.call("14")
    assert lab.result("queued").why is WhyLeft.TIMEOUT
    assert lab.result("back from the queue")


def test_a_caller_is_served_and_comes_back(lab: Lab) -> None:
    lab.switch.call("15")
    gevent.sleep(1)
    agent = lab.switch.call("16")
    gevent.sleep(2)
    agent.hangs_up()
    assert lab.result("stay").why is WhyLeft.SERVED
    assert lab.result("back from the talk")


def test_a_parked_caller_whom_nobody_fetches_comes_back(lab: Lab) -> None:
    lab.switch.call("17")
    assert lab.result("parked").slot == 701
    assert lab.result("back from parking")


def test_a_conference_ends_for_those_whose_time_is_over(lab: Lab) -> None:
    lab.switch.call("18")
    lab.switch.call("18")
    assert lab.result("met")


def test_a_transferred_caller_is_elsewhere(lab: Lab) -> None:
    caller = lab.switch.call("19")
    lab.until(lambda: not lab.server.ports_in_use)
    assert caller.up


def test_calls_are_placed_into_handlers(lab: Lab) -> None:
    lab.switch.call("20")
    assert lab.result("dialled").result is DialResult.ANSWERED
    assert lab.result("placed") == "a;b,c${x}|'q'"
    assert lab.result("refused").result is DialResult.BUSY


def test_a_hangup_is_known_at_once(lab: Lab) -> None:
    caller = lab.switch.call("21")
    lab.result("there")
    caller.hangs_up()
    assert lab.result("gone") is HangupCause.NORMAL_CLEARING


def test_when_nobody_serves_the_caller_gets_a_503(lab: Lab) -> None:
    lab.server.stop(0)
    try:
        with pytest.raises(CommandRefused, match="NORMAL_TEMPORARY_FAILURE"):
            lab.switch.call("21")
    finally:
        lab.serve()


def test_a_crash_of_the_switch_ends_its_calls(lab: Lab) -> None:
    lab.switch.call("21")
    lab.result("there")
    lab.switch.kill()
    try:
        assert lab.result("gone") is HangupCause.NETWORK_OUT_OF_ORDER
        lab.until(lambda: not lab.server.ports_in_use)
    finally:
        lab.switch.start()
    lab.switch.call("14")
    assert lab.result("queued").why is WhyLeft.TIMEOUT
