"""Claims: what each run of the export has taken upon itself, so that no two bring the same recording."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from peewee import Database, SqliteDatabase

from fsivr.store.models import Claim, to_microseconds

_TAKE = """
INSERT INTO claims (recording, target, node, run, until)
SELECT id, {mark}, {mark}, {mark}, {mark} FROM recordings
WHERE id IN ({ids}) AND state IN ('sealed', 'degraded', 'exported')
{lock}
ON CONFLICT (recording, target) DO UPDATE
SET node = excluded.node, run = excluded.run, until = excluded.until
WHERE claims.until < {mark} OR claims.run = excluded.run
RETURNING recording
"""
# What another run has locked is being taken by it this moment. That alone is not enough: what it took after
# this statement began is in none of the rows that this one sees, and so the conflict is looked at again.
_LOCK = "FOR UPDATE SKIP LOCKED"


class Claims:
    """The claims of a store on recordings for one target, as one run makes them.

    A claim ends by itself: a run that died holds nothing for longer than its lease.

    :param database: where they are kept.
    :param target: the name of the target.
    :param node: the machine of the run.
    :param run: the id of the run.
    :param lease: seconds that a claim lasts unless it is renewed.
    """

    def __init__(self, database: Database, target: str, *, node: str, run: str, lease: float) -> None:
        self._database = database
        self._target, self._node, self._run = target, node, run
        self.lease = lease
        self._sqlite = isinstance(database, SqliteDatabase)

    def now(self) -> float:
        """Seconds since 1970 by the clock that all who share the database go by."""
        if self._sqlite:
            return time.time()
        with self._database.connection_context():
            row = self._database.execute_sql("SELECT extract(epoch FROM clock_timestamp())").fetchone()
        return float(row[0])

    def take(self, ids: Sequence[str]) -> set[str]:
        """Those of the recordings that are this run's now; the others are another run's."""
        if not ids:
            return set()
        now, mark = self.now(), self._database.param
        text = _TAKE.format(mark=mark, ids=", ".join([mark] * len(ids)), lock="" if self._sqlite else _LOCK)
        until = to_microseconds(now + self.lease)
        given = [self._target, self._node, self._run, until, *ids, to_microseconds(now)]
        with self._database.connection_context(), self._database.atomic():
            return {row[0] for row in self._database.execute_sql(text, given).fetchall()}

    def renew(self) -> None:
        """Have all that this run holds last for another lease."""
        until = self.now() + self.lease
        self._do(Claim.update(until=until).where((Claim.target == self._target) & (Claim.run == self._run)))

    def drop(self, ids: Iterable[str]) -> None:
        """Let go of some recordings."""
        self._do(
            Claim.delete().where(
                (Claim.target == self._target) & (Claim.run == self._run) & Claim.recording.in_(list(ids))
            )
        )

    def drop_dead(self) -> int:
        """How many claims earlier runs of this node left behind; to be called by who holds the node's lock."""
        mine = (Claim.target == self._target) & (Claim.node == self._node) & (Claim.run != self._run)
        return int(self._do(Claim.delete().where(mine)))

    def drop_all(self) -> None:
        """Let go of all that this run holds."""
        self._do(Claim.delete().where((Claim.target == self._target) & (Claim.run == self._run)))

    def others(self, id: str) -> bool:
        """Whether another run holds a recording."""
        query = Claim.select().where(
            (Claim.target == self._target)
            & (Claim.recording == id)
            & (Claim.run != self._run)
            & (Claim.until >= self.now())
        )
        with self._database.connection_context():
            return bool(query.bind(self._database).exists())

    def _do(self, query: Any) -> Any:
        with self._database.connection_context():
            return query.bind(self._database).execute()
