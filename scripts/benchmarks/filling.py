"""A database with years of calls: values spread as they are on a busy installation."""

from __future__ import annotations

import json
import random
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from fsivr.store import Store
from fsivr.store.rows import Statement

#: Microseconds since 1970: the first call, 2024-01-01.
BEGIN = 1_704_067_200_000_000
_SECOND = 1_000_000

HANDLERS = [f"apps.{name}" for name in ("Balance", "Attendant", "Survey", "Voicemail", "Meeting", "Callback", "Rare")]
DIALLED = [str(number) for number in range(4100, 4140)]
CAUSES = ["NORMAL_CLEARING", "ORIGINATOR_CANCEL", "NO_ANSWER", "USER_BUSY", "DESTINATION_OUT_OF_ORDER", "MEDIA_TIMEOUT"]
STATES = ["purged", "exported", "sealed", "degraded", "failed", "recording"]
ACTIONS = ["recording.listen", "recording.export", "recording.purge", "call.originate", "recording.hold"]
#: Callers who hide their number are one caller with many calls.
HIDDEN = "anonymous"
#: Holds, of a number and of all recordings; calls that are live.
HELD, LIVE = 50, 120
_BYTES = 1_920_044
#: What all recordings have.
_ALIKE = {
    "leg": "both",
    "seconds": 60.0,
    "channels": 2,
    "codec": "L16",
    "rate": 8000,
    "completion": "hangup",
    "hangup_cause": "NORMAL_CLEARING",
    "consent": "told",
    "mask_spans": "[]",
    "node": "ivr-1",
    "retention": "default",
}


class Sizes(NamedTuple):
    """How many rows there are of each."""

    calls: int
    recordings: int
    exports: int
    audit: int


class _Chance:
    """Values of a list, each some part as often as the one before, but none less than once in some thousand."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one(self, values: Sequence[str], steep: float = 0.4) -> str:
        """A value; ``steep`` is how often each comes by the one before."""
        weights = list(accumulate(steep**place + 0.0005 for place in range(len(values))))
        return self.random.choices(values, cum_weights=weights)[0]


def fill(folder: Path, sizes: Sizes) -> Store:
    """A migrated SQLite store with so many rows; the same ones each time."""
    path = folder / "bench.db"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    # Straight to the file: rows one by one through the journal would take ten times as long.
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("PRAGMA synchronous = 0")
        database.execute("PRAGMA cache_size = -262144")
        database.execute("BEGIN")
        for table, rows in (
            ("calls", _calls(sizes)),
            ("recordings", _recordings(sizes)),
            ("exports", _exports(sizes)),
            ("audit", _audit(sizes)),
        ):
            _insert(database, table, rows)
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return store


def _insert(database: sqlite3.Connection, table: str, rows: Iterator[dict[str, Any]]) -> None:
    first = next(rows)
    statement = Statement(table, list(first), update=False).text("?")
    database.execute(statement, tuple(first.values()))
    database.executemany(statement, (tuple(row.values()) for row in rows))


def uuid_of(number: int) -> str:
    """The uuid of a call by its number."""
    return str(uuid.UUID(int=(number * 0x9E3779B97F4A7C15) % 2**128 | 1 << 127))


def _calls(sizes: Sizes) -> Iterator[dict[str, Any]]:
    chance = _Chance(1)
    timeline = json.dumps([["play", 0.1, 2.5], ["ask", 2.6, 4.1], ["say", 6.7, 1.2]])
    for number in range(sizes.calls):
        started = _started(number, sizes.calls)
        hidden = chance.random.random() < 0.05
        caller = HIDDEN if hidden else f"0{30_000_000 + int(chance.random.paretovariate(0.7)) % 400_000}"
        live = number >= sizes.calls - LIVE
        yield {
            "uuid": uuid_of(number),
            "handler": chance.one(HANDLERS),
            "caller": caller,
            "dialled": chance.one(DIALLED, 0.8),
            "context": "public",
            "direction": "inbound",
            "started": started,
            "answered": started + _SECOND,
            "ended": None if live else started + chance.random.randrange(5, 600) * _SECOND,
            "hangup_cause": "" if live else chance.one(CAUSES, 0.2),
            "node": "ivr-1",
            "worker": "127.0.0.1:8084",
            "error": "",
            "timeline": timeline,
        }


def _recordings(sizes: Sizes) -> Iterator[dict[str, Any]]:
    chance = _Chance(2)
    for number in range(sizes.recordings):
        started = _started(number, sizes.recordings)
        call = number * max(1, sizes.calls // max(1, sizes.recordings))
        held = number % max(1, sizes.recordings // HELD) == 0
        yield {
            "id": f"{started:017}-{number:012x}",
            "call": uuid_of(call),
            "handler": chance.one(HANDLERS),
            "caller": f"0{30_000_000 + number % 400_000}",
            "dialled": chance.one(DIALLED, 0.8),
            "path": f"2024/01/01/{number}.wav",
            "state": chance.one(STATES, 0.3),
            "started": started,
            "stopped": started + 60 * _SECOND,
            "bytes": _BYTES,
            "sha256": f"{number:064x}",
            "hold_reason": "a complaint" if held else None,
            "hold_by": "legal" if held else None,
            "held": started if held else None,
            **_ALIKE,
        }


def _exports(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for number in range(sizes.exports):
        started = _started(number, sizes.exports)
        yield {
            "id": f"{started:017}-{number:06}",
            "started": started,
            "ended": started + 3600 * _SECOND,
            "state": "failed" if number % 50 == 0 else "done",
            "target": "archive",
            "recordings": 500,
            "bytes": 500 * _BYTES,
            "failed": 0,
            "error": "",
            "node": "ivr-1",
            "report": "",
        }


def _audit(sizes: Sizes) -> Iterator[dict[str, Any]]:
    chance = _Chance(4)
    for number in range(sizes.audit):
        yield {
            "id": f"{number:032x}",
            "at": _started(number, sizes.audit),
            "who": chance.one(["exporter", "purge", "console", "legal"], 0.3),
            "action": chance.one(ACTIONS, 0.3),
            "subject": f"recording-{number % max(1, sizes.recordings)}",
            "detail": "{}",
        }


def _started(number: int, of: int) -> int:
    """Evenly over two years."""
    return BEGIN + number * (730 * 86_400 * _SECOND // max(1, of))
