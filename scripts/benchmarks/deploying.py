"""The service with its workers, and the switch's side of calls that go on while workers die and are replaced."""

from __future__ import annotations

import os
import random
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from load import Call, Load, Switch

LINES = """
from fsivr import Dialplan, Extension, Handler


class Patient(Handler):
    def run(self, call):
        call.answer()
        for prompt in "abc":
            call.play(prompt)


dialplan = Dialplan([Extension(".*", Patient)])
"""
VERBS = [b"answer", *[b"playback"] * 3, b"hangup"]
_CAUSE = re.compile(rb"hangup-cause: (\w+)|uuid_kill \S+ (\w+)")
_INTERRUPTED = "SELECT count(*) FROM calls WHERE error = 'the server ended before the call did'"
_UP = "SELECT count(*) FROM calls WHERE ended IS NULL"


class Service:
    """``fsivr serve --workers``, in a folder of its own."""

    def __init__(self, folder: Path, *, workers: int, ports: int) -> None:
        (folder / "lines.py").write_text(LINES)
        self._database = folder / "kept.db"
        own = {
            "FSIVR_DATABASE": f"sqlite:///{self._database}",
            "FSIVR_RECORDINGS_PATH": str(folder / "recordings"),
            "FSIVR_API_LISTEN": "",
            "FSIVR_PORTS": str(ports),
            "FSIVR_LOG_LEVEL": "warning",
        }
        command = [sys.executable, "-m", "fsivr", "serve", "--workers", str(workers), "--listen", "127.0.0.1:0"]
        self.log = (folder / "log").open("w+")
        self._process = subprocess.Popen(
            [*command, "--dialplan", "lines:dialplan"],
            cwd=folder,
            env={**os.environ, **own},
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        found = re.search(r"listens on \S+?:(\d+)", first)
        if found is None:
            self.log.seek(0)
            raise SystemExit(f"the service did not start: {first}{self.log.read()}")
        self.port = int(found[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
        self.log.close()

    @property
    def pid(self) -> int:
        """The supervisor."""
        return self._process.pid

    def signal(self, number: int) -> None:
        """Send the supervisor a signal."""
        self._process.send_signal(number)

    def ends(self, seconds: float) -> int:
        """Its exit code, within so many seconds."""
        return self._process.wait(seconds)

    def workers(self) -> list[int]:
        """The processes that take calls, or let their last ones end."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(pid) for pid in children]

    def memory(self, pid: int) -> float:
        """What a process has of its own and shares in proportion, in MB; 0 where it has ended."""
        try:
            told = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            return 0.0
        found = re.search(r"^Pss:\s+(\d+)", told, re.MULTILINE)
        return int(found[1]) / 1024 if found else 0.0

    def rows(self) -> tuple[int, int]:
        """How many calls are kept as interrupted, and how many as up."""
        with sqlite3.connect(self._database, timeout=30) as database:
            return tuple(database.execute(text).fetchone()[0] for text in (_INTERRUPTED, _UP))  # type: ignore[return-value]


class Steady(Switch):
    """Keeps calls up for a time, and counts how each ended.

    :param every: what is done, and each how many seconds.
    """

    def __init__(self, load: Load, every: dict[Callable[[], None], float]) -> None:
        super().__init__(load, VERBS)
        self.ended: Counter[str] = Counter()
        self._causes: dict[int, str] = {}
        self._heard: set[int] = set()
        self._due = {what: time.monotonic() + seconds for what, seconds in every.items()}
        self._every = every
        self._open_until, self._opened_at = 0.0, 0.0
        # Spread over the time that a call takes, so that they do not all begin and end together.
        self._gap = 3 * load.pace / load.concurrent if load.pace else 0.0

    def keep_up(self, seconds: float, patience: float = 60.0) -> None:
        """Keep calls up for so many seconds, then let them end."""
        self._open_until = time.monotonic() + seconds
        while time.monotonic() < self._open_until + patience:
            opening = time.monotonic() < self._open_until
            if opening:
                self._open_calls()
            elif not self.calls:
                return
            for fd, flags in self._epoll.poll(min(0.02, self._patience())):
                if fd in self.calls:
                    self._serve(self.calls[fd], flags)
            self._send_due()
            for what, due in self._due.items():
                if opening and time.monotonic() >= due:
                    self._due[what] += self._every[what]
                    what()
        self.ended["without an end"] += len(self.calls)

    def _open_calls(self) -> None:
        if time.monotonic() >= self._opened_at + self._gap and len(self.calls) < self.load.concurrent:
            before = self.load.concurrent
            object.__setattr__(self.load, "concurrent", min(before, len(self.calls) + 1))
            try:
                super()._open_calls()
            except OSError:
                self.ended["not connected"] += 1
            finally:
                object.__setattr__(self.load, "concurrent", before)
            self._opened_at = time.monotonic()

    def _plan(self, call: Call, frames, execute_id=b"", variable=b"", pace=0.0) -> None:  # type: ignore[no-untyped-def]
        jittered = pace * random.uniform(0.5, 1.5) if pace == self.load.pace else pace
        super()._plan(call, frames, execute_id, variable, jittered)

    def _reply(self, call: Call, command: bytes) -> bytes:
        self._heard.add(id(call))
        if (cause := _CAUSE.search(command)) is not None:
            self._causes[id(call)] = (cause[1] or cause[2]).decode()
        return super()._reply(call, command)

    def _close(self, call: Call) -> None:
        del self.calls[call.sock.fileno()]
        call.sock.close()
        cause, heard = self._causes.pop(id(call), ""), id(call) in self._heard
        self._heard.discard(id(call))
        if call.done == self.verbs and cause == "NORMAL_CLEARING":
            self.ended["well"] += 1
        elif cause:
            self.ended[cause] += 1
        else:
            self.ended["by its worker's death" if heard else "before a word was said"] += 1


class Arrivals(Switch):
    """Calls that come as fast as they can, and stay; how many were held and how many refused."""

    def __init__(self, load: Load) -> None:
        super().__init__(load, VERBS)
        self.most = self.refused = 0

    def arrive(self) -> None:
        """Have all arrive, and wait until each is held or refused."""
        until = time.monotonic() + 120
        while self.counts.opened < self.load.calls or self.counts.held + self.refused < self.load.calls:
            if time.monotonic() > until:
                return
            for _ in range(64):
                if self.counts.opened < self.load.calls:
                    sock = socket.create_connection(("127.0.0.1", self.load.port), timeout=20)
                    sock.setblocking(False)
                    self.counts.opened += 1
                    self.calls[sock.fileno()] = Call(sock, b"5c09725d-aea0-4751-94f2-%012d" % self.counts.opened)
                    self._epoll.register(sock.fileno(), 1)
            for fd, flags in self._epoll.poll(0.005):
                self._serve(self.calls[fd], flags)
            self._send_due()
            self.most = max(self.most, self.counts.held)

    def _close(self, call: Call) -> None:
        del self.calls[call.sock.fileno()]
        call.sock.close()
        self.refused += not call.held
