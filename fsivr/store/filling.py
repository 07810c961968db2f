"""Filling: how fast recordings fill the disk of a node."""

from __future__ import annotations

from datetime import datetime, timedelta

from fsivr.store.store import Store

#: The days whose recordings tell how fast the disk fills.
_LOOKED_AT = timedelta(days=7)
_DAY = timedelta(days=1)


def days_left(store: Store, node: str, free: int, now: datetime) -> float | None:
    """The days until a disk is full, where as much is recorded as in the last week and nothing removed.

    None where nothing was recorded in it. A node that records since less than a day has recorded
    for a day: a first recording of a moment ago says nothing of days.

    :param free: the bytes that are free.
    :param now: a time with a zone.
    """
    lately = store.taken(node, since=now - _LOOKED_AT)
    if lately.bytes <= 0:
        return None
    # Where the node has recorded only lately, the days before that say nothing.
    first = next((row.started for row in store.each_recording(node=node, page=1)), now)
    days = min(7.0, max(1.0, (now - first) / _DAY))
    return free / (lately.bytes / days)
