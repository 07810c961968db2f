"""A process that exports an archive to one target: ``python -m tests.exporter.exporting``, with a task as JSON.

It is to be killed; with all the workers that it has. Nothing here is synced: a process that is killed
loses nothing of what the kernel has.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from fsivr.exporter.retry import Patience
from fsivr.exporter.run import Order, Run
from fsivr.exporter.targets import Recipe
from tests.exporter.killing import archive_of

ROOT = Path(__file__).parent.parent.parent
NAME = "archive"


def begun(folder: Path, kind: str, arguments: dict[str, Any]) -> subprocess.Popen[bytes]:
    """A process that exports what waits in a folder; it ends with 0 where all is there."""
    task = json.dumps({"folder": str(folder), "kind": kind, "arguments": arguments})
    command = [sys.executable, "-m", "tests.exporter.exporting", task]
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True)


def kill(process: subprocess.Popen[bytes]) -> bool:
    """Whether it was killed, with its workers, before it had ended."""
    with contextlib.suppress(ProcessLookupError):  # it has ended, and that was seen
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def has_begun(folder: Path, process: subprocess.Popen[bytes]) -> bool:
    """Whether its run holds the lock, so that it works; one that was killed has left its number there."""
    locks = (folder / "recordings/spool/.exports").glob("*/lock")
    return any(lock.read_bytes().startswith(b"process %d " % process.pid) for lock in locks)


def wait_for_work(folder: Path, process: subprocess.Popen[bytes], limit: float = 30.0) -> None:
    """Wait until a process has begun to bring, or has ended."""
    until = time.monotonic() + limit
    while not has_begun(folder, process) and process.poll() is None:
        assert time.monotonic() < until, "it does not begin"
        time.sleep(0.01)


def wait_for_arrival(folder: Path, process: subprocess.Popen[bytes], limit: float = 60.0) -> None:
    """Wait until one more recording is told to have arrived, or the process has ended."""
    until, before = time.monotonic() + limit, _told(folder)
    while _told(folder) <= before and process.poll() is None:
        assert time.monotonic() < until, "nothing arrives"
        time.sleep(0.01)


def _told(folder: Path) -> int:
    ledgers = (folder / "recordings/spool/.exports").glob("*/ledger")
    return sum(ledger.read_bytes().count(b'{"id":') for ledger in ledgers)


def main() -> None:
    """Export as the task says."""
    task = json.loads(sys.argv[1])
    os.fsync = lambda file: None
    folder = Path(task["folder"])
    recipe = Recipe(NAME, task["kind"], task["arguments"])
    patience = Patience(tries=20, first=0.05, longest=0.5)
    order = Order(targets=frozenset({NAME}), concurrency=4, patience=patience)
    report = Run(NAME, recipe, archive=archive_of(folder), order=order).run()
    if report.state != "done":
        print(report.document())  # for whoever looks at a test that failed
    sys.exit(0 if report.state == "done" else 1)


if __name__ == "__main__":
    main()
