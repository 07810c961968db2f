"""Claimed: jobs that are this run's alone, taken a few at a time as workers become free."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from fsivr.errors import FileRefused
from fsivr.exporter.carry import Job
from fsivr.exporter.ledger import Ledger
from fsivr.exporter.plan import Plan
from fsivr.exporter.report import Report
from fsivr.exporter.retry import Patience
from fsivr.recordings import Sidecar
from fsivr.store import Claims, Waiting

#: Seconds that a dead machine keeps others from what it had claimed.
LEASE = 900.0


class Claimed:
    """The jobs of a plan, each claimed and told in the ledger before it is handed out.

    :param batch: how many are claimed at once.
    :param report: what is told of those that cannot be brought, and of those that are not this run's.
    :param known: told a recording of which its sidecar says that it is there, though its row does not.
    """

    def __init__(
        self,
        plan: Plan,
        claims: Claims,
        ledger: Ledger,
        *,
        batch: int,
        patience: Patience,
        report: Report,
        known: Callable[[Sidecar], object],
    ) -> None:
        self._plan, self._claims, self._ledger, self._batch = plan, claims, ledger, batch
        self._report, self._known, self._patience = report, known, patience
        self._rows = plan.recordings()
        self._ready: list[Job] = []
        #: Whether there are no more.
        self.exhausted = False

    def next(self) -> Job | None:
        """One more job; None where there are no more.

        :raises DiskError: it cannot be told in the ledger.
        """
        while not self._ready and not self.exhausted:
            self._fill()
        return self._ready.pop() if self._ready else None

    def left(self) -> list[Job]:
        """Those that are claimed and were not handed out."""
        return list(self._ready)

    def _fill(self) -> None:
        rows = list(islice(self._rows, self._batch))
        self.exhausted = len(rows) < self._batch
        mine = self._patience.asks(lambda: self._claims.take([row.id for row in rows]))
        self._report.leave(row.bytes for row in rows if row.id not in mine)
        jobs = list(self._jobs([row for row in rows if row.id in mine]))
        if jobs:
            self._ledger.begin(job.id for job in jobs)
        self._ready = jobs[::-1]

    def _jobs(self, rows: list[Waiting]) -> Iterator[Job]:
        for row in rows:
            try:
                found = self._plan.job(row.id, doubtful=row.id in self._ledger.doubtful)
            except FileRefused as error:
                self._report.fail(row.id, "", str(error), 1)
                self._claims.drop([row.id])
                continue
            if isinstance(found, Job):
                yield found
            else:
                self._known(found)
                self._report.leave([row.bytes])
                self._claims.drop([row.id])
