"""Leg: what became of the other party of a bridge."""

from __future__ import annotations

from dataclasses import dataclass

from fsivr.causes import HangupCause


@dataclass(frozen=True, slots=True)
class Leg:
    """The B leg of a bridge that has ended."""

    #: Where it was sent, as ``user/agent``.
    destination: str
    #: Whether the other party answered.
    answered: bool
    #: Why it ended: why it was not answered, or how the conversation ended.
    hangup_cause: HangupCause
    #: How long the two talked, in seconds; 0.0 where it was not answered.
    duration: float
    #: The channel's id; "" where there was none.
    uuid: str
