"""Beginning: an export that somebody asks the API for, in a process of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

import gevent
from gevent import subprocess

from fsivr.config import Settings
from fsivr.errors import AlreadyExporting, ConfigError, ExportError
from fsivr.store import Store

# Seconds in which the runs must have begun: their process starts, and may wait for the workers of one that was killed.
_PATIENCE, _LOOK = 20.0, 0.05
_WRONG_USE, _LOCKED = 2, 3


class Beginning:
    """Begins an export to every target, and does not wait for its end.

    It is a process of its own: it neither stalls an answer, nor ends with whoever began it.

    :param settings: those of the targets.
    :param store: where the runs tell how far they are.
    :param environ: the environment of the export, which gives it the same settings.
    """

    def __init__(self, settings: Settings, store: Store, environ: Mapping[str, str]) -> None:
        self._settings, self._store, self._environ = settings, store, dict(environ)
        self._child: Any = None

    def __call__(self, *, by: str) -> list[str]:
        """The ids of the runs, each of which has its row.

        :param by: who asked for it, which the audit tells.
        :raises ConfigError: there is no target, or one is wrong.
        :raises AlreadyExporting: one is under way.
        :raises ExportError: it could not be begun.
        """
        from fsivr.exporter.exporting import chosen
        from fsivr.exporter.run import new_id

        ids = {name: new_id() for name in chosen(self._settings)}
        if self._child is not None and self._child.poll() is None:
            raise AlreadyExporting("the export that was asked for before is still under way")
        self._child = self._start([f"--id={name}={id}" for name, id in ids.items()])
        begun = self._begun(list(ids.values()))
        if not begun:
            self._refuse()
        return begun

    def _start(self, options: list[str]) -> Any:
        try:
            return subprocess.Popen(
                [
                    sys.executable,
                    *(f"-W{option}" for option in sys.warnoptions),
                    "-m",
                    "fsivr",
                    "export",
                    "run",
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=self._environ,
                start_new_session=True,
            )
        except OSError as error:
            raise ExportError(f"the export cannot be begun: {error.strerror}") from None

    def _begun(self, ids: list[str]) -> list[str]:
        """Those of the runs that have begun; without the others where their process has ended, or takes too long."""
        until = time.monotonic() + _PATIENCE
        while True:
            over = self._child.poll() is not None or time.monotonic() > until
            begun = [id for id in ids if self._store.export(id) is not None]
            if over or len(begun) == len(ids):
                return begun
            gevent.sleep(_LOOK)

    def _refuse(self) -> None:
        code = self._child.poll()
        if code == _LOCKED:
            raise AlreadyExporting("another export of this machine is under way")
        if code == _WRONG_USE:
            raise ConfigError("a setting of the export is wrong: the log of the API says which")
        raise ExportError("the export did not begin: the log of the API says why")
