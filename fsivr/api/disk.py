"""The disk of the recordings: how much is free, and for how long that lasts."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from fsivr.store import Store

#: The days whose recordings tell how fast the disk fills.
_LOOKED_AT = timedelta(days=7)
# A first recording of a moment ago says nothing of days.
_LEAST = timedelta(hours=1)


class Disk(NamedTuple):
    """The file system that recordings are written to; None for what is not known."""

    free: int | None
    total: int | None
    #: Days until it is full, where as much is recorded as in the last week, and nothing removed.
    days_left: float | None


def disk_of(folder: str | os.PathLike[str], store: Store, node: str, now: float) -> Disk:
    """The disk of a folder, which need not be there yet.

    :param store: tells how much was recorded.
    :param node: the machine whose disk it is.
    :param now: seconds since 1970.
    """
    place = Path(folder).absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        usage = shutil.disk_usage(place)
    except OSError:
        return Disk(None, None, None)
    return Disk(usage.free, usage.total, _days_left(usage.free, store, node, datetime.fromtimestamp(now, UTC)))


def _days_left(free: int, store: Store, node: str, now: datetime) -> float | None:
    taken = store.taken(node, since=now - _LOOKED_AT)
    if taken.first is None or taken.bytes <= 0 or now - taken.first < _LEAST:
        return None
    days = (now - taken.first) / timedelta(days=1)
    return round(free / (taken.bytes / days), 1)
