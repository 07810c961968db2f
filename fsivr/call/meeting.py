"""What the verbs that bring callers together have in common: names, limits, times."""

from __future__ import annotations

import re
from typing import Any

from fsivr.call.channel import Described, time_of
from fsivr.call.ranges import is_from, is_whole

#: Seconds a caller may spend in a room, or in a talk that came of it.
LONGEST = 86400
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_ADDRESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(@[A-Za-z0-9_.-]{1,128})?")


def checked_name(kind: str, name: str, *, domain: bool = False) -> str:
    """The name, if it is one word that means nothing else to the switch.

    Conference arguments are ``name@profile+pin+flags{}`` (mod_conference.c), a fifo's
    are separated by blanks, ``,`` and ``!`` (mod_fifo.c), and callers key the numbers
    of rooms.

    :param domain: whether it may end in ``@domain``.
    :raises ValueError: it is not.
    """
    if not isinstance(name, str) or not (_ADDRESS if domain else _NAME).fullmatch(name):
        allowed = "letters, digits and _ . -" + (", and @domain after it" if domain else "")
        raise ValueError(f"the name of a {kind} is up to 64 {allowed}, not {ascii(name)[:80]}")
    return name


def checked_seconds(what: str, seconds: float | None) -> float:
    """The seconds, or the longest time where there is no limit.

    :raises ValueError: they are out of range.
    """
    if seconds is None:
        return LONGEST
    if not is_from(seconds, 1, LONGEST):
        raise ValueError(f"{what} takes seconds from 1 to {LONGEST}, not {seconds!r}")
    return seconds


def checked_number(what: str, number: Any, fewest: int, most: int) -> int:
    """The whole number, if it is within its range.

    :raises ValueError: it is not.
    """
    if not is_whole(number, fewest, most):
        raise ValueError(f"{what} is a whole number from {fewest} to {most}, not {number!r}")
    return number


def between(first: Described | None, last: Described | None) -> float:
    """The seconds from one to the other, by the switch's clock; 0.0 where one is missing."""
    return max(0.0, time_of(last) - time_of(first)) if first is not None and last is not None else 0.0
