"""Reindexing: the rows of recordings made anew of what is on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from fsivr.errors import ArchiveError, UnknownRecording
from fsivr.recordings.retention import remove
from fsivr.recordings.shelf import Shelf
from fsivr.recordings.sidecar import Sidecar
from fsivr.store import audited

_BATCH = 500
_GONE = ("failed", "purged")


class Counts(NamedTuple):
    """What a reindex made and met.

    ``recordings``: rows of sealed recordings; ``under_way``: of those still in the spool;
    ``lost``: rows that no file tells of, failed now; ``unreadable``: sidecars that cannot
    be read, whose rows stay as they are; ``held``: holds that only the database knew of.
    """

    recordings: int
    under_way: int
    lost: int
    unreadable: int
    held: int


class _Read(NamedTuple):
    """A sidecar as it was read, and which file that was."""

    path: Path
    file: tuple[int, int]
    sidecar: Sidecar


def reindex(shelf: Shelf, *, by: str, progress: Callable[[int], None] | None) -> Counts:
    """What was made of the files of a node.

    :raises ArchiveError: no file tells of any recording, and the database knows some of this node.
    """
    held = _adopt_holds(shelf, by)
    written = {True: 0, False: 0}
    unreadable = 0
    paths = chain(shelf.folders.tickets(), shelf.folders.sidecars())
    while batch := list(islice(paths, _BATCH)):
        read = [each for each in map(_read, batch) if each is not None]
        unreadable += len(batch) - len(read)
        _write(shelf, read, by)
        for each in read:
            written[each.sidecar.state == "recording"] += 1
        if progress is not None:
            progress(sum(written.values()))
    if not any(written.values()) and not unreadable:
        _refuse_an_empty_disk(shelf)
    lost = _fail_the_lost(shelf, by)
    counts = Counts(written[False], written[True], lost, unreadable, held)
    shelf.store.write([audited(by, "recordings.reindex", shelf.node, **counts._asdict())])
    return counts


def _write(shelf: Shelf, read: list[_Read], by: str) -> None:
    shelf.store.write([each.sidecar.row() for each in read])
    # Who changes a recording changes its sidecar, then its row: what is another file now than
    # the one we read may have had its new row overwritten by ours.
    for each in read:
        if _identity(each.path) != each.file:
            _write_alone(shelf, each.sidecar.id)
        elif each.sidecar.state == "purged" and os.path.lexists(shelf.folders.place(each.sidecar.id)):
            with shelf.changing(each.sidecar.id) as change:
                if change.sidecar.state == "purged":  # its purge was interrupted
                    remove(shelf.folders, change, by=by, action="purge")


def _write_alone(shelf: Shelf, id: str) -> None:
    with shelf.folders.changing(id):
        try:
            shelf.store.write([shelf.find(id).row()])
        except ArchiveError:
            return  # it went meanwhile, and those that nothing tells of are looked for next


def _adopt_holds(shelf: Shelf, by: str) -> int:
    """How many holds only the database knew of; their sidecars tell of them now.

    As after a sidecar was restored from a copy that is older than the hold.
    """
    found = 0
    after = None
    while True:
        page = shelf.store.recordings(held=True, after=after, limit=_BATCH)
        for row in page.items:
            try:
                if shelf.find(row.id).hold is not None:
                    continue
                with shelf.changing(row.id) as change:
                    change.save(hold=change.sidecar.hold)
                    change.tell(by, "hold", reason=row.hold_reason, restored=True)
            except (ArchiveError, FileNotFoundError):
                continue  # on another node, or its sidecar cannot be read: its row is left as it is
            found += 1
        if page.after is None:
            return found
        after = page.after


def _refuse_an_empty_disk(shelf: Shelf) -> None:
    for row in shelf.store.each_recording(node=shelf.node):
        if row.state not in _GONE:
            raise ArchiveError(
                f"there is no recording in {shelf.folders.root}, and the database knows some of this node: "
                "is its disk mounted, and is recordings_path right?"
            )


def _fail_the_lost(shelf: Shelf, by: str) -> int:
    lost = 0
    for row in shelf.store.each_recording(node=shelf.node):
        if row.state in _GONE or _is_told_of(shelf, row.id):
            continue
        why = "no file on this node tells of it"
        lost += shelf.store.mark(row.id, "failed", audited(by, "recording.lost", row.id, was=row.state, why=why))
    return lost


def _is_told_of(shelf: Shelf, id: str) -> bool:
    try:
        # In the order in which sealing moves it.
        places: Iterable[Path] = (shelf.folders.ticket(id), shelf.folders.sidecar_of(id))
    except UnknownRecording:
        return False
    return any(os.path.lexists(path) for path in places)


def _read(path: Path) -> _Read | None:
    try:
        file = _identity(path)
        sidecar = Sidecar.load(path)
    except (ArchiveError, OSError):
        return None
    return None if file is None else _Read(path, file, sidecar)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns
