"""The simulated channel: what happens to a leg, and the events that tell of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from fsivr.causes import HangupCause
from fsivr.simulator import billing, sip
from fsivr.simulator.clock import Timer, next_tick
from fsivr.simulator.record import Record
from fsivr.simulator.tokens import is_true

if TYPE_CHECKING:
    from fsivr.simulator.recording import SessionTape
    from fsivr.simulator.switch import Switch
    from fsivr.simulator.thread import Thread
    from fsivr.simulator.wire import Command

#: As many commands wait in a channel's queue; one more and the connection is dropped (FACTS 3.6).
QUEUE_LIMIT = 256

_CALLSTATE_NUMBERS = {"RINGING": 2, "EARLY": 3, "ACTIVE": 4, "HANGUP": 7}


class Channel(Record):
    """One leg under the control of its thread."""

    def __init__(self, switch: Switch, profile: sip.Profile, session_id: int) -> None:
        super().__init__(switch, profile, session_id)
        self.media = False
        #: Whether it was the caller who hung up.
        self.left_by_caller = False
        self.commands: deque[Command] = deque()
        self.digits: deque[tuple[str, str, int, bool]] = deque()
        #: Whether a command with ``event-lock`` runs: the others wait (FACTS 3.5).
        self.locked = False
        #: Whether what runs is to stop.
        self.breaking = False
        #: Whether what runs is not to be repeated either.
        self.stopping = False
        #: Whether events sent to the channel go to its event socket as they are.
        self.divert = False
        #: When the caller talks, in seconds of the switch's clock.
        self.talks: list[tuple[float, float]] = []
        #: Whether no sound at all comes from the caller.
        self.silent = False
        #: What is recorded with ``record_session``, by path.
        self.tapes: dict[str, SessionTape] = {}
        self.thread: Thread | None = None
        #: Called when the channel's thread should look at what has come.
        self.on_wake: Callable[[], None] = lambda: None
        #: Called with what has changed, in words.
        self.on_change: Callable[[str], None] = lambda what: None
        self._wake_timer: Timer | None = None
        self._disposition = "send_bye"

    def wake(self, *, now: bool = False) -> None:
        """Have the channel's thread look at what has come: at its next tick, or at once."""
        clock = self.switch.clock
        when = clock.now() if now else next_tick(clock.now())
        if self._wake_timer is not None:
            if self._wake_timer.callback is not None and self._wake_timer.when <= when:
                return
            self._wake_timer.cancel()
        self._wake_timer = clock.call_at(when, self._woken)

    @property
    def will_wake(self) -> bool:
        """Whether something has come that the channel's thread has not looked at yet."""
        return self._wake_timer is not None

    def _woken(self) -> None:
        self._wake_timer = None
        self.on_wake()

    def transfer(self, number: str) -> None:
        """Have the channel go to another extension, as soon as what runs has seen it."""
        self.transfer_to = number
        self.profile = replace(self.profile, number=number)
        self.wake()

    # -- what happens to it --------------------------------------------------------------

    def ring_ready(self) -> None:
        """Tell the caller that it rings: 180."""
        if self.answer_state == "ringing" and self.up:
            self.set("sip_to_tag", sip.local_tag(self.session_id))
            self.times["Channel-Progress-Time"] = self.switch.micros()
            self.fire("CHANNEL_PROGRESS")

    def pre_answer(self) -> None:
        """Open the media before the answer: 183."""
        if self.media or not self.up:
            return
        self._open_media()
        self.times["Channel-Progress-Media-Time"] = self.switch.micros()
        self.set("endpoint_disposition", "EARLY MEDIA")
        self.answer_state = "early"
        self.fire("CHANNEL_PROGRESS_MEDIA")
        self._set_callstate("EARLY")

    def answer(self) -> None:
        """Answer: 200; a second answer is harmless (FACTS 3.14)."""
        if self.answer_state == "answered" or not self.up:
            return
        if self.media:
            self.set("rtp_local_sdp_str", sip.at_media()["rtp_local_sdp_str"])
        else:
            self._open_media()
        self.answer_state = "answered"
        self.times["Channel-Answered-Time"] = self.switch.micros()
        self.fire("CHANNEL_ANSWER")
        self._set_callstate("ACTIVE")
        self.set("endpoint_disposition", "ANSWER")
        self.switch.clock.call_at(next_tick(self.switch.clock.now()), self._acknowledged)
        self.on_change("answered")

    def hangup(self, cause: HangupCause, *, by_caller: bool = False) -> None:
        """Hang up; the first cause counts."""
        if not self.up:
            return
        self.left_by_caller = by_caller
        if by_caller:
            for name, value in (
                ("sip_term_status", "200"),
                ("proto_specific_hangup_cause", "sip:200"),
                ("sip_term_cause", str(cause.q850)),
            ):
                self.set(name, value)
        if "bridge_to" in self.variables:
            self.set("last_bridge_role", "originator")
        answered = self.answer_state == "answered"
        self.hangup_cause = cause
        self.answer_state = "hangup"
        self.fire("CHANNEL_HANGUP")
        disposition = "send_bye" if answered else "send_refuse"
        if by_caller:
            disposition = "recv_bye" if answered else "recv_cancel"
        self._disposition = disposition
        if by_caller:
            self.set("sip_hangup_disposition", disposition)
        self.times["Channel-Hangup-Time"] = 0
        self.on_change("hangup")
        self.wake(now=True)

    def reroute(self) -> None:
        """The states that a transferred channel goes through (capture 02g_pagd_min_max_terminator)."""
        callstate = self.callstate
        self.state, self.callstate = "CS_ROUTING", "RINGING"
        self.fire("CHANNEL_STATE")
        self.state, self.callstate = "CS_EXECUTE", callstate
        self.fire("CHANNEL_STATE")

    def finish(self, last: tuple[str, str]) -> None:
        """The last events of a channel that has hung up.

        :param last: the last application and its argument.
        """
        assert self.hangup_cause is not None
        self.state = "CS_HANGUP"
        self.fire("CHANNEL_STATE")
        for tape in list(self.tapes.values()):
            tape.stop()  # FACTS 7.2
        self._set_callstate("HANGUP")
        self.state = "CS_REPORTING"
        now = self.switch.micros()
        self.times["Channel-Hangup-Time"] = now
        self.fire("CHANNEL_STATE")
        moments = {
            "start": self.created,
            "answer": self.times.get("Channel-Answered-Time", 0),
            "bridge": self.times.get("Channel-Bridged-Time", 0),
            "progress": self.times.get("Channel-Progress-Time", 0),
            "progress_media": self.times.get("Channel-Progress-Media-Time", 0),
            "end": now,
        }
        name = self.profile.shown_name
        added = billing.variables(self.hangup_cause, moments, last, f'"{name}" <{self.profile.caller_number}>')
        for key, value in added.items():
            self.set(key, value)
        if "sip_hangup_disposition" not in self.variables:
            self.set("sip_hangup_disposition", self._disposition)
        if self.media:
            self.variables.update(sip.RTP_STATISTICS)
        self.fire("CHANNEL_HANGUP_COMPLETE", before=[("Hangup-Cause", self.hangup_cause.name)])

    def destroy(self) -> None:
        """What only other sockets see: the channel is gone (FACTS 5.10)."""
        self.fire("CHANNEL_DESTROY")
        self.state = "CS_DESTROY"
        self.fire("CHANNEL_STATE")

    @property
    def sensitive(self) -> bool:
        """Whether what is keyed now is told to nobody (switch_channel.c, switch_channel_queue_dtmf)."""
        return is_true(self.variables.get("sensitive_dtmf", ""))

    def press(self, digit: str, *, source: str = "RTP", duration: int = 800) -> None:
        """A digit from the caller; what takes it fires the DTMF event (FACTS 4.1)."""
        self.digits.append((digit, source, duration, self.sensitive))
        self.wake()

    def take_digit(self) -> str:
        """The next digit that was pressed; "" where there is none."""
        if not self.digits:
            return ""
        digit, source, duration, sensitive = self.digits.popleft()
        if sensitive:
            return digit
        self.fire("DTMF", after=[("DTMF-Digit", digit), ("DTMF-Duration", str(duration)), ("DTMF-Source", source)])
        return digit

    def quiet_since(self, moment: float) -> float:
        """Since when the caller has been silent, from a moment on; what is being said counts to its end."""
        now = self.switch.clock.now()
        return max([moment, *(end for start, end in self.talks if start <= now)])

    def _open_media(self) -> None:
        self.media = True
        for name, value in sip.at_media().items():
            self.set(name, value)

    def _acknowledged(self) -> None:
        if self.up:
            for name, value in sip.at_acknowledgement(self.profile, self.session_id).items():
                self.set(name, value)

    def _set_callstate(self, callstate: str) -> None:
        before = [
            ("Original-Channel-Call-State", self.callstate),
            ("Channel-Call-State-Number", str(_CALLSTATE_NUMBERS[callstate])),
        ]
        self.callstate = callstate
        self.fire("CHANNEL_CALLSTATE", before=before)
