"""A command in a process of its own, on pipes or on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_PATIENCE = 30.0


class Process:
    """A running ``python -m fsivr …``; what it writes is read as it comes.

    :param terminal: whether it is given a terminal, which then is its standard error too.
    :param variables: of its environment.
    """

    def __init__(
        self,
        *arguments: str,
        cwd: Path,
        terminal: bool = False,
        program: str = "",
        variables: dict[str, str] | None = None,
    ) -> None:
        self.out = ""
        # What is kept of calls is kept in a folder of its own, which goes with the process.
        self._kept = tempfile.TemporaryDirectory()
        database = f"sqlite:///{self._kept.name}/fsivr.db"
        ours = {
            "FSIVR_RECORDINGS_PATH": self._kept.name,
            "FSIVR_DATABASE": database,
            "FSIVR_API_LISTEN": "",
            "APPS_DATA": self._kept.name,
        }
        environment = {**ours, **os.environ, **(variables or {})}
        command = [sys.executable, "-W", "error", *([program] if program else ["-m", "fsivr"]), *arguments]
        if terminal:
            self._ours, theirs = pty.openpty()
            self.terminal = theirs
            own = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "preexec_fn": _own_the_terminal}
            self._process = subprocess.Popen(command, cwd=cwd, env=environment, **own)
        else:
            self._ours, theirs = os.pipe()
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
            )
            os.close(theirs)
        self._is_terminal = terminal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._ours)
        if self._is_terminal:
            os.close(self.terminal)
        self._kept.cleanup()

    def reads(self, text: str) -> str:
        """Wait until it has written this text; all it wrote so far."""
        deadline = time.monotonic() + _PATIENCE
        while text not in self.out:
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"it never wrote {text!r}, only:\n{self.out}")
        return self.out

    def reads_again(self, text: str) -> None:
        """Wait until the last thing that it wrote is this text."""
        deadline = time.monotonic() + _PATIENCE
        while not self.out.rstrip().endswith(text):
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"it did not end with {text!r} but wrote:\n{self.out}")

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def more(self) -> str:
        """All it wrote so far."""
        self._read(0.02)
        return self.out

    def types(self, text: str) -> None:
        """Type into its terminal; ctrl-C is ``"\\x03"``."""
        os.write(self._ours, text.encode())

    def signals(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def ends(self) -> int:
        """Wait until it has ended; its exit code."""
        deadline = time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            self._read(0.05)
        while self._read(0):
            pass
        assert self._process.returncode is not None, f"it did not end; it wrote:\n{self.out}"
        assert "Traceback" not in self.out
        return self._process.returncode

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], timeout)
        if not ready:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:
            data = b""
        self.out += data.decode().replace("\r\n", "\n")
        return bool(data)


def _own_the_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
