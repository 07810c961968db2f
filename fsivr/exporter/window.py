"""Window: when a run has to end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def end_of_window(text: str, now: datetime) -> datetime | None:
    """The next time that it is ``HH:MM`` in UTC; None where the text is empty.

    :param now: a time with a zone.
    """
    if not text:
        return None
    hour, _, minute = text.partition(":")
    end = now.astimezone(UTC).replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return end if end > now else end + timedelta(days=1)
