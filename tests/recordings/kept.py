"""Recordings to be kept in tests: a sound file, its sidecar and its row."""

from __future__ import annotations

import hashlib
import json
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fsivr.recordings import Archive, Exported, Sidecar
from fsivr.store import Store

#: When recording number 0 began.
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def id_of(number: int) -> str:
    """The id of a recording, each a minute after the one before."""
    return f"{START + timedelta(minutes=number):%Y%m%dT%H%M%S}.000Z-{number:012x}"


def sound(path: Path, number: int, *, channels: int = 1, rate: int = 8000) -> bytes:
    """What a WAV file of some samples holds, once it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as writing:
        writing.setnchannels(channels)
        writing.setsampwidth(2)
        writing.setframerate(rate)
        writing.writeframes(bytes((number + each) % 256 for each in range(1000 * channels * 2)))
    return path.read_bytes()


def keep(archive: Archive, number: int = 0, *, row: bool = True, **columns: Any) -> Sidecar:
    """A sealed recording; it is on disk, and has a row."""
    id = id_of(number)
    data = sound(archive.folders.place(id), number)
    told: dict[str, Any] = {
        "id": id,
        "call": f"call-{number}",
        "leg": f"leg-{number}",
        "handler": "apps.Balance",
        "caller": "0123",
        "dialled": "4100",
        "started": START + timedelta(minutes=number),
        "duration": 0.125,
        "channels": 1,
        "rate": 8000,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "state": "sealed",
        "node": archive.node,
    }
    sidecar = Sidecar(**told | columns)
    sidecar.save(archive.folders.sidecar_of(id))
    if row:
        archive.store.write([sidecar.row()])
    return sidecar


def keep_exported(archive: Archive, number: int = 0, **columns: Any) -> Sidecar:
    """A sealed recording whose export is proved."""
    exported = Exported(START + timedelta(days=1), "export-1")
    return keep(archive, number, **{"state": "exported", "exported": exported, **columns})


def audit(store: Store, **asked: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """Who did what, and its detail, the oldest first."""
    rows = store.audit(**asked).items
    return [(row.who, row.action, json.loads(row.detail)) for row in reversed(rows)]
