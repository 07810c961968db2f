"""Notifying: what systemd is told of a service that it started (sd_notify(3))."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping

log = logging.getLogger(__name__)

#: What a child must not have: it would speak for the service.
VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Notifier:
    """Tells systemd; does nothing where it did not start this process, or does not want to be told.

    :param environ: where systemd says what it wants.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        where = environ.get("NOTIFY_SOCKET", "")
        # An abstract address is written with @ for its NUL.
        self._address = "\0" + where[1:] if where.startswith("@") else where
        meant = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        limit = environ.get("WATCHDOG_USEC", "")
        #: Seconds between two signs of life, half of what systemd waits for; None where it waits for none.
        self.interval = int(limit) / 2e6 if self._address and meant and limit.isdecimal() and int(limit) else None
        self._alive = 0.0
        self._status = ""

    def ready(self, status: str) -> None:
        """It serves, from now on or again."""
        self._tell("READY=1", _status(status))

    def reloading(self, status: str) -> None:
        """It reloads; ``ready`` ends that."""
        self._tell(
            "RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}", _status(status)
        )

    def stopping(self, status: str, seconds: float) -> None:
        """It stops, within so many seconds from now."""
        self._tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}", _status(status))

    def status(self, status: str) -> None:
        """How it does, in one line; told where it is another than before."""
        if status != self._status:
            self._status = status
            self._tell(_status(status))

    def alive(self) -> None:
        """It is sound; to be called more often than ``interval``."""
        now = time.monotonic()
        if self.interval is not None and now - self._alive >= self.interval:
            self._alive = now
            self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            try:
                sock.sendto("\n".join(lines).encode(), self._address)
            except OSError as error:
                log.warning("systemd cannot be told %s: %s", lines[0], error.strerror)


def _status(text: str) -> str:
    return "STATUS=" + " ".join(text.split())
