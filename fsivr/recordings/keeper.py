"""Keeper: what a serving process does with each recording, from before its first sample to its seal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gevent.event import AsyncResult

from fsivr.errors import ArchiveError, RecordingError
from fsivr.recordings.folders import Folders
from fsivr.recordings.lanes import Lanes
from fsivr.recordings.owners import Owner
from fsivr.recordings.seal import move, seal
from fsivr.recordings.sidecar import Sidecar
from fsivr.recordings.tending import Tending
from fsivr.store import Journal, audited

log = logging.getLogger(__name__)

#: How many recordings may wait to be sealed; what comes then is sealed within a minute.
BOUND = 1000
_THREADS = 4
# Seconds that a call waits for the disk, before nothing is recorded.
_PATIENCE = 10.0


#: What makes a ticket that names an owner, called in a thread.
Make = Callable[[str], Sidecar]


class Keeper:
    """Writes tickets, moves files out of the spool and seals them, in threads of its own.

    ``begin`` alone waits. To be used by the greenlets of one thread, and its hub.
    Tickets are made in the threads: checked and written as text, one costs more than all else here.

    :param folders: where the files are.
    :param journal: what writes the rows.
    :param node: this machine's name in them.
    :param settle: seconds for which a file whose end was not seen must not have grown to be sealed.
    :param every: seconds between two looks at what was left behind.
    """

    def __init__(
        self, folders: Folders, journal: Journal, *, node: str, settle: float = 30.0, every: float = 60.0
    ) -> None:
        self.folders = folders
        self._journal = journal
        self._tending = Tending(folders, journal, node=node, settle=settle, every=every)
        self._owner: AsyncResult[Owner] | None = None
        # Those to be sealed, and those that nobody looks after any more but whose tickets do not say so yet.
        self._sealing: dict[str, Sidecar] = {}
        self._left: dict[str, Make] = {}
        self._closed = False

    def start(self) -> None:
        """Look after what earlier processes left, in the background, now and again."""
        self._lanes, self._sealer = Lanes(_THREADS), Lanes(1)
        self._tending.start(before=self._let_go_again)

    def close(self, timeout: float) -> None:
        """Seal what waits, within so many seconds; what is left is sealed by the next process, or by hand."""
        if self._closed:
            return
        self._closed = True
        self._tending.close()
        self._lanes.close(timeout)
        if not self._sealer.close(timeout):
            log.warning("%d recordings are left to be sealed by the next server", len(self._sealing))
        self._left |= {id: _same(ticket) for id, ticket in self._sealing.items()}
        last = Lanes(1)
        for id, make in self._left.items():
            last.give(id, self._write, make, "")
        owner: Any = self._owner.value if self._owner is not None else None
        if owner is not None:
            last.give("", owner.close)
        last.close(timeout)

    # -- what calls ask ---------------------------------------------------------------------

    def begin(self, id: str, make: Make) -> None:
        """Have a ticket on the disk; waits for it, while other greenlets run.

        :raises RecordingError: it cannot be written.
        """
        try:
            owner = _within(_PATIENCE, self._own())
            _within(_PATIENCE, self._lanes.give(id, self._write, make, owner.name))
        except (OSError, ArchiveError) as error:
            raise RecordingError(f"no recording can be kept in {self.folders.spool}: {error}") from None

    def began(self, ticket: Sidecar) -> None:
        """The switch records."""
        self._journal.put(ticket.row())

    def end(self, id: str, make: Make, moved: Callable[[bool], None], *, why: str = "") -> None:
        """The switch has closed the file: move it, and seal it soon.

        :param moved: called on the hub with whether the file is here, in its day's folder.
        :param why: why there would be no file.
        """
        done = self._lanes.give(id, self._move, id, make)
        done.rawlink(lambda done: self._on_moved(id, make, done, moved, why))

    def leave(self, id: str, make: Make) -> None:
        """Nobody saw its end: whoever reconciles seals it, when it grows no more."""
        self._left[id] = make
        done = self._lanes.give(id, self._write, make, "")
        done.rawlink(lambda done: self._on_left(id, done))

    def drop(self, id: str, make: Make) -> None:
        """It never began, as far as is known."""
        done = self._lanes.give(id, self._forget, id, make)
        done.rawlink(lambda done: self._log_wrong(id, done))

    # -- in the threads ---------------------------------------------------------------------

    def _write(self, make: Make, owner: str) -> None:
        ticket = make(owner)
        ticket.save(self.folders.ticket(ticket.id))

    def _move(self, id: str, make: Make) -> tuple[Sidecar, bool]:
        return make(""), move(self.folders, id)

    def _forget(self, id: str, make: Make) -> None:
        if self.folders.spooled(id).exists():
            self._write(make, "")  # it did begin
        else:
            self.folders.ticket(id).unlink(missing_ok=True)

    # -- on the hub -------------------------------------------------------------------------

    def _own(self) -> AsyncResult[Owner]:
        owner = self._owner
        if owner is None or (owner.ready() and not owner.successful()):
            self._owner = owner = self._lanes.give("owner", Owner, self.folders)
        return owner

    def _on_moved(self, id: str, make: Make, done: AsyncResult[Any], moved: Callable[[bool], None], why: str) -> None:
        here = False
        if done.successful():
            found: Any = done.get()
            ticket, here = found
        if not done.successful() or len(self._sealing) >= BOUND:
            self._log_wrong(id, done)
            self.leave(id, make)
        else:
            self._sealing[id] = ticket
            sealed = self._sealer.give(id, seal, self.folders, ticket)
            sealed.rawlink(lambda sealed: self._on_sealed(ticket, sealed, why))
        moved(here)

    def _on_sealed(self, ticket: Sidecar, done: AsyncResult[Sidecar], why: str) -> None:
        del self._sealing[ticket.id]
        if not done.successful():
            self._log_wrong(ticket.id, done)
            self.leave(ticket.id, _same(ticket))
            return
        sealed: Any = done.value
        self._journal.put(sealed.row())
        if sealed.state == "failed":
            why = why or f"its file is not on this machine, below {self.folders.root}"
            log.error("call %s: recording %s failed: %s", ticket.call, ticket.id, why)
            self._journal.put(audited("fsivr", "recording.failed", ticket.id, reason=why))
        elif sealed.state == "degraded":
            log.warning("call %s: recording %s is degraded: its file has %g s", ticket.call, ticket.id, sealed.duration)

    def _on_left(self, id: str, done: AsyncResult[None]) -> None:
        if done.successful():
            self._left.pop(id, None)
        else:
            self._log_wrong(id, done)

    def _let_go_again(self) -> None:
        for id, make in list(self._left.items()):
            self.leave(id, make)

    def _log_wrong(self, id: str, done: AsyncResult[Any]) -> None:
        if not done.successful():
            log.error("recording %s: %s; it is tried again within a minute", id, done.exception)


def _same(ticket: Sidecar) -> Make:
    return lambda owner: replace(ticket, owner=owner)


def _within(seconds: float, done: AsyncResult[Any]) -> Any:
    done.wait(seconds)  # without a Timeout, which a handler's own could be taken for
    if not done.ready():
        raise OSError(f"the disk has not taken it within {seconds:g} s")
    return done.get()
