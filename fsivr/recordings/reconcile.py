"""Reconcile: what is on disk and what the database says are made to agree, whatever was broken off where.

Files are the truth. What a live process is at is left to it; what is done is the same however often
it is done.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from fsivr.errors import ArchiveError
from fsivr.recordings.archive import Archive
from fsivr.recordings.comparing import Comparing
from fsivr.recordings.folders import Folders, close
from fsivr.recordings.spooled import Spooled
from fsivr.store import Row, Store

log = logging.getLogger(__name__)

# Seconds that another one may take.
_PATIENCE = 60.0


class OtherReconciles(ArchiveError):
    """Another process is at it."""


class Reconciled(NamedTuple):
    """How much was done.

    ``sealed``, ``degraded`` and ``failed``: recordings brought to these states; ``dropped``: tickets
    of recordings that never began; ``rows``: rows written anew; ``missing``: rows whose file and
    sidecar are gone; ``held``: holds that only the database knew; ``removed``: trials, halves of
    sidecars and locks that were left; ``waiting``: files that may still be written; ``foreign``:
    what is not ours, and was left; ``wrong``: what could not be done, as the log says.
    """

    sealed: int = 0
    degraded: int = 0
    failed: int = 0
    dropped: int = 0
    rows: int = 0
    missing: int = 0
    held: int = 0
    removed: int = 0
    waiting: int = 0
    foreign: int = 0
    wrong: int = 0

    def __str__(self) -> str:
        """What was done, in words; "" where that is nothing."""
        return ", ".join(f"{number} {name}" for name, number in self._asdict().items() if number)


def reconcile(archive: Archive, *, settle: float = 30.0, patience: float = _PATIENCE) -> Reconciled:
    """What was done to make files and rows of this node agree.

    :param settle: seconds for which a file whose end was not seen must not have grown to be sealed.
    :param patience: seconds to wait for another process that reconciles.
    :raises OtherReconciles: another one has been at it for longer.
    """
    return reconcile_folders(
        archive.folders,
        archive.store,
        node=archive.node,
        settle=settle,
        put=archive.store.write,
        patience=patience,
    )


def reconcile_folders(
    folders: Folders,
    store: Store,
    *,
    node: str,
    put: Callable[[Iterable[Row]], None],
    settle: float = 30.0,
    since: str = "",
    rest: Callable[[], None] = lambda: None,
    patience: float = _PATIENCE,
) -> Reconciled:
    """What ``reconcile`` does, for a process that writes its rows in another way.

    :param put: what writes rows; it may do so later.
    :param since: the first day, as ``20261124``, whose files are compared with their rows.
    :param rest: called between two files; what it raises ends the whole.
    :raises OtherReconciles: another process is at it.
    """
    done: Counter[str] = Counter()
    if folders.spool.is_dir():
        with _alone(folders, patience):
            Spooled(folders, store, node=node, settle=settle, put=put, rest=rest, done=done).look()
            Comparing(folders, store, node=node, settle=settle, put=put, rest=rest, done=done).look(since)
    return Reconciled(**done)


@contextmanager
def _alone(folders: Folders, patience: float) -> Iterator[None]:
    file = os.open(folders.spool, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    deadline = time.monotonic() + patience
    try:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise OtherReconciles(f"another process reconciles {folders.root}") from None
                time.sleep(0.05)
        yield
    finally:
        close(file)
