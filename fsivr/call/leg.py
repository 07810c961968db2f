"""Leg: what became of the other party of a bridge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fsivr.causes import HangupCause


@dataclass(frozen=True, slots=True)
class Leg:
    """The B leg of a bridge that has ended."""

    #: Where the call went, as ``user/agent``; "" where several were called and nobody answered.
    destination: str
    #: Whether the other party answered, and took the call where that takes a key.
    answered: bool
    #: Why it ended: why it was not answered, or how the conversation ended.
    hangup_cause: HangupCause
    #: How long the two talked, in seconds; 0.0 where it was not answered.
    duration: float
    #: The channel's id; "" where there was none.
    uuid: str
    #: Why each destination that was called did not get the caller; not the one that did.
    causes: Mapping[str, HangupCause] = field(default_factory=dict, hash=False)
