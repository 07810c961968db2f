"""The API as a child of ``fsivr serve``: it ends with it, and is started again where it ends by itself."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Collection, Mapping
from typing import Any

import gevent
from gevent import subprocess

from fsivr.config import PREFIX, SETTINGS, Settings
from fsivr.supervisor.notifying import VARIABLES

log = logging.getLogger(__name__)

#: The exit code of a wrong setting, or an address that is taken.
_WRONG_USE = 2
#: Seconds until it is started again: at first, at most, and how long it must have run to begin at the first again.
_FIRST, _MOST, _GOOD = 1.0, 60.0, 60.0
#: Seconds that it may take to end.
_PATIENCE = 10.0
#: Settings that may be other than they were set: a port that was free.
FOUND = ("listen", "api_listen")
#: What tells it by its standard input that no more calls are to be placed.
DRAIN = b"drain\n"


class ApiChild:
    """A process that serves the API with the settings of this one.

    It ends when this process does, however that ends: its standard input is a pipe that nobody else holds.

    :param settings: its settings; ``listen`` is where calls are taken.
    :param config: the settings file, where the command line named it.
    :param found: settings whose values it is told, whatever else says of them.
    :param cwd: the folder that it is started in; this process's where None.
    :param first: seconds until it is started again.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        config: str | None = None,
        found: Collection[str] = FOUND,
        cwd: str | None = None,
        first: float = _FIRST,
    ) -> None:
        self._environment = environment(settings, os.environ, config=config, found=found)
        self._cwd, self._first = cwd, first
        self._process: Any = None
        self._stopping = self._draining = False
        self._greenlet: gevent.Greenlet[..., None] = gevent.spawn(self._keep)

    @property
    def pid(self) -> int | None:
        """The process that serves; None where there is none now."""
        return None if self._process is None else self._process.pid

    def drain(self) -> None:
        """Have it place no more calls, and answer all else."""
        self._draining = True
        self._tell_drained()

    def stop(self) -> None:
        """Have it finish the requests it is at, and end; kills it where that takes too long."""
        self._stopping = True
        process = self._process
        if process is None:
            self._greenlet.kill()
            return
        process.stdin.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
        self._greenlet.join()

    def _tell_drained(self) -> None:
        if self._draining and self._process is not None:
            with contextlib.suppress(OSError):  # it has ended meanwhile
                self._process.stdin.write(DRAIN)
                self._process.stdin.flush()

    def _keep(self) -> None:
        pause = self._first
        while True:
            began = time.monotonic()
            try:
                code = self._run()
            except OSError as error:  # the machine has no room for one more process
                log.error("the API cannot be started: %s", error)
                code = 1
            if self._stopping:
                return
            if time.monotonic() - began >= _GOOD:
                pause = self._first
            why = "what was wrong is told above" if code == _WRONG_USE else "unexpectedly"
            log.error(
                "the API ended with exit code %d: %s; calls go on, and it is started again in %g s", code, why, pause
            )
            gevent.sleep(pause)
            pause = min(2 * pause, _MOST)

    def _run(self) -> int:
        # In a session of its own: a ctrl-C in the terminal is for this process, which then ends that one.
        with subprocess.Popen(
            [sys.executable, *python_flags(), "-m", "fsivr", "api", "--until-eof"],
            stdin=subprocess.PIPE,
            env=self._environment,
            cwd=self._cwd,
            start_new_session=True,
        ) as process:
            self._process = process
            self._tell_drained()
            try:
                code: int = process.wait()
                return code
            finally:
                self._process = None


def environment(
    settings: Settings, environ: Mapping[str, str], *, config: str | None = None, found: Collection[str] = FOUND
) -> dict[str, str]:
    """The environment of a process that has the same settings; no command line shows them.

    What is in the settings file it reads there itself, and what is in our environment it inherits, but for what
    systemd says to us alone.

    :param config: the settings file, where the command line named it.
    :param found: settings whose values are told, whatever else says of them.
    """
    ours = [setting for setting in SETTINGS if setting.name in found or settings.source(setting.name).startswith("--")]
    given = {setting.variable: _text(getattr(settings, setting.name)) for setting in ours}
    named = {} if config is None else {f"{PREFIX}CONFIG": os.path.abspath(config)}
    inherited = {name: value for name, value in environ.items() if name not in VARIABLES}
    return {**inherited, **given, **named}


def folder(environ: Mapping[str, str]) -> str | None:
    """The folder that this process was started in by its name, which may be a link that leads elsewhere later.

    None where the name is not known; to be asked at the start.
    """
    named = environ.get("PWD", "")
    with contextlib.suppress(OSError):
        if os.path.isabs(named) and os.path.samefile(named, os.curdir):
            return named
    return None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def python_flags() -> list[str]:
    """This Python's own options, as the warnings that are errors."""
    return [f"-W{option}" for option in sys.warnoptions]
