"""The far ends that can be called, and what each call to one comes to."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsivr.causes import HangupCause
from fsivr.prompts import File, Prompt

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel

_KNOWN_ENDPOINTS = ("user", "sofia", "loopback", "verto", "group", "error", "null")


@dataclass(frozen=True, slots=True)
class FarEnd:
    """What happens when somebody is called; seconds.

    :param cause: why it does not come to a conversation; None where it does.
    :param after: until the answer, or the refusal.
    :param talks: from the answer until the far end hangs up; None where it does not.
    :param ends: the cause it hangs up with.
    :param early: whether it sends sound from the start, before any answer (SIP 183).
    :param presses: the keys it presses, one each time it is asked to confirm.
    """

    cause: HangupCause | None = None
    after: float = 0.0
    talks: float | None = None
    ends: HangupCause = HangupCause.NORMAL_CLEARING
    early: bool = False
    presses: str = ""


def nobody(destination: str) -> FarEnd:
    """What a destination does that nothing was said about (FACTS 7.3)."""
    endpoint, _, name = destination.partition("/")
    if endpoint == "error":
        return FarEnd(HangupCause.parse(name, HangupCause.NORMAL_CLEARING))
    if endpoint not in _KNOWN_ENDPOINTS:
        return FarEnd(HangupCause.CHAN_NOT_IMPLEMENTED)
    if endpoint == "loopback":
        return FarEnd(HangupCause.NO_ROUTE_DESTINATION)
    if endpoint == "null":  # nobody, who answers (mod_dptools.c, null_channel_outgoing_channel)
        return FarEnd()
    return FarEnd(HangupCause.SUBSCRIBER_ABSENT)


class FarLeg:
    """One call to a far end: the other leg of a bridge, or one that came to nothing.

    :param channel: the caller's.
    :param variables: what the dial string gave the leg.
    """

    def __init__(self, channel: Channel, destination: str, variables: Mapping[str, str]) -> None:
        self.uuid = variables.get("origination_uuid") or str(uuid.uuid4())
        self.destination = destination
        self.number = re.split(r"[@/]", destination.partition("/")[2] or destination)[
            -1 if "@" not in destination else -2
        ]
        #: The leg's variables that the dial string gave it.
        self.variables = dict(variables)
        #: The number and the name the far end sees: the caller's own, unless others were given.
        self.caller_number = variables.get("origination_caller_id_number") or channel.profile.caller_number
        self.caller_name = variables.get("origination_caller_id_name") or channel.profile.caller_name
        #: The prompts the far end heard before it was connected: files by name, others as they are.
        self.heard: list[str | Prompt] = []
        #: When it answered, in the switch's microseconds; 0 where it did not.
        self.answered_at = 0
        self.ended: HangupCause | None = None
        self._channel = channel

    @property
    def answered(self) -> bool:
        """Whether the far end answered, be it a machine or a pocket."""
        return self.answered_at > 0

    @property
    def hangup_cause(self) -> HangupCause | None:
        """Why the leg ended; None while it is up."""
        return self.ended

    def hear(self, application: str, argument: str) -> None:
        """Hear what an application plays."""
        found = self._channel.switch.library.read(application, argument)
        self.heard += [each.name if isinstance(each, File) else each for each in found]

    def hangup(self, cause: HangupCause) -> None:
        """End this leg."""
        self.ended = self.ended or cause
        self._channel.wake()
