"""Ports that several processes share: one limit, also when a process ends without a word."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fsivr.server.ports import SharedPorts

_OTHER = """
import sys
from fsivr.server.ports import SharedPorts
ports = SharedPorts(int(sys.argv[2]), int(sys.argv[1]), first=int(sys.argv[3]))
taken = []
for line in sys.stdin:
    many = int(line)
    taken += [port for port in (ports.take() for _ in range(many)) if port is not None]
    while many < 0:
        taken.pop(0).release()
        many += 1
    print(len(taken), flush=True)
"""


class Other:
    """Another process with the same ports."""

    def __init__(self, file: int, limit: int, first: int) -> None:
        command = [sys.executable, "-c", _OTHER, str(file), str(limit), str(first)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=(file,)
        )

    def takes(self, many: int) -> int:
        """How many it has, once it has tried to take so many more, or given back so many less."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{many}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def dies(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def file() -> Iterator[int]:
    file = os.memfd_create("ports")
    yield file
    os.close(file)


def test_the_limit_is_of_all_and_what_a_dead_process_had_is_free(file: int) -> None:
    ports, other = SharedPorts(10, file), Other(file, 10, 5)
    try:
        assert other.takes(7) == 7
        mine = [ports.take() for _ in range(3)]
        assert all(mine)
        assert ports.take() is None
        assert other.takes(1) == 7
        assert (ports.in_use, ports.peak, ports.limit) == (3, 3, 10)
        assert other.takes(-2) == 5  # the first two that it took: they lie between others of its own
        assert all([ports.take(), ports.take()])
        assert ports.take() is None
    finally:
        other.dies()
    assert sum(ports.take() is not None for _ in range(10)) == 5


def test_what_is_given_back_is_free_for_all_once(file: int) -> None:
    ports, other = SharedPorts(2, file, first=7), Other(file, 2, 0)
    try:
        first, second = ports.take(), ports.take()
        assert first is not None
        assert second is not None
        first.release()
        first.release()
        assert ports.in_use == 1
        assert not ports.idle.is_set()
        assert other.takes(2) == 1
        # It is remembered as most likely free, and is not any more.
        assert ports.take() is None
        second.release()
        assert ports.idle.is_set()
        assert ports.take() is not None
    finally:
        other.dies()
