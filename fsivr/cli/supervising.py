"""Several servers on one address, in the terminal: what is said at the start, and what the signals do."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable

from fsivr.cli.api_child import FOUND, ApiChild, environment, folder, python_flags
from fsivr.cli.nightly import nightly_of, time_of
from fsivr.cli.output import console
from fsivr.cli.serving import Stop, announce, taking_numbers, tell_how_to_call
from fsivr.cli.signals import on_signals
from fsivr.config import Settings
from fsivr.logs import configure
from fsivr.supervisor import FIXED, Notifier, Supervisor

# A settings file that was changed counts from the reload on, and not from when a worker happens to be replaced.
_TOLD = (*FOUND, *FIXED, "ports")


def supervise(
    settings: Settings, read: Callable[[], Settings], *, simulate: bool = False, config: str | None = None
) -> None:
    """Have workers take calls until a signal says to stop.

    :param read: reads the settings anew.
    :param simulate: whether numbers that are typed are called.
    :param config: the settings file, where the command line named it.
    :raises ConfigError: no dialplan, an address that cannot be listened on, or a database of a newer fsivr.
    """
    configure(settings.log_level, settings.log_format, secrets=settings.secret_values)
    cwd = folder(os.environ)
    beside = _Beside(config, cwd)
    supervisor = Supervisor(
        settings,
        command=[sys.executable, *python_flags(), "-m", "fsivr", "serve-worker"],
        environ=lambda now: environment(now, os.environ, config=config, found=_TOLD),
        reread=read,
        cwd=cwd,
        on_reload=beside.reload,
        notifier=Notifier(),
    )
    # From before the start until after the end: by default SIGHUP ends a process.
    with on_signals(supervisor.reload, _HANGUP):
        _supervise(supervisor, beside, simulate=simulate)
    console().print("stopped", style="dim")


def _supervise(supervisor: Supervisor, beside: _Beside, *, simulate: bool) -> None:
    extensions = supervisor.start()
    settings = supervisor.settings
    announce(console(), settings.listen, settings, extensions)
    beside.start(settings)
    with on_signals(Stop(supervisor, beside.drain), signal.SIGINT, signal.SIGTERM):
        tell_how_to_call(console(), settings.listen, extensions)
        with taking_numbers(settings.listen_address, settings) if simulate else contextlib.nullcontext():
            supervisor.serve_forever()
    beside.stop()


_HANGUP = signal.SIGHUP


class _Beside:
    """The API and the schedule of the export, which no call waits for.

    :param config: the settings file, where the command line named it.
    :param cwd: the folder that the API is started in.
    """

    def __init__(self, config: str | None, cwd: str | None = None) -> None:
        self._config, self._cwd = config, cwd
        self._draining = False
        self._api: ApiChild | None = None

    def start(self, settings: Settings) -> None:
        """Begin both, as the settings say."""
        self._nightly = nightly_of(settings, self._config)
        self._start_api(settings)

    def reload(self, settings: Settings) -> None:
        """An API with the code and the settings of now; an export that goes on is left to."""
        configure(settings.log_level, settings.log_format, secrets=settings.secret_values)
        self._nightly.reschedule(time_of(settings))
        if self._api is not None:
            self._api.stop()
        self._start_api(settings)

    def drain(self) -> None:
        """Have no more calls placed, also by an API that a reload is about to start."""
        self._draining = True
        if self._api is not None:
            self._api.drain()

    def stop(self) -> None:
        """End both."""
        self._nightly.stop()
        if self._api is not None:
            self._api.stop()

    def _start_api(self, settings: Settings) -> None:
        self._api = None
        if settings.api_listen:
            self._api = ApiChild(settings, config=self._config, found=_TOLD, cwd=self._cwd)
            if self._draining:
                self._api.drain()
