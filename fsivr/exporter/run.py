"""Run: everything that waits brought to one target, proved, recorded and reported."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from fsivr.errors import ArchiveError, PermanentError, TransientError
from fsivr.exporter.bringing import Bringing
from fsivr.exporter.claimed import LEASE, Claimed
from fsivr.exporter.crew import Count, Make
from fsivr.exporter.keys import id_in, word
from fsivr.exporter.ledger import Ledger
from fsivr.exporter.local import DiskError, on_disk, write_safely
from fsivr.exporter.lock import only_run
from fsivr.exporter.manifest import FOLDER, Manifests
from fsivr.exporter.plan import Choice, Plan, odd_clock
from fsivr.exporter.processes import crew_of
from fsivr.exporter.report import PROOFS, Report, written
from fsivr.exporter.retry import Patience
from fsivr.exporter.target import Target
from fsivr.recordings import Archive, Sidecar
from fsivr.store import Claims, DatabaseFailed, arrived, exported, first_line, running


@dataclasses.dataclass(frozen=True)
class Order:
    """How a run is done: what it is given by the settings and the command line."""

    #: The names of all targets: a recording that is at each of them is exported.
    targets: frozenset[str]
    template: str = "{year}/{month}/{day}/{id}.wav"
    concurrency: int = 4
    #: When it has to end; None for never.
    deadline: datetime | None = None
    choice: Choice = dataclasses.field(default_factory=Choice)
    patience: Patience = dataclasses.field(default_factory=Patience)


def new_id() -> str:
    """An id for a run, of the time and chance."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z-{secrets.token_hex(6)}"


class Run:
    """One run of the export to one target.

    :param name: the target's name.
    :param make: makes an object of it; each worker has its own.
    :param id: of ``new_id``; a new one where None.
    """

    def __init__(self, name: str, make: Make, *, archive: Archive, order: Order, id: str | None = None) -> None:
        store, folders = archive.store, archive.folders
        self._make, self._store, self._folders, self._order = make, store, folders, order
        id = new_id() if id is None else id
        #: What it did so far; other threads may look at it.
        self.report = Report(run=id, target=name, node=archive.node, started=datetime.now(UTC))
        #: The bytes that went out, those of failed tries included.
        self.sent = Count()
        self._node = archive.node
        self._stop = threading.Event()
        self._base = folders.spool / ".exports" / f"{name}@{word(archive.node)}"
        self._ledger = Ledger(self._base / "ledger")
        self._manifests = Manifests(self._base, self._ledger)
        self._claims = Claims(store.database, name, node=archive.node, run=id, lease=LEASE)
        self._arrivals = archive.arrivals(order.targets)
        self._plan = Plan(
            store,
            folders,
            name,
            node=archive.node,
            template=order.template,
            choice=order.choice,
            scratch=self._base / "sidecars",
        )

    def stop(self) -> None:
        """Have it end in order: what is under way is given a little time, and what is proved is marked."""
        self.report.error = self.report.error or "it was told to stop"
        self._stop.set()

    def measure(self) -> Report:
        """The report of a run that would begin now, and brings nothing."""
        self.report.planned, self.report.planned_bytes = self._plan.measure()
        return self.report

    def run(self) -> Report:
        """The report of a run that is over; whatever went wrong with the target is in it.

        :raises AlreadyExporting: another process of this machine is at it.
        :raises DiskError: our own disk cannot be written.
        """
        on_disk(lambda: self._folders.prepare(self._base))
        said = f"process {os.getpid()} since {written(self.report.started)} (run {self.report.run})"
        with only_run(self._base / "lock", said) as self._lock, self._store.connected():
            self._begin()
            try:
                self._work()
            except DiskError as error:
                self.report.error = str(error)
            except DatabaseFailed as error:
                self.report.error = f"the database fails, and the next run takes it from here: {first_line(error)}"
            finally:
                self._end()
        return self.report

    # -- its beginning ----------------------------------------------------------------------

    def _begin(self) -> None:
        scratch = self._base / "sidecars"
        shutil.rmtree(scratch, ignore_errors=True)
        on_disk(lambda: self._folders.prepare(scratch))
        self._ledger.open()
        self._manifests.clean()
        for lost in running(self._store.database, self.report.target, self._node):
            told = {name: getattr(lost, name) for name in lost._meta.fields if name != "report"}
            told |= {"state": "interrupted", "ended": self.report.started, "error": "it ended before it could say how"}
            self._store.write([exported(**told)])
        self._claims.drop_dead()
        self._store.write([exported(**self.report.columns())])

    def _finish_marks(self) -> None:
        """Mark what a run that was killed had proved and told in the ledger."""
        for line in self._ledger.entries():
            id, at = line["id"], datetime.fromisoformat(line["at"])
            try:
                if self.report.target not in Sidecar.load(self._folders.sidecar_of(id)).arrivals:
                    self._arrivals.mark(id, self.report.target, key=line["key"], at=at, export=line["run"])
            except (ArchiveError, OSError) as error:
                self._plan.skip.add(id)
                self.report.warn(f"{id} arrived, and that cannot be marked: {error}")
        for row in self._plan.settled(self._order.targets):
            with suppress(ArchiveError, OSError):
                self._arrivals.settle(row.id, at=self.report.started, export=self.report.run)

    # -- its work ---------------------------------------------------------------------------

    def _work(self) -> None:
        self._finish_marks()
        self.report.planned, self.report.planned_bytes = self._plan.measure()
        odd = odd_clock(self._plan.newest, self._claims.now(), datetime.now(UTC))
        if odd:
            self.report.warn(f"{odd}: see to the clocks")
        target = self._make()
        try:
            self.report.proof = PROOFS.get(getattr(target, "proof", "read"), self.report.proof)
            # What it cannot tell of an earlier run, it cannot of this one.
            if not self._reaches(target) or not self._bring_manifest(target):
                return
            self._sweep(target)
            self._bring()
            if not self.report.refused:
                self._sweep(target)
                self._manifests.compose(self.report.run, self._told())
                self._bring_manifest(target)
        finally:
            target.close()

    def _bring(self) -> None:
        order = self._order
        claimed = Claimed(
            self._plan,
            self._claims,
            self._ledger,
            batch=max(8, 2 * order.concurrency),
            patience=order.patience,
            report=self.report,
            known=lambda sidecar: self._arrivals.settle(sidecar.id, at=self.report.started, export=self.report.run),
        )
        crew = crew_of(self._make, order.concurrency, self.sent, recordings=self.report.planned, lock=self._lock)
        bringing = Bringing(
            claimed=claimed,
            crew=crew,
            workers=order.concurrency,
            ledger=self._ledger,
            arrivals=self._arrivals,
            claims=self._claims,
            plan=self._plan,
            store=self._store,
            report=self.report,
            patience=order.patience,
            stop=self._stop,
        )
        try:
            bringing.run(self._until())
        finally:
            crew.close(1.0)

    def _until(self) -> float | None:
        deadline = self._order.deadline
        return None if deadline is None else time.monotonic() + (deadline - datetime.now(UTC)).total_seconds()

    # -- what is asked of the target beside recordings --------------------------------------

    def _reaches(self, target: Target) -> bool:
        return self._tried(target, lambda: None, gone=self._order.patience.gone)

    def _bring_manifest(self, target: Target) -> bool:
        def do() -> None:
            if self._manifests.pending:
                self.report.manifest = self._manifests.bring(target)

        return self._tried(target, do)

    def _sweep(self, target: Target) -> bool:
        def do() -> None:
            try:
                self.report.swept += target.sweep(self._keeps)
            except PermanentError as error:
                self.report.warn(f"half-brought files stay there: {error}")

        return self._tried(target, do)

    def _keeps(self, key: str) -> bool:
        """Whether a half-brought file is gone on with, here or by another run."""
        id = id_in(key)
        if key.startswith(FOLDER):
            run = self._store.export(id)
            return run is not None and run.state == "running" and run.node != self._node
        row = self._store.recording(id)
        waits = row is not None and row.state in ("sealed", "degraded") and not arrived(row, self.report.target)
        return waits or self._claims.others(id)

    def _tried(self, target: Target, do: Callable[[], None], *, gone: float | None = None) -> bool:
        """Whether it was done; it is tried again while that may help, for so many seconds or a few times."""
        patience, began = self._order.patience, time.monotonic()
        for number in itertools.count(1):
            try:
                target.open()
                do()
                return True
            except PermanentError as error:
                self.report.refused, self.report.error = True, str(error)
                return False
            except TransientError as error:
                target.close()
                enough = number >= patience.tries if gone is None else time.monotonic() - began >= gone
                until = self._until()
                late = until is not None and time.monotonic() >= until
                if enough or late or self._stop.wait(patience.pause(number)):
                    self.report.error = self.report.error or str(error)
                    return False
        raise AssertionError("unreachable")

    # -- its end ----------------------------------------------------------------------------

    def _told(self) -> dict[str, Any]:
        report = self.report
        return {
            "target": report.target,
            "node": report.node,
            "started": written(report.started),
            "ended": written(datetime.now(UTC)),
            "complete": report.complete,
            "failed": report.failed,
            "remaining": report.remaining,
        }

    def _end(self) -> None:
        report = self.report
        report.ended = datetime.now(UTC)
        report.state = report.outcome
        with suppress(DatabaseFailed):  # a claim ends by itself
            self._claims.drop_all()
        self._ledger.close()
        shutil.rmtree(self._base / "sidecars", ignore_errors=True)
        try:
            self._order.patience.asks(lambda: self._store.write([exported(**report.columns())]))
        except DatabaseFailed as error:
            report.warn(f"this report is not in the database: {first_line(error)}")
        with suppress(DiskError):
            write_safely(self._base / "report.json", json.dumps(report.document(), indent=1).encode() + b"\n")
