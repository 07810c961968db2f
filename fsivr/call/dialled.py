"""Calls that are placed: what is ordered, what came of it, and what the channel is told for our server."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from fsivr.causes import HangupCause

#: The variables by which an order reaches our server.
HANDLER, DETECT, MACHINE, PACKED = "fsivr_handler", "fsivr_detect_machine", "fsivr_machine", "fsivr_variables"
#: What the names of such variables begin with.
RESERVED = "fsivr_"

_MOST_PACKED = 4096


class DialResult(Enum):
    """What calling somebody came to."""

    ANSWERED = "answered"
    MACHINE = "an answering machine answered"
    BUSY = "busy"
    NO_ANSWER = "nobody answered in time"
    REJECTED = "refused"
    FAILED = "not reached"

    @classmethod
    def of(cls, cause: HangupCause) -> DialResult:
        """What a call that was not answered came to, by its cause."""
        return _BY_CAUSE.get(cause, cls.FAILED)


_BY_CAUSE = {
    HangupCause.USER_BUSY: DialResult.BUSY,
    HangupCause.BUSY_EVERYWHERE: DialResult.BUSY,
    HangupCause.NO_ANSWER: DialResult.NO_ANSWER,
    HangupCause.NO_USER_RESPONSE: DialResult.NO_ANSWER,
    HangupCause.ALLOTTED_TIMEOUT: DialResult.NO_ANSWER,
    HangupCause.PROGRESS_TIMEOUT: DialResult.NO_ANSWER,
    HangupCause.NO_PICKUP: DialResult.NO_ANSWER,
    HangupCause.RECOVERY_ON_TIMER_EXPIRE: DialResult.NO_ANSWER,
    HangupCause.CALL_REJECTED: DialResult.REJECTED,
    HangupCause.DECLINE: DialResult.REJECTED,
    HangupCause.REJECT_ALL: DialResult.REJECTED,
    HangupCause.UNWANTED: DialResult.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Dialled:
    """A call that was placed: whom it went to, and what came of it."""

    to: str
    result: DialResult
    #: Why it was not answered; None where it was.
    hangup_cause: HangupCause | None = None
    #: The call's id, the same as its handler's ``call.uuid``.
    uuid: str = ""
    #: In a group call: the error that kept it from being placed.
    error: Exception | None = None

    @property
    def answered(self) -> bool:
        """Whether somebody answered, or something: its handler has the call."""
        return self.result in (DialResult.ANSWERED, DialResult.MACHINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """One call of a group: what is None is as for the whole group."""

    to: str
    handler: type[Any] | None = None
    timeout: float | None = None
    caller_id: str | None = None
    caller_name: str | None = None
    variables: Mapping[str, str] | None = None
    detect_machine: bool | None = None


def pack(variables: Mapping[str, str]) -> str:
    """Variables as one text of letters, digits, ``_ - =``, whatever they hold.

    :raises ValueError: a NUL, which no variable can hold, no Unicode, or too much of it.
    """
    for name, value in variables.items():
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise ValueError(f"the variable {name} holds a NUL or half a character, which the switch cannot")
    packed = base64.urlsafe_b64encode(json.dumps(dict(variables), ensure_ascii=False).encode()).decode()
    if len(packed) > _MOST_PACKED:
        raise ValueError(f"the variables {', '.join(variables)[:80]} are too long: some 3000 bytes can go along")
    return packed


def unpack(packed: str) -> dict[str, str]:
    """What ``pack`` packed; nothing where it was not ``pack``."""
    try:
        found = json.loads(base64.urlsafe_b64decode(packed.encode()))
    except (ValueError, binascii.Error):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)}
