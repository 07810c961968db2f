"""Recordings of the tests' own: sealed files, their sidecars and rows, made quickly."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fsivr.recordings import Folders, Sidecar
from fsivr.store import Store

_SPREAD = 0x9E3779B97F4B
START = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def wav(number: int, size: int = 1000) -> bytes:
    """A WAV file of so many bytes of sound, another for each number."""
    sound = random.Random(number).randbytes(size)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + size) + b"WAVE" + form + b"data" + struct.pack("<I", size) + sound


def keep(
    folders: Folders,
    store: Store,
    count: int,
    *,
    size: int = 1000,
    first: int = 0,
    spread: bool = False,
    **told: object,
) -> list[Sidecar]:
    """So many sealed recordings, one begun each second.

    :param spread: whether their ids end differently, as those of real recordings do.
    """
    made = []
    for number in range(first, first + count):
        at = START + timedelta(seconds=number)
        id = f"{at:%Y%m%dT%H%M%S}.000Z-{(number * _SPREAD % 2**48) if spread else number:012x}"
        content = wav(number, size)
        path = folders.place(id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        columns = {
            "call": f"call-{number}",
            "handler": "apps.survey.Survey",
            "node": "ivr-1",
            "state": "sealed",
            **told,
        }
        sidecar = Sidecar(
            id=id,
            started=at,
            stopped=at + timedelta(seconds=1),
            duration=size / 16000,
            channels=1,
            rate=8000,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            **columns,  # type: ignore[arg-type]
        )
        folders.sidecar_of(id).write_bytes(sidecar.encode())
        made.append(sidecar)
    store.write([sidecar.row() for sidecar in made])
    return made


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path from there; looked at once more where one goes meanwhile."""
    while True:
        try:
            return _files_below(folder)
        except FileNotFoundError:
            assert folder.exists()


def _files_below(folder: Path) -> dict[str, bytes]:
    found = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = Path(base) / name
            with contextlib.suppress(FileNotFoundError):  # it was renamed meanwhile
                found[str(path.relative_to(folder))] = path.read_bytes()
    return found
