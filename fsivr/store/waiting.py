"""What waits to be exported, the oldest first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from peewee import Database, Tuple, Value

from fsivr.store.models import Export, Recording, to_microseconds

_PAGE = 500


class Waiting(NamedTuple):
    """A recording that may have to be brought somewhere, as its row tells it."""

    id: str
    node: str
    handler: str
    state: str
    bytes: int
    #: The targets that it is proved to be at.
    arrived: frozenset[str]


def waiting(
    database: Database,
    *,
    states: Sequence[str] = ("sealed", "degraded"),
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[Waiting]:
    """The recordings of these states, page by page, so that no number of them takes much memory.

    :param since: the first start that counts; ``until`` is the first that does not.
    """
    after: tuple[int, str] = (to_microseconds(since) or -1, "")
    columns = (
        Recording.id, Recording.node, Recording.handler, Recording.state,
        Recording.bytes, Recording.arrivals, Recording.started,
    )  # fmt: skip
    while True:
        query: Any = Recording.select(*columns).where(Recording.state.in_(list(states)))
        query = query.where(Tuple(Recording.started, Recording.id) > Tuple(Value(after[0]), Value(after[1])))
        if until is not None:
            query = query.where(Recording.started < until)
        query = query.order_by(Recording.started, Recording.id).limit(_PAGE).tuples().bind(database)
        with database.connection_context():
            rows = list(query)
        for id, node, handler, state, size, arrivals, _ in rows:
            yield Waiting(id, node, handler, state, int(size or 0), _targets(arrivals))
        if len(rows) < _PAGE:
            return
        after = (to_microseconds(rows[-1][6]) or 0, rows[-1][0])


def running(database: Database, target: str, node: str) -> list[Export]:
    """The runs of a node to a target that say of themselves that they go on."""
    query = Export.select().where((Export.target == target) & (Export.node == node) & (Export.state == "running"))
    with database.connection_context():
        return list(query.bind(database))


def arrived(recording: Recording, target: str) -> bool:
    """Whether the row of a recording tells that it is at a target."""
    return target in _targets(recording.arrivals)


def _targets(text: str) -> frozenset[str]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return frozenset()  # the sidecar is asked before anything is brought
    return frozenset(found) if isinstance(found, dict) else frozenset()
