"""CPU time and memory of one worker process under a load that runs on a core of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from load import Counts, Load, Switch

_HERE = Path(__file__).parent
#: What a whole call runs.
VERBS = [b"answer", *[b"playback"] * 3, b"play_and_get_digits", b"say", b"hangup"]
_held: list[Switch] = []


@dataclass(frozen=True)
class Kind:
    """One worker to measure: its name and the script with its options."""

    name: str
    script: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cost:
    """What a call cost a worker, and what went over the wire for it."""

    #: Seconds of CPU, user and system.
    cpu: float
    calls_per_second: float
    events: float
    bytes_to_worker: float
    bytes_from_worker: float
    #: How much of its core the load itself used; near 1 it was the limit.
    load_busy: float


class Cores:
    """One core for the load, another for the worker; where there is one core only, both share it."""

    def __init__(self) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self.load, self.worker = cores[0], cores[-1]
        self.apart = len(cores) > 1


class Generator:
    """The load's process."""

    def __init__(self, core: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=_pin, initargs=(core,))

    def run(self, load: Load) -> Counts:
        """The counts of a load; a call that was not whole is an error."""
        counts = self._pool.submit(_run, load).result()
        if counts.unfinished:
            raise RuntimeError(f"{len(counts.unfinished)} calls were not whole: {counts.unfinished[0]}")
        return counts

    def hang_up(self) -> None:
        """Close the calls that were held."""
        self._pool.submit(_drop_held).result()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


def _pin(core: int) -> None:
    os.sched_setaffinity(0, {core})


def _run(load: Load) -> Counts:
    switch = Switch(load, VERBS)
    counts = switch.run()
    if load.hold:
        _held.append(switch)
    return counts


def _drop_held() -> None:
    for switch in _held:
        for call in switch.calls.values():
            call.sock.close()
    _held.clear()


class Worker:
    """A worker process, pinned to its core, that takes calls when the block is entered."""

    def __init__(self, kind: Kind, core: int) -> None:
        self.kind = kind
        self.port = _free_port()
        command = [sys.executable, str(_HERE / kind.script), *kind.options, "--port", str(self.port)]
        # The fsivr of this tree, wherever it is installed from.
        self.process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(_HERE.parent.parent)})
        os.sched_setaffinity(self.process.pid, {core})

    def __enter__(self) -> Self:
        deadline = time.monotonic() + 20
        while not _listens(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise RuntimeError(f"{self.kind.name} does not listen")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()

    def cpu(self) -> float:
        """Seconds of CPU that the process has used, once what it had left to do is done."""
        before, now = -1.0, _cpu_clock(self.process.pid)
        deadline = time.monotonic() + 3
        while now - before > 0.001 and time.monotonic() < deadline:
            time.sleep(0.3)
            before, now = now, _cpu_clock(self.process.pid)
        return now

    def memory(self) -> int:
        """Bytes the process holds by itself (its proportional set), after a garbage collection."""
        self.process.send_signal(signal.SIGUSR1)
        self.cpu()
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024


def _cpu_clock(process_id: int) -> float:
    # The clock of another process's CPU time: clock_getcpuclockid(3) on Linux.
    return time.clock_gettime((~process_id << 3) | 2)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    # Looked up, not tried: a connection would be a call.
    wanted = f"0100007F:{port:04X}"
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(row.split()[1] == wanted and row.split()[3] == "0A" for row in rows)


def cost(
    worker: Worker, generator: Generator, *, calls: int, concurrent: int, pace: float, warm_up: int
) -> tuple[Cost, list[str]]:
    """What a call costs this worker, and the commands that it sent in its first call."""
    first = generator.run(Load(worker.port, warm_up, concurrent, pace, split=pace > 0)).first_call
    before = worker.cpu()
    counts = generator.run(Load(worker.port, calls, concurrent, pace, split=pace > 0))
    used = worker.cpu() - before
    return Cost(
        cpu=used / calls,
        calls_per_second=calls / counts.seconds,
        events=counts.events / calls,
        bytes_to_worker=counts.bytes_out / calls,
        bytes_from_worker=counts.bytes_in / calls,
        load_busy=counts.busy,
    ), first


def memory_of_a_call(worker: Worker, generator: Generator, *, held: int, concurrent: int) -> float:
    """Bytes that a call in the middle of a long playback holds in this worker.

    The calls are still up afterwards: ``Generator.hang_up`` closes them.
    """
    generator.run(Load(worker.port, 2 * concurrent, concurrent))
    before = worker.memory()
    generator.run(Load(worker.port, held, concurrent, hold=True))
    return (worker.memory() - before) / held
