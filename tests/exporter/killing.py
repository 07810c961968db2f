"""A program that exports again and again, each time in a process of its own that is killed at some moment.

    python -m tests.exporter.killing FOLDER random COUNT SEED    kills COUNT processes, each at a random moment
    python -m tests.exporter.killing FOLDER steps                kills one before, and one after, each step to the disk

It prints how many were killed. The last run is left to end. Nothing is synced: a process that is
killed loses nothing of what the kernel has.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fsivr.exporter.crew import Count
from fsivr.exporter.folder import FolderTarget
from fsivr.exporter.run import Order, Run
from fsivr.recordings import Archive
from fsivr.store import Store

#: What a process does to a disk; each call is a moment to be killed at.
STEPS = ("write", "pwrite", "rename", "replace", "unlink", "ftruncate", "mkdir", "fsync")


def archive_of(folder: Path) -> Archive:
    """The archive of the test."""
    store = Store(f"sqlite:///{folder}/fsivr.db")
    store.migrate()
    return Archive(folder / "recordings", store, node="ivr-1", retention={"default": 365})


def run_of(folder: Path, *, concurrency: int = 4) -> Run:
    """A run to the folder ``there``."""
    make = lambda: FolderTarget("archive", path=str(folder / "there"))  # noqa: E731
    order = Order(targets=frozenset({"archive"}), concurrency=concurrency)
    return Run("archive", make, archive=archive_of(folder), order=order)


def child(folder: Path, before: Callable[[], None], **options: Any) -> int:
    """The number of a process that exports, and ends with 0 if all is there."""
    number = os.fork()
    if number:
        return number
    code = 1
    try:
        before()
        code = 0 if run_of(folder, **options).run().state == "done" else 1
    finally:
        os._exit(code)


def killed_at_random(folder: Path, count: int, chance: random.Random) -> int:
    """How many were killed before they had ended."""
    killed = 0
    for _ in range(count):
        number = child(folder, lambda: None)
        time.sleep(chance.uniform(0.01, 0.12))
        os.kill(number, signal.SIGKILL)
        killed += os.WIFSIGNALED(os.waitpid(number, 0)[1])
    return killed


def killed_at_each_step(folder: Path, add: Callable[[int], None]) -> int:
    """How many were killed: one at each step, each with some recordings to bring, until one has no more steps."""
    for step in range(100_000):
        add(step)
        number = child(folder, lambda: die_at(step), concurrency=1)  # noqa: B023
        status = os.waitpid(number, 0)[1]
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, f"step {step} ended with {status}"
            return step
        mended = os.waitpid(child(folder, lambda: None), 0)[1]
        assert mended == 0, f"after step {step}: {mended}"
    raise AssertionError("there is no end of steps")


def die_at(step: int) -> None:
    """Have this process die at a step: before it where the number is even, else after it."""
    count = Count()

    def dying(real: Any) -> Any:
        def called(*given: Any, **named: Any) -> Any:
            count(1)
            last = count.value > step // 2
            if last and step % 2 == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*given, **named)
            if last:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return called

    for name in STEPS:
        setattr(os, name, dying(getattr(os, name)))


def main() -> None:
    """Kill as the arguments say."""
    folder = Path(sys.argv[1])
    os.fsync = lambda file: None
    if sys.argv[2] == "random":
        killed = killed_at_random(folder, int(sys.argv[3]), random.Random(int(sys.argv[4])))
    else:
        from tests.exporter.kept import keep

        def add(step: int) -> None:
            archive = archive_of(folder)
            keep(archive.folders, archive.store, 2, first=2 * step)
            archive.store.close()

        killed = killed_at_each_step(folder, add)
    status = os.waitpid(child(folder, lambda: None), 0)[1]
    assert status == 0, status
    print(killed)


if __name__ == "__main__":
    main()
