"""The same recordings brought by fsivr and by rclone, each in a process of its own, measured from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from places import Place

from fsivr.recordings import Archive
from fsivr.store import Store
from tests.exporter.kept import keep

_NODE = "ivr-1"
_TARGET = "bench"
_LIMIT = 1800


class Took(NamedTuple):
    """What a program took: seconds, and seconds of CPU of it and of all that it started."""

    seconds: float
    cpu: float


class Measured(NamedTuple):
    """The rounds of one place."""

    place: str
    rclone_proof: str
    fsivr: list[Took]
    rclone: list[Took]

    def seconds(self, program: str) -> float:
        """The median of a program's seconds."""
        return median(took.seconds for took in getattr(self, program))

    def cpu(self, program: str) -> float:
        """The median of a program's seconds of CPU."""
        return median(took.cpu for took in getattr(self, program))


class Recordings:
    """Sealed recordings in a folder, which are brought over and over.

    :param size: bytes of sound of each.
    """

    def __init__(self, folder: Path, count: int, size: int) -> None:
        self._folder, self._count = folder, count
        self._database = f"sqlite:///{folder}/fsivr.db"
        store = Store(self._database)
        store.migrate()
        archive = Archive(folder / "recordings", store, node=_NODE, retention={"default": 1})
        for first in range(0, count, 100):
            keep(archive.folders, store, min(100, count - first), size=size, first=first, spread=True)
        store.close()
        self._rounds = 0

    def measure(self, place: Place, *, concurrency: int, rounds: int) -> Measured:
        """Bring them by both programs in turn, so that what else the machine does meets both."""
        measured = Measured(place.name, place.rclone_proof, [], [])
        for _ in range(rounds):
            self._rounds += 1
            measured.rclone.append(self._by_rclone(place, concurrency))
            measured.fsivr.append(self._by_fsivr(place, concurrency))
            place.clear()
        return measured

    def _by_fsivr(self, place: Place, concurrency: int) -> Took:
        # A target of another name each time: none of them has arrived there. The one that is never brought to
        # keeps them from being exported.
        name = f"{_TARGET}-{self._rounds}"
        targets = {name: place.target(f"fsivr-{self._rounds}"), "other": {"kind": "folder", "path": "/nowhere"}}
        settings = {
            "FSIVR_RECORDINGS_PATH": str(self._folder / "recordings"),
            "FSIVR_DATABASE": self._database,
            "FSIVR_NODE": _NODE,
            "FSIVR_EXPORT_CONCURRENCY": str(concurrency),
            "FSIVR_TARGETS": json.dumps(targets),
        }
        took, told = run([sys.executable, "-m", "fsivr", "export", name, "--json"], settings, self._folder)
        report = json.loads(told)[0]
        if report["recordings"] != self._count:
            raise SystemExit(f"fsivr brought {report['recordings']} of {self._count}: {told}")
        return took

    def _by_rclone(self, place: Place, concurrency: int) -> Took:
        there, variables = place.remote(f"rclone-{self._rounds}")
        program = Path(sys.executable).parent / "rclone"
        command = [str(program), "copy", "--checksum", f"--transfers={concurrency}", f"--checkers={concurrency}"]
        source = str(self._folder / "recordings")
        took, _ = run([*command, "--exclude", "spool/**", source, there], variables, self._folder)
        lines = run([str(program), "lsf", "-R", "--files-only", there], variables, self._folder)[1].splitlines()
        if len(lines) != 2 * self._count:
            raise SystemExit(f"rclone brought {len(lines)} of {2 * self._count} files")
        return took


def run(command: list[str], variables: dict[str, str], folder: Path) -> tuple[Took, str]:
    """What a program took, and what it printed; it ends this one where it fails."""
    environment = {**os.environ, "RCLONE_CONFIG": "/dev/null", **variables}
    before, began = os.times(), time.monotonic()
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=_LIMIT, check=False
    )
    seconds, after = time.monotonic() - began, os.times()
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]} {done.stdout[-2000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Took(seconds, cpu), done.stdout
