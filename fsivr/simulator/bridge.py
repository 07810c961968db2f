"""The application ``bridge``: others are called, and the one who took the call is joined with the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fsivr.causes import HangupCause
from fsivr.simulator import sip
from fsivr.simulator.application import Application
from fsivr.simulator.clock import next_tick
from fsivr.simulator.dialling import Try, busy, originate
from fsivr.simulator.dialstring import alternatives
from fsivr.simulator.farend import FarLeg
from fsivr.simulator.talk import goes_on
from fsivr.simulator.tokens import is_true

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel
    from fsivr.simulator.thread import Thread

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


def bridge(thread: Thread, argument: str) -> None:
    """The application ``bridge``: tries destinations until one answers, then joins the legs."""
    channel = thread.channel
    if not argument:
        return
    cause = HangupCause.NORMAL_CLEARING
    try:
        shared, found = alternatives(argument)
    except ValueError:
        _set_outcome(channel, cause)
        found = []
    for endpoints in filter(None, found):
        tries = [_try(thread, destination, variables) for destination, variables in endpoints]
        early = next((each for each in tries if each.far.early and not _holds_back(channel, each.leg)), None)
        if early is not None:
            _join(channel, tries, early, answered=False)
            _talk(thread, early, thread.clock.now() + early.far.after, early.far.cause or early.far.ends)
            return
        winner, cause = originate(thread, tries, shared.get("originate_timeout", ""))
        if winner is not None:
            _join(channel, tries, winner, answered=True)
            _talk(thread, winner, winner.leaves, winner.far.ends)
            return
        _failed(channel, [each.leg for each in tries if each.known], cause)
        if not channel.ready:
            return
    _fail(channel, cause)


def _try(thread: Thread, destination: str, variables: dict[str, str]) -> Try:
    leg = FarLeg(thread.channel, destination, variables)
    thread.switch.note_call(leg)
    return Try(thread, leg, thread.switch.far_end(destination))


def _holds_back(channel: Channel, leg: FarLeg) -> bool:
    # By default a leg's early media is a success of the originate (switch_ivr_originate.c).
    return is_true(leg.variables.get("bridge_early_media", "")) or is_true(
        leg.variables.get("ignore_early_media") or channel.variables.get("ignore_early_media", "")
    )


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


def _failed(channel: Channel, legs: Sequence[FarLeg], cause: HangupCause) -> None:
    """The variables of an attempt that failed (captures 05c, 05d); of a leg that could not be made there are none."""
    for leg in legs:
        ended = leg.ended or cause
        channel.set("originate_signal_bond", leg.uuid)
        channel.push("originated_legs", f"{leg.uuid};Outbound Call;{leg.number}")
        status = _SIP_STATUS.get(ended)
        if status is not None:
            channel.set("sip_invite_failure_status", status[0])
            channel.set("sip_invite_failure_phrase", status[1])
            if status[0] != "503":  # nobody was there to give a reason
                channel.set("sip_reason", f'Q.850;cause={ended.q850};text="{ended.name}"')
            channel.set("sip_hangup_phrase", status[1])
        channel.set("last_bridge_hangup_cause", ended.name)
        if status is not None:
            channel.set("last_bridge_proto_specific_hangup_cause", f"sip:{status[0]}")
    _set_outcome(channel, cause)
    for leg in legs:
        channel.push("originate_causes", f"{leg.uuid};{(leg.ended or cause).name}")
    channel.set("originate_failed_cause", cause.name)


def _set_outcome(channel: Channel, cause: HangupCause) -> None:
    channel.set("originate_disposition", cause.name)
    channel.set("DIALSTATUS", _DIALSTATUS.get(cause, cause.name))


def _talk(thread: Thread, each: Try, ends: float, cause: HangupCause) -> None:
    """The conversation, until one side ends it (captures 05a, 05e); ``ends``: when the far end does, and why."""
    channel, switch, leg = thread.channel, thread.switch, each.leg
    ids = [("Bridge-A-Unique-ID", channel.uuid), ("Bridge-B-Unique-ID", leg.uuid)]
    switch.far_legs[leg.uuid] = leg
    channel.fire("CHANNEL_BRIDGE", before=ids)
    channel.on_change(f"talks with {leg.destination}")
    _note_bridge(channel, leg)
    while channel.ready and leg.ended is None:
        thread.parse_commands()
        if thread.clock.now() >= ends - 1e-9:
            leg.ended = cause
        elif channel.ready and leg.ended is None:
            channel.take_digit()
            soon = next_tick(thread.clock.now())
            thread.wait(soon if channel.digits or busy(channel) else None if ends == float("inf") else ends)
    switch.far_legs.pop(leg.uuid, None)
    channel.set("bridge_to", None)
    _part(channel, leg)
    channel.fire("CHANNEL_UNBRIDGE", before=ids)
    if channel.ready:
        channel.on_change(f"is left by {leg.destination}")
        if (each.far.early or not goes_on(channel)) and is_true(channel.variables.get("hangup_after_bridge", "")):
            channel.hangup(leg.ended or HangupCause.NORMAL_CLEARING)
    leg.ended = leg.ended or channel.hangup_cause or HangupCause.NORMAL_CLEARING


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


def _join(channel: Channel, tries: Sequence[Try], winner: Try, *, answered: bool) -> None:
    leg = winner.leg
    if answered:
        channel.answer()
    now = channel.switch.micros()
    channel.callee = leg.number
    known = [each.leg for each in tries if each.known]
    for one in known:
        channel.push("originated_legs", f"{one.uuid};Outbound Call;{one.number}")
    for name, value in (
        ("switch_m_sdp", "v=0\r\no=FreeSWITCH 1795413224 1795413225 IN IP4 192.0.2.2\r\ns=FreeSWITCH\r\n"),
        ("video_media_flow", "inactive"),
        ("text_media_flow", "inactive"),
        ("audio_media_flow", "sendrecv"),
        ("originate_disposition", "SUCCESS"),
        ("DIALSTATUS", "SUCCESS"),
    ):
        channel.set(name, value)
    for one in known:
        channel.push("originate_causes", f"{one.uuid};{(one.ended or HangupCause.NONE).name}")
    channel.set("signal_bond", leg.uuid)
    channel.times["Channel-Bridged-Time"] = now
    times = {"Profile-Created-Time": now, "Channel-Created-Time": now, "Channel-Answered-Time": leg.answered_at}
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
