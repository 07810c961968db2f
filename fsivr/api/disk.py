"""The disk of the recordings: how much is free, and for how long that lasts."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from fsivr.store import Store, days_left


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
    left = days_left(store, node, usage.free, datetime.fromtimestamp(now, UTC))
    return Disk(usage.free, usage.total, None if left is None else round(left, 1))
