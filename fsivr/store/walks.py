"""Walks over all recordings of a state or a node, the oldest first, and what a node's take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from peewee import Database, Tuple, Value, fn

from fsivr.store.models import Recording, to_microseconds
from fsivr.store.pages import MOST
from fsivr.store.rows import Row

#: The states of recordings whose sound files are on a disk.
ON_DISK = ("sealed", "degraded", "exported")


class Taken(NamedTuple):
    """How many recordings, their bytes, and when the first of them began; None where there is none."""

    recordings: int
    bytes: int
    first: datetime | None


def walk(
    database: Database,
    *,
    state: str | None = None,
    node: str | None = None,
    since: datetime | None = None,
    before: datetime | None = None,
    page: int = MOST,
) -> Iterator[Recording]:
    """Recordings, the oldest first; a page at a time is in memory, and each is one search in an index.

    What changes while it goes on is seen as it is when its page is read.

    :param state: those of one state; or else
    :param node: those of one node.
    :param since: those that began then or later.
    :param before: those that began earlier.
    """
    if (state is None) == (node is None):
        raise ValueError("either a state or a node")
    same = Recording.state == state if node is None else Recording.node == node
    after: tuple[int, str] = ((to_microseconds(since) or 0) - 1, "\uffff")
    while True:
        query: Any = Recording.select().where(same)
        query = query.where(Tuple(Recording.started, Recording.id) > Tuple(Value(after[0]), Value(after[1])))
        if before is not None:
            query = query.where(Recording.started < before)
        query = query.order_by(Recording.started, Recording.id).limit(page).bind(database)
        with database.connection_context():
            rows = list(query)
        yield from rows
        if len(rows) < page:
            return
        after = (to_microseconds(rows[-1].started) or 0, rows[-1].id)


def known(database: Database, ids: Sequence[str]) -> dict[str, Recording]:
    """The recordings of these ids, up to 500 of them."""
    query: Any = Recording.select().where(Recording.id.in_(list(ids))).bind(database)
    with database.connection_context():
        return {row.id: row for row in query}


def is_up_to_date(row: Row, found: Recording | None) -> bool:
    """Whether what is kept of a recording is what a row of ``recorded`` would have it be."""
    if found is None:
        return False
    kept = tuple(field.db_value(getattr(found, name)) for name, field in Recording._meta.fields.items())
    return kept == row.values(*row.given)


def taken(database: Database, node: str, *, since: datetime | None = None) -> Taken:
    """What the sound files of a node take on its disk.

    :param since: only of those that began then or later, purged ones too: what was recorded.
    """
    query: Any = Recording.select(fn.COUNT(1), fn.SUM(Recording.bytes), fn.MIN(Recording.started))
    query = query.where(Recording.node == node)
    query = query.where(Recording.state.in_(ON_DISK) if since is None else Recording.started >= since)
    with database.connection_context():
        ((count, total, first),) = list(query.tuples().bind(database))
    return Taken(int(count), int(total or 0), first)
