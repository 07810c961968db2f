"""Checks of what a sidecar tells: the value as it is kept, or a ``ValueError`` that says what is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fsivr.store.rows import clean

#: More masked spans than anybody makes; the later ones are left out.
MOST_SPANS = 10_000
_LARGEST = 2**62
# Years that any calendar takes whatever its zone.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


def text(value: Any) -> str:
    """Text as the database keeps it: whole letters, cut where it is too long."""
    if not isinstance(value, str):
        raise ValueError(f"is text, not {_shown(value)}")
    return clean(value)


def matching(pattern: str, said: str) -> Callable[[Any], str]:
    """Text that matches a pattern whole.

    :param said: the pattern in words.
    """
    form = re.compile(pattern, re.ASCII)

    def check(value: Any) -> str:
        if not isinstance(value, str) or not form.fullmatch(value):
            raise ValueError(f"is {said}, not {_shown(value)}")
        return value

    return check


def whole(least: int, most: int = _LARGEST) -> Callable[[Any], int]:
    """A whole number of a range."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"is a whole number from {least} to {most}, not {_shown(value)}")
        return value

    return check


def seconds(value: Any) -> float:
    """A number of seconds that has an end, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LARGEST:
        raise ValueError(f"is a number of seconds, not {_shown(value)}")
    return float(value)


def moment(value: Any) -> datetime:
    """A moment in UTC, of a ``datetime`` with a zone."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"is a time with a zone, not {_shown(value)}")
    try:
        if not _EARLIEST <= value < _LATEST:
            raise OverflowError
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"is a time from 1970 to 9999, not {_shown(value)}") from None


def spans(value: Any) -> tuple[tuple[float, float], ...]:
    """Spans of seconds from the beginning; infinity for one whose end is not known."""
    try:
        found = tuple((seconds(since), until if until == math.inf else seconds(until)) for since, until in value)
    except TypeError:
        raise ValueError(f"is a list of [from, to] in seconds, not {_shown(value)}") from None
    if any(since > until for since, until in found):
        raise ValueError("is a list of [from, to] in seconds, none of which ends before it begins")
    return found[:MOST_SPANS]


def optional(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What a check takes, or None."""
    return lambda value: None if value is None else check(value)


def parsed_moment(value: Any) -> datetime:
    """The moment of an ISO text."""
    try:
        return moment(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        raise ValueError(f"is a time as 2026-11-24T13:55:51.123456+00:00, not {_shown(value)}") from None


def written_moment(value: datetime) -> str:
    """The ISO text of a moment in UTC, to the microsecond."""
    return value.isoformat(timespec="microseconds")


def to_microsecond(seconds: float) -> datetime:
    """A moment in UTC of seconds since 1970."""
    return _EARLIEST + timedelta(microseconds=round(seconds * 1_000_000))


def _shown(value: Any) -> str:
    return f"{value!r:.80}" if isinstance(value, str | float | bool | None) else type(value).__name__


def written(value: Any) -> Any:
    """A value as JSON can say it: a moment as ISO text, what has fields as an object."""
    if isinstance(value, datetime):
        return written_moment(value)
    if is_dataclass(value):
        return {each.name: written(getattr(value, each.name)) for each in fields(value)}
    return value


def written_spans(spans: tuple[tuple[float, float], ...]) -> list[list[float | None]]:
    """Masked spans as JSON can say them: an end that is not known is null."""
    return [[since, None if until == math.inf else until] for since, until in spans]
