"""Report: what a run did, why what is missing is missing, and what remains."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

#: How many failures are told one by one.
MOST_FAILURES = 100
#: In words, how arrivals are proved, by what targets call it.
PROOFS = {
    "read": "read back",
    "content": "read back",
    "checksum": "by the SHA-256 that the service keeps, or read back",
    "size": "by size alone",
}
_MOST_TEXT = 500


@dataclasses.dataclass
class Report:
    """What a run did so far; sizes in bytes, times in seconds and UTC."""

    run: str
    target: str
    node: str
    started: datetime
    ended: datetime | None = None
    #: ``running``, ``done``, ``partial``, ``failed`` or ``interrupted``.
    state: str = "running"
    #: What there was to bring.
    planned: int = 0
    planned_bytes: int = 0
    #: What is proved to be there through this run.
    recordings: int = 0
    bytes: int = 0
    #: How many of these were there already, from a run that was interrupted.
    found: int = 0
    #: How many could not be brought.
    failed: int = 0
    failures: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    #: How many half-brought files were removed.
    swept: int = 0
    #: What the run itself ended for, with what to do; "" for nothing.
    error: str = ""
    #: Whether the target refused, so that nothing will arrive until somebody mends it.
    refused: bool = False
    #: What is odd and did not stop the run.
    warnings: list[str] = dataclasses.field(default_factory=list)
    #: How arrivals are proved.
    proof: str = "read back"
    #: The key of the manifest; "" where there is none.
    manifest: str = ""

    def fail(self, id: str, key: str, message: str, tries: int) -> None:
        """Count a recording that could not be brought."""
        self.failed += 1
        if len(self.failures) < MOST_FAILURES:
            self.failures.append({"id": id, "key": key, "reason": message[:_MOST_TEXT], "tries": tries})

    def leave(self, sizes: Iterable[int]) -> None:
        """Take recordings of these bytes out of what there was to bring: they are not this run's to bring."""
        for size in sizes:
            self.planned -= 1
            self.planned_bytes -= size

    def warn(self, message: str) -> None:
        """Tell of something odd, once."""
        if message not in self.warnings and len(self.warnings) < MOST_FAILURES:
            self.warnings.append(message[:_MOST_TEXT])

    @property
    def complete(self) -> bool:
        """Whether all that was to be brought is there."""
        return not (self.failed or self.remaining or self.error)

    @property
    def outcome(self) -> str:
        """The state of it, now that it is over: ``done``, ``partial`` where some is missing, or ``failed``."""
        if self.complete:
            return "done"
        return "failed" if self.refused or not self.recordings else "partial"

    @property
    def remaining(self) -> int:
        """How many recordings were to be brought and are not there."""
        return max(0, self.planned - self.recordings)

    @property
    def remaining_bytes(self) -> int:
        """Their bytes."""
        return max(0, self.planned_bytes - self.bytes) if self.remaining else 0

    def seconds(self, now: datetime | None = None) -> float:
        """How long the run took, or has taken until now."""
        return max(0.0, ((self.ended or now or datetime.now(UTC)) - self.started).total_seconds())

    def rate(self, now: datetime | None = None) -> float:
        """Bytes a second that arrived."""
        seconds = self.seconds(now)
        return self.bytes / seconds if seconds > 0 else 0.0

    def remains_until(self, now: datetime | None = None) -> datetime | None:
        """When what remains would be there at this rate, were it begun now; None where nothing arrived."""
        rate = self.rate(now)
        if not self.remaining or rate <= 0:
            return None
        wait = self.remaining_bytes / rate
        at = now or datetime.now(UTC)
        return at + timedelta(seconds=wait) if math.isfinite(wait) and wait < 1e8 else None

    def document(self) -> dict[str, Any]:
        """It as JSON says it."""
        told = dataclasses.asdict(self)
        until = self.remains_until(self.ended)
        told |= {
            "started": written(self.started),
            "ended": None if self.ended is None else written(self.ended),
            "seconds": round(self.seconds(), 3),
            "rate": round(self.rate(), 1),
            "remaining": self.remaining,
            "remaining_bytes": self.remaining_bytes,
            "remains_until": None if until is None else written(until),
        }
        return told

    def columns(self) -> dict[str, Any]:
        """It as the columns of the database's row."""
        same = ("target", "node", "started", "ended", "state", "recordings", "bytes", "failed", "error")
        return {"id": self.run, **{name: getattr(self, name) for name in same}, "report": self.document()}


def written(at: datetime) -> str:
    """A time as ISO text in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
