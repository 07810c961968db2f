"""Bringing: the part of a run in which recordings go out, are proved, and are marked."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from fsivr.errors import ArchiveError
from fsivr.exporter.carry import Fault, Job, Outcome
from fsivr.exporter.claimed import Claimed
from fsivr.exporter.crew import Crew
from fsivr.exporter.ledger import Ledger
from fsivr.exporter.local import advice
from fsivr.exporter.marking import Marking
from fsivr.exporter.plan import Plan
from fsivr.exporter.report import Report, written
from fsivr.exporter.retry import Breaker, Patience, Retries
from fsivr.recordings import Arrivals
from fsivr.store import Claims, Store

#: Seconds that those under way are given to end once a run is to stop.
GRACE = 30.0
# Seconds between two looks at what else there is to do.
_LOOK = 0.05


class Bringing:
    """Hands jobs to a crew, and marks what it brought.

    :param workers: how many the crew has.
    :param stop: set where the run is to end: no job begins any more.
    """

    def __init__(
        self,
        *,
        claimed: Claimed,
        crew: Crew,
        workers: int,
        ledger: Ledger,
        arrivals: Arrivals,
        claims: Claims,
        plan: Plan,
        store: Store,
        report: Report,
        patience: Patience,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._claimed, self._crew, self._workers = claimed, crew, workers
        self._ledger, self._arrivals, self._claims, self._plan = ledger, arrivals, claims, plan
        self._report, self._stop, self._clock = report, stop, clock
        self._retries = Retries(patience, clock)
        self._breaker = Breaker(workers, patience, clock)
        self._flying: dict[str, Job] = {}
        self._patience = patience
        self._marking = Marking(self._marked, store)
        self._renew_at = clock() + claims.lease / 3
        self._suspect: Outcome | None = None
        self._last = ""

    def run(self, deadline: float | None, grace: float = GRACE) -> None:
        """Bring all there is, until the deadline of the clock; those under way then are given the grace.

        :raises DiskError: what arrives cannot be written down.
        """
        with self._marking:
            self._bring(deadline, grace)
        self._tell_suspect()
        for outcome in self._retries.left():
            self._give_up(outcome)

    def _bring(self, deadline: float | None, grace: float) -> None:
        ends = math.inf
        while True:
            now = self._clock()
            if deadline is not None and now >= deadline:
                self._end("the window is over")
            if not self._stop.is_set():
                self._feed()
            if self._stop.is_set():
                ends = min(ends, now + grace)
            if not self._flying and (self._stop.is_set() or self._is_over()):
                return
            if now >= ends:
                self._report.warn(f"{len(self._flying)} were still under way {grace:g} s later, and were left")
                return
            self._settle(self._crew.outcomes(_LOOK))
            if now >= self._renew_at:
                self._patience.asks(self._claims.renew)
                self._renew_at = now + self._claims.lease / 3

    def _is_over(self) -> bool:
        return self._claimed.exhausted and not self._claimed.left() and not len(self._retries)

    def _end(self, error: str) -> None:
        if not self._stop.is_set():
            self._report.error = self._report.error or error
            self._stop.set()

    # -- what goes out ----------------------------------------------------------------------

    def _feed(self) -> None:
        if self._breaker.given_up:
            self._end(f"nothing has arrived there for too long; last: {self._last}")
            return
        # A job more than there are workers: none waits for this thread.
        while len(self._flying) < self._workers + 2 and self._breaker.lets(len(self._flying)):
            job = self._retries.due(early=self._breaker.open) or self._claimed.next()
            if job is None:
                return
            self._flying[job.id] = job
            self._crew.begin(job)

    # -- what came of it --------------------------------------------------------------------

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self._flying.pop(outcome.job.id, None)
        arrived = [outcome for outcome in outcomes if outcome.fault is None]
        if arrived:
            self._mark(arrived)
        for outcome in outcomes:
            if outcome.fault is not None:
                self._failed(outcome)

    def _mark(self, arrived: list[Outcome]) -> None:
        at = written(datetime.now(UTC))
        now = datetime.fromisoformat(at)  # to the millisecond, as the manifest tells it
        self._ledger.arrived(arrived, run=self._report.run, at=at)
        marked = self._marking.each([(outcome.job, now) for outcome in arrived])
        for outcome, is_marked in zip(arrived, marked, strict=True):
            job = outcome.job
            if is_marked:
                self._report.recordings += 1
                self._report.bytes += job.audio.size
                self._report.found += outcome.found
            self._plan.done(job)
            self._retries.forget(job)
        self._breaker.arrived()
        self._tell_suspect()
        self._drop([outcome.job.id for outcome in arrived])

    def _drop(self, ids: list[str]) -> None:
        self._patience.asks(lambda: self._claims.drop(ids))

    def _marked(self, given: tuple[Job, datetime]) -> bool:
        job, at = given
        try:
            run, key = self._report.run, job.audio.key
            self._patience.asks(lambda: self._arrivals.mark(job.id, self._report.target, key=key, at=at, export=run))
            return True
        except (ArchiveError, OSError) as error:
            # The ledger has it: the next run marks it.
            why = advice(error) if isinstance(error, OSError) else str(error)
            self._report.fail(job.id, job.audio.key, f"it arrived, and that could not be marked: {why}", 1)
            return False

    def _failed(self, outcome: Outcome) -> None:
        self._last = outcome.message
        if outcome.fault is Fault.AGAIN:
            self._breaker.failed(outcome.job)
            if self._retries.again(outcome, counted=not self._breaker.open):
                return
        if outcome.fault is Fault.TARGET:
            self._doubt(outcome)
            return
        self._give_up(outcome)

    def _doubt(self, outcome: Outcome) -> None:
        """Stop where a second recording is refused and none arrived between: it is not the one file then."""
        if self._suspect is None and not self._stop.is_set():
            self._suspect = outcome
            return
        self._give_up(outcome)
        self._report.refused = True
        self._end(outcome.message)

    def _tell_suspect(self) -> None:
        suspect, self._suspect = self._suspect, None
        if suspect is not None:
            self._give_up(suspect)
            if not self._report.recordings:
                self._report.refused = True
                self._report.error = self._report.error or suspect.message

    def _give_up(self, outcome: Outcome) -> None:
        job = outcome.job
        self._report.fail(job.id, job.audio.key, outcome.message, max(1, self._retries.tries(job)))
        self._plan.done(job)
        self._retries.forget(job)
        self._drop([job.id])
