"""Bridging: the far ends that can be reached, and the application ``bridge``."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsivr.causes import HangupCause
from fsivr.simulator import sip
from fsivr.simulator.application import Application
from fsivr.simulator.clock import next_tick
from fsivr.simulator.talk import goes_on
from fsivr.simulator.tokens import is_true
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel
    from fsivr.simulator.thread import Thread

_SETTINGS = re.compile(r"^(?:\{[^}]*\}|\[[^\]]*\]|<[^>]*>)+")
_DIALSTATUS = {
    HangupCause.USER_BUSY: "BUSY",
    HangupCause.CALL_REJECTED: "DONTCALL",
    HangupCause.NO_ANSWER: "NOANSWER",
    HangupCause.ORIGINATOR_CANCEL: "CANCEL",
}
_SIP_STATUS = {
    HangupCause.USER_BUSY: ("486", "Busy Here"),
    HangupCause.CALL_REJECTED: ("603", "Decline"),
    HangupCause.NORMAL_TEMPORARY_FAILURE: ("503", "Service Unavailable"),
}
_KNOWN_ENDPOINTS = ("user", "sofia", "loopback", "verto", "group", "error", "null")
_DEFAULT_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class FarEnd:
    """What happens when somebody is called; seconds.

    :param cause: why it does not come to a conversation; None where it does.
    :param after: until the answer, or the refusal.
    :param talks: until the far end hangs up; None where it does not.
    :param ends: the cause it hangs up with.
    :param early: whether it sends sound from the start, before any answer (SIP 183).
    """

    cause: HangupCause | None = None
    after: float = 0.0
    talks: float | None = None
    ends: HangupCause = HangupCause.NORMAL_CLEARING
    early: bool = False


def nobody(destination: str) -> FarEnd:
    """What a destination does that nothing was said about (FACTS 7.3)."""
    endpoint, _, name = destination.partition("/")
    if endpoint == "error":
        return FarEnd(HangupCause.parse(name, HangupCause.NORMAL_CLEARING))
    if endpoint not in _KNOWN_ENDPOINTS:
        return FarEnd(HangupCause.CHAN_NOT_IMPLEMENTED)
    if endpoint == "loopback":
        return FarEnd(HangupCause.NO_ROUTE_DESTINATION)
    return FarEnd(HangupCause.SUBSCRIBER_ABSENT)


class FarLeg:
    """The other leg of a bridge."""

    def __init__(self, channel: Channel, destination: str) -> None:
        self.uuid = str(uuid.uuid4())
        self.destination = destination
        self.number = re.split(r"[@/]", destination.partition("/")[2] or destination)[
            -1 if "@" not in destination else -2
        ]
        self.ended: HangupCause | None = None
        self._channel = channel

    def hangup(self, cause: HangupCause) -> None:
        """End this leg."""
        self.ended = self.ended or cause
        self._channel.wake()


def bridge(thread: Thread, argument: str) -> None:
    """The application ``bridge``: tries destinations until one answers, then joins the legs."""
    channel = thread.channel
    if not argument:
        return
    text = _SETTINGS.sub("", argument)
    cause = HangupCause.NORMAL_CLEARING
    for alternative in text.split("|"):
        for destination in alternative.split(","):
            destination = _SETTINGS.sub("", destination)
            far = thread.switch.far_end(destination)
            leg = FarLeg(channel, destination)
            if far.early and not _ignores_early_media(channel, argument):
                _talk(thread, leg, FarEnd(talks=far.after, ends=far.cause or far.ends, early=True))
                return
            failed = _dial(thread, leg, far)
            if failed is None:
                _talk(thread, leg, far)
                return
            cause = failed
            if not channel.ready:
                return
    _fail(channel, cause)


def _ignores_early_media(channel: Channel, argument: str) -> bool:
    # By default a leg's early media is a success of the originate (switch_ivr_originate.c).
    asked = re.search(r"[{\[<,]ignore_early_media=([^,}\]>]*)", argument)
    return is_true(asked[1] if asked else channel.variables.get("ignore_early_media", ""))


def _fail(channel: Channel, cause: HangupCause) -> None:
    """End the call with the cause, unless the caller is to be kept (FACTS 7.4)."""
    keep = channel.variables.get("continue_on_fail", "").lower()
    named = [word.strip() for word in keep.upper().split(",")]
    if (
        keep not in ("true", "yes", "on", "t", "1", "enabled")
        and cause.name not in named
        and str(cause.q850) not in named
    ):
        channel.hangup(cause)


def _dial(thread: Thread, leg: FarLeg, far: FarEnd) -> HangupCause | None:
    """Why the destination was not reached; None where it answered."""
    channel, clock = thread.channel, thread.clock
    timeout = channel.variables.get("call_timeout")
    limit = float(max(1, atoi(timeout))) if timeout else _DEFAULT_TIMEOUT
    began = clock.now()
    comes = began + far.after
    known = thread.switch.knows(leg.destination)
    if known:
        channel.set("originate_disposition", "failure")
        channel.set("DIALSTATUS", "INVALIDARGS")
    if far.after and known:
        channel.callee = leg.number
        channel.ring_ready()
        channel.times.setdefault("Channel-Progress-Time", thread.switch.micros())
    while channel.ready and clock.now() < min(comes, began + limit) - 1e-9:
        thread.parse_commands()
        if channel.ready:
            thread.wait(next_tick(clock.now()) if _busy(channel) else min(comes, began + limit))
    if not channel.up:
        _failed(channel, leg, HangupCause.ORIGINATOR_CANCEL, known)
        return HangupCause.ORIGINATOR_CANCEL
    if clock.now() < comes - 1e-9:
        _failed(channel, leg, HangupCause.NO_ANSWER, known)
        return HangupCause.NO_ANSWER
    if far.cause is not None:
        _failed(channel, leg, far.cause, known)
    return far.cause


def _busy(channel: Channel) -> bool:
    return bool(channel.commands) and not channel.locked


def _failed(channel: Channel, leg: FarLeg, cause: HangupCause, known: bool) -> None:
    """The variables of an attempt that failed (captures 05c, 05d)."""
    if known:
        channel.set("originate_signal_bond", leg.uuid)
        channel.push("originated_legs", f"{leg.uuid};Outbound Call;{leg.number}")
        status = _SIP_STATUS.get(cause)
        if status is not None:
            channel.set("sip_invite_failure_status", status[0])
            channel.set("sip_invite_failure_phrase", status[1])
            if status[0] != "503":  # nobody was there to give a reason
                channel.set("sip_reason", f'Q.850;cause={cause.q850};text="{cause.name}"')
            channel.set("sip_hangup_phrase", status[1])
        channel.set("last_bridge_hangup_cause", cause.name)
        if status is not None:
            channel.set("last_bridge_proto_specific_hangup_cause", f"sip:{status[0]}")
    channel.set("originate_disposition", cause.name)
    channel.set("DIALSTATUS", _DIALSTATUS.get(cause, cause.name))
    if known:
        channel.push("originate_causes", f"{leg.uuid};{cause.name}")
    channel.set("originate_failed_cause", cause.name)


def _talk(thread: Thread, leg: FarLeg, far: FarEnd) -> None:
    """The conversation, until one side ends it (captures 05a, 05e)."""
    channel, switch = thread.channel, thread.switch
    ids = [("Bridge-A-Unique-ID", channel.uuid), ("Bridge-B-Unique-ID", leg.uuid)]
    _join(channel, leg, answered=not far.early)
    switch.far_legs[leg.uuid] = leg
    channel.fire("CHANNEL_BRIDGE", before=ids)
    channel.on_change(f"talks with {leg.destination}")
    _note_bridge(channel, leg)
    ends = None if far.talks is None else thread.clock.now() + far.talks
    while channel.ready and leg.ended is None:
        thread.parse_commands()
        if ends is not None and thread.clock.now() >= ends - 1e-9:
            leg.ended = far.ends
        elif channel.ready and leg.ended is None:
            channel.take_digit()
            soon = next_tick(thread.clock.now())
            thread.wait(soon if channel.digits or _busy(channel) else ends)
    switch.far_legs.pop(leg.uuid, None)
    channel.set("bridge_to", None)
    _part(channel, leg)
    channel.fire("CHANNEL_UNBRIDGE", before=ids)
    if channel.ready:
        channel.on_change(f"is left by {leg.destination}")
        if (far.early or not goes_on(channel)) and is_true(channel.variables.get("hangup_after_bridge", "")):
            channel.hangup(leg.ended or HangupCause.NORMAL_CLEARING)


def _note_bridge(channel: Channel, leg: FarLeg) -> None:
    for name, value in (
        ("bridge_to", leg.uuid),
        ("last_bridge_to", leg.uuid),
        ("bridge_channel", leg.destination),
        ("bridge_uuid", leg.uuid),
        ("signal_bond", leg.uuid),
        ("last_sent_callee_id_name", leg.number),
        ("last_sent_callee_id_number", leg.number),
    ):
        channel.set(name, value)


def _join(channel: Channel, leg: FarLeg, *, answered: bool) -> None:
    if answered:
        channel.answer()
    now = channel.switch.micros()
    channel.callee = leg.number
    for name, value in (
        ("originated_legs", f"{leg.uuid};Outbound Call;{leg.number}"),
        ("switch_m_sdp", "v=0\r\no=FreeSWITCH 1795413224 1795413225 IN IP4 192.0.2.2\r\ns=FreeSWITCH\r\n"),
        ("video_media_flow", "inactive"),
        ("text_media_flow", "inactive"),
        ("audio_media_flow", "sendrecv"),
        ("originate_disposition", "SUCCESS"),
        ("DIALSTATUS", "SUCCESS"),
        ("originate_causes", f"{leg.uuid};NONE"),
        ("signal_bond", leg.uuid),
    ):
        channel.set(name, value)
    channel.times["Channel-Bridged-Time"] = now
    times = {"Profile-Created-Time": now, "Channel-Created-Time": now, "Channel-Answered-Time": now if answered else 0}
    channel.other_leg = sip.callee_headers(channel.profile, leg.uuid, leg.number, leg.destination, times)


def _part(channel: Channel, leg: FarLeg) -> None:
    cause = leg.ended
    if cause is not None:
        channel.set("sip_reason", f'Q.850;cause={cause.q850};text="{cause.name}"')
        channel.set("sip_hangup_phrase", "OK")
        channel.set("last_bridge_hangup_cause", cause.name)
        channel.set("last_bridge_proto_specific_hangup_cause", "sip:200")
    else:
        cause = channel.hangup_cause or HangupCause.NORMAL_CLEARING
    channel.set("bridge_hangup_cause", cause.name)


APPLICATIONS = {"bridge": Application(bridge)}
