"""Dead workers: what is written of their calls, which they cannot write themselves any more."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

from fsivr.store import Journal, Store, is_gone
from fsivr.store.rows import calls_lost
from fsivr.store.workers import worker_lost

#: The command of a worker, by which a process of a number is known for one.
COMMAND = "serve-worker"


class Deaths(NamedTuple):
    """Writes the ends of the workers of one address.

    :param journal: writes the rows, as soon as the database is there.
    :param node: this machine's name.
    :param listen: the address, which their names begin with.
    """

    journal: Journal
    node: str
    listen: str

    def of(self, worker: str) -> None:
        """End what is known of a worker's calls, and the worker.

        :param worker: its name in the log.
        """
        self._end(f"{self.listen}/{worker}")

    def earlier(self) -> None:
        """End what is known of calls that processes before this one left, unless those run still.

        Waits for the database; one that is away leaves it to the next start.
        """
        store = Store(self.journal.address, connections=1)
        try:
            for name in store.holding(self.node, self.listen):
                if not _is_alive(name):
                    self._end(name)
        except Exception as error:
            if not is_gone(error):
                raise
        finally:
            store.close()

    def _end(self, name: str) -> None:
        now = time.time()
        self.journal.put(calls_lost(self.node, name, now))
        self.journal.put(worker_lost(self.node, name, now))


def _is_alive(name: str) -> bool:
    """Whether a worker of this name runs: a process of that number does, and is one."""
    pid = name.rpartition("-")[2]
    if "/" not in name or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
        return COMMAND.encode() in (Path("/proc") / pid / "cmdline").read_bytes().split(b"\0")
    except (OSError, OverflowError):
        return False
