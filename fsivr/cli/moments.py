"""Moments on the command line: a time, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(_context: click.Context, _option: click.Parameter, value: str | None) -> datetime | None:
    """The moment that an option names; text without a zone is UTC.

    :raises click.BadParameter: it names none.
    """
    if value is None:
        return None
    text = value.strip()
    try:
        if ago := re.fullmatch(r"([0-9]{1,6})([smhdw])(\s+ago)?", text, re.ASCII):
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return in_utc(text)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"a time is 2026-11-24, 2026-11-24T14:30, or 90m, 2h, 7d for so long ago, not {value[:80]!r}"
        ) from None


def in_utc(text: str) -> datetime:
    """The moment of a day or a time in ISO 8601, which is in UTC where it has no zone.

    :raises ValueError: it is none.
    :raises OverflowError: it is before or after all that Python knows.
    """
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
