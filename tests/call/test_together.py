"""Verbs of one call inside and after each other: what one leaves behind must not reach the next."""

from __future__ import annotations

from typing import Any

import gevent

from fsivr import (
    Call,
    CompletionCause,
    DeadlineExceeded,
    Handler,
    HangupCause,
    Recording,
    Tone,
)
from tests.call.conversations import in_call

BEEP = Tone("%(200,0,1000)")


def test_a_secret_in_a_recording_in_music(switch: Any) -> None:
    told: list[str] = []
    answers: list[str] = []
    recordings: list[Recording] = []

    def run(call: Call) -> None:
        call.answer()
        call.on_digit(told.append)
        with call.recording(stereo=True):
            with call.music("hold"):
                answers.append(call.ask("pin", digits=4, sensitive=True))
            answers.append(call.ask("open", digits=2))
        recordings.extend(call.recordings)

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("hold", "pin")
        caller.dials("4711")
        caller.hears("open")
        caller.dials("12")
    assert answers == ["4711", "12"]
    assert told == ["1", "2"]
    assert "4711" not in f"{caller.variables} {caller.transcript}"
    [recording] = recordings
    [(begins, ends)] = recording.masked
    assert 0 <= begins < ends < recording.duration


def test_a_deadline_fetches_the_call_out_of_a_queue(switch: Any) -> None:
    def run(call: Call) -> None:
        call.answer()
        try:
            with call.deadline(0.2):
                call.queue("support", timeout=600)
        except DeadlineExceeded:
            call.play("nobody")

    switch.agents("support", count=0)
    with switch.call(handler=in_call(run)) as caller:
        caller.waits(1)
        gevent.sleep(0.3)
        caller.hears("nobody")


def test_what_a_deadline_broke_off_in_music_does_not_go_on(switch: Any) -> None:
    def run(call: Call) -> None:
        call.answer()
        try:
            with call.music("hold"), call.deadline(0.2):
                call.sleep(100)
        except DeadlineExceeded:
            call.play("after", "more")

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(1)
        gevent.sleep(0.3)
        caller.hears("hold", "after", "more")


def test_a_hangup_ends_a_message_and_the_recording_around_it(switch: Any) -> None:
    messages: list[Recording] = []
    at_the_end: list[tuple[Recording, ...]] = []

    class Voicemail(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            with call.recording():
                messages.append(call.record(limit=30))
                call.play("thanks")

        def on_hangup(self, call: Call) -> None:
            at_the_end.append(call.recordings)

    with switch.call(handler=Voicemail) as caller:
        caller.hears(BEEP)
        caller.talks(3)
        caller.hangs_up()
    assert [message.completion for message in messages] == [CompletionCause.HANGUP]
    assert [recording.completion for recording in at_the_end[0]] == [CompletionCause.HANGUP] * 2


def test_a_call_is_handed_over_out_of_its_blocks(switch: Any) -> None:
    class Other(Handler):
        def run(self, call: Call) -> None:
            call.play("other")

    def run(call: Call) -> None:
        call.answer()
        with call.recording(), call.music("hold"):
            call.hand_over(Other)

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("hold", "other")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_what_is_typed_ahead_is_no_consent(switch: Any) -> None:
    answers: list[Any] = []

    def run(call: Call) -> None:
        call.answer()
        call.type_ahead = True
        call.play("welcome")
        answers.append(call.consent("may-we-record", accept="1", tries=1))
        answers.append(call.menu("menu", {"1": "one", "2": "two"}))

    with switch.call(handler=in_call(run)) as caller:
        caller.dials("1", during="welcome")
        caller.hears("may-we-record", "menu")
        caller.dials("2")
    assert answers == [False, "two"]


def test_speech_and_another_party_within_a_recording(switch: Any) -> None:
    answers: list[Any] = []

    def run(call: Call) -> None:
        call.answer()
        with call.recording():
            answers.append(call.listen("say-it").text)
            answers.append(call.bridge("user/agent", whisper="for-you").answered)
            answers.append(call.ask("number", digits=1))

    switch.answers("user/agent", after=1, talks=5)
    with switch.call(handler=in_call(run)) as caller:
        caller.hears("say-it")
        caller.says("yes")
        caller.hears("number")
        caller.dials("5")
    assert answers == ["yes", True, "5"]


def test_a_transfer_out_of_a_recording(switch: Any) -> None:
    ended: list[HangupCause | None] = []

    class Leaving(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            with call.recording():
                call.transfer("2000")

        def on_hangup(self, call: Call) -> None:
            ended.append(call.hangup_cause)

    switch.extensions["2000"] = [("playback", "x.wav")]
    with switch.call(handler=Leaving):
        pass
    assert ended == [HangupCause.BLIND_TRANSFER]
