"""What is typed: single keys from a terminal, lines from a file or pipe."""

from __future__ import annotations

import os
import sys
import termios
import tty
from types import TracebackType
from typing import Any

from gevent import select


class Keyboard:
    """Standard input, read without holding up anything else.

    Inside ``with``, a terminal gives each key as it is pressed and does not show it.
    """

    def __init__(self, *, single_keys: bool = True) -> None:
        self._fd = _standard_input()
        #: Whether somebody sits at it.
        self.is_terminal = self._fd >= 0 and os.isatty(self._fd) and _is_in_front(self._fd)
        #: Whether nothing more will come.
        self.at_end = self._fd < 0 or (os.isatty(self._fd) and not self.is_terminal)
        self._single_keys = single_keys and self.is_terminal
        self._before: list[Any] | None = None

    def __enter__(self) -> Keyboard:
        if self._single_keys:
            self._before = termios.tcgetattr(self._fd)
            # Ctrl-C stays a signal; only lines and the echo go.
            tty.setcbreak(self._fd)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)
            self._before = None

    def read(self, timeout: float | None = None) -> str:
        """What was typed since the last look; ``""`` where nothing was within the seconds, or at the end."""
        if self.at_end:
            return ""
        ready, _, _ = select.select([self._fd], [], [], timeout)
        if not ready:
            return ""
        try:
            data = os.read(self._fd, 4096)
        except OSError:
            data = b""  # the terminal was closed
        self.at_end = not data
        return data.decode("utf-8", "replace")


def _standard_input() -> int:
    """The file descriptor of standard input; -1 where there is none."""
    try:
        return -1 if sys.stdin is None else sys.stdin.fileno()
    except (OSError, ValueError):
        return -1


def _is_in_front(fd: int) -> bool:
    """Whether the terminal is ours to read: a command put in the background is stopped when it tries."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False
