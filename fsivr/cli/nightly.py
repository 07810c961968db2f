"""Nightly: the export that a server begins each day at its time, in a process of its own."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import gevent

from fsivr.config import Settings
from fsivr.exporter.window import end_of_window

log = logging.getLogger(__name__)

_SAID = {
    0: "all is there",
    1: "some recordings failed or remain",
    2: "a setting of it is wrong",
    3: "another one was at it",
    4: "a target refuses until somebody mends it",
    130: "it was told to stop",
}
# Seconds: the clock may be set, which a longer sleep would not see.
_LOOK = 30.0
# Seconds that an export is given to end in order; more than its own grace.
_PATIENCE = 45.0


def _now() -> datetime:
    return datetime.now(UTC)


class Nightly:
    """Begins an export each day at the setting ``export_at``.

    It is a process of its own, so that it can never stall a call; a server that was not up at that time
    leaves it to the next day.

    :param command: what is run.
    :param now: tells the time.
    """

    def __init__(self, at: str, command: Sequence[str], *, now: Callable[[], datetime] = _now) -> None:
        self._at, self._command, self._now = at, list(command), now
        self._child: subprocess.Popen[bytes] | None = None
        self._greenlet = gevent.spawn(self._run)

    def reschedule(self, at: str) -> None:
        """Begin at another time from now on, or never where it is empty; an export that goes on is left to."""
        self._at = at

    def stop(self) -> None:
        """Begin no more, and end in order the one that goes on."""
        self._greenlet.kill()
        child, self._child = self._child, None
        if child is None or child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _run(self) -> None:
        while True:
            at = self._at
            due = end_of_window(at, self._now())
            while due is None or (left := (due - self._now()).total_seconds()) > 0:
                gevent.sleep(_LOOK if due is None else min(left, _LOOK))
                if at != self._at:
                    break
            else:
                self._export()

    def _export(self) -> None:
        log.info("the export begins")
        try:
            self._child = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        except OSError as error:
            log.error("the export cannot be begun: %s", error.strerror)
            return
        code = self._child.wait()
        level = logging.INFO if code == 0 else logging.ERROR
        log.log(level, "the export ended with exit code %d: %s", code, _SAID.get(code, "see its messages"))


def nightly_of(settings: Settings, config: str | None = None) -> Nightly:
    """What begins an export each day at ``export_at``; none where that is empty or there are no targets.

    :param config: the settings file, where the command line named it.
    """
    named = [] if config is None else ["--config", config]
    return Nightly(time_of(settings), [sys.executable, "-m", "fsivr", "export", *named])


def time_of(settings: Settings) -> str:
    """When the export begins; "" for never."""
    return settings.export_at if settings.targets else ""


@contextmanager
def nightly_export(settings: Settings, config: str | None = None) -> Iterator[None]:
    """Inside ``with``, an export begins each day at ``export_at``, unless that is empty or there are no targets.

    :param config: the settings file, where the command line named it.
    """
    if not time_of(settings):
        yield
        return
    nightly = nightly_of(settings, config)
    try:
        yield
    finally:
        nightly.stop()
