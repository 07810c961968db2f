"""Spooled: what dead processes left in the spool is sealed, and their litter removed."""

from __future__ import annotations

import logging
import os
import re
import time
from pathlib import Path

from fsivr.errors import ArchiveError
from fsivr.recordings.mending import Mending
from fsivr.recordings.owners import bury, is_alive
from fsivr.recordings.seal import is_at_rest
from fsivr.recordings.sidecar import Sidecar

# What the switch is tried with (Spool.prove), and a file that was being written anew (wav.repair).
_TRIAL = re.compile(r"\.[0-9a-f]{12}\.wav")
_OURS = re.compile(
    r"[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[0-9a-f]{12}\.(wav|json(\.[0-9a-f]{8}\.tmp)?)|\.owners|\.locks|\.exports"
)
_MOST_NAMED = 10


class Spooled(Mending):
    """The spool's half of a reconcile."""

    def look(self) -> None:
        """Bring what is there to its end."""
        owners: set[str] = set()
        for path in self._folders.tickets():
            self._each(path.stem, lambda id: self._ticket(id, owners))
        for path in self._folders.spooled_audios():
            self._each(path.stem, self._without_ticket)
        self._done["removed"] += bury(self._folders, owners)
        self._remove_litter()

    def _ticket(self, id: str, owners: set[str]) -> None:
        path = self._folders.ticket(id)
        try:
            ticket = Sidecar.load(path)
        except FileNotFoundError:
            return
        except ArchiveError as error:
            self._say(logging.ERROR, f"{error}; what it told is lost")
            ticket = self._unknown(id)
        if ticket.node not in ("", self._node) or is_alive(self._folders, ticket.owner):
            owners.add(ticket.owner)
        elif self._folders.sidecar_of(id).exists():
            self._sealed_already(id)
        elif not (self._folders.spooled(id).exists() or self._folders.place(id).exists()):
            self._without_file(ticket)
        elif ticket.stopped is not None or not self._is_waited_for(id):
            self._seal(ticket, "the server ended before it was sealed")
        if path.exists():
            owners.add(ticket.owner)

    def _sealed_already(self, id: str) -> None:
        with self._folders.changing(id):
            sidecar = Sidecar.load(self._folders.sidecar_of(id))
            self._folders.ticket(id).unlink(missing_ok=True)
        self._put([sidecar.row()])
        self._done["rows"] += 1

    def _without_file(self, ticket: Sidecar) -> None:
        """Whether it began is told by its row, which is written when it does."""
        if ticket.stopped is not None or self._store.recording(ticket.id) is not None:
            self._seal(ticket, f"there is no file of it below {self._folders.root}")
        elif is_at_rest(self._folders.ticket(ticket.id), self._settle):
            self._folders.ticket(ticket.id).unlink(missing_ok=True)
            self._done["dropped"] += 1
        else:
            self._done["waiting"] += 1

    def _without_ticket(self, id: str) -> None:
        # A ticket is there before its file and after it.
        if self._folders.ticket(id).exists() or not self._folders.spooled(id).exists():
            return
        if not self._is_waited_for(id):
            self._seal(self._unknown(id), "nothing but its file tells of it")

    def _remove_litter(self) -> None:
        foreign = []
        for name in sorted(os.listdir(self._folders.spool)):
            path = self._folders.spool / name
            if _TRIAL.fullmatch(name) or name.endswith(".tmp"):
                self._done["removed"] += remove_old(path, self._settle)
            elif not _OURS.fullmatch(name):
                foreign.append(name)
        self._done["foreign"] += len(foreign)
        if foreign:
            names = ", ".join(map(ascii, foreign[:_MOST_NAMED]))
            self._say(logging.WARNING, f"left alone in {self._folders.spool}: {names}")


def remove_old(path: Path, settle: float) -> int:
    """Whether a file that a process may have been writing was old, and is gone: 1 or 0."""
    try:
        if time.time() - path.stat().st_mtime < settle:
            return 0
        path.unlink()
    except FileNotFoundError:
        return 0
    return 1
