"""Calls to be written in tests."""

from __future__ import annotations

from typing import Any

from fsivr.store import Row, call_began, call_ended
from fsivr.store.rows import CallEnd, CallStart

#: Seconds since 1970: the start of call number 0.
START = 1_700_000_000.0


def start(number: int, **changes: Any) -> CallStart:
    call = CallStart(
        f"uuid-{number:06}", "apps.Balance", f"0{number}", "4100", "public", "inbound", START + number, "ivr-1", "w1"
    )
    return call._replace(**changes)


def began(number: int, **changes: Any) -> Row:
    return call_began(start(number, **changes))


def ended(number: int, cause: str = "NORMAL_CLEARING", error: str = "", **changes: Any) -> Row:
    first = start(number, **changes)
    answered = str(round((first.started + 1) * 1e6))
    return call_ended(first, CallEnd(first.started + 5, answered, cause, first.handler, error, [["play", 0.1, 2.5]]))
