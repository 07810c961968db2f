"""The API in a process of its own: what it is given, what it says, and how it ends."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
from gevent.event import Event
from gevent.socket import wait_read
from rich.console import Console
from rich.text import Text

from fsivr.api.app import create_app
from fsivr.api.placing import drain
from fsivr.api.serving import LAST, Serving, check_address
from fsivr.cli.api_child import DRAIN, environment
from fsivr.cli.beginning import Beginning
from fsivr.cli.output import console
from fsivr.cli.signals import on_signals
from fsivr.config import Settings
from fsivr.dialplan import Dialplan, load_dialplan
from fsivr.errors import ConfigError
from fsivr.logs import configure
from fsivr.recordings import Archive
from fsivr.store import Store, is_gone
from fsivr.switch import Switch

log = logging.getLogger(__name__)

# Seconds that the switch may take to answer: who asked the API waits for it.
_SWITCH = 3.0
# Seconds between two tries to reach the database.
_AGAIN = 5.0


def serve(settings: Settings, *, until_eof: bool = False, config: str | None = None) -> None:
    """Serve the API until a signal, or the end of standard input where that is asked for.

    :param config: the settings file, where the command line named it.

    :raises ConfigError: an address that cannot be had, a wrong certificate, or a database of a newer fsivr.
    """
    check_address(settings)
    configure(settings.log_level, settings.log_format, secrets=settings.secret_values)
    store, told = Store(settings.database), Event()
    switch = Switch(dataclasses.replace(settings, reply_timeout=min(settings.reply_timeout, _SWITCH)))
    archive, dialplan = Archive.of(settings, store), _dialplan(settings)
    export = Beginning(settings, store, environment(settings, os.environ, config=config))
    app = create_app(settings, store, switch=switch, dialplan=dialplan, archive=archive, export=export)
    serving = Serving(settings, app)
    migrating = _migrated(store)
    watching = gevent.spawn(_await_eof, told, partial(drain, app)) if until_eof else None
    # Ctrl-C in a terminal reaches every process there; this one ends when its parent has.
    numbers = (signal.SIGTERM,) if until_eof else (signal.SIGTERM, signal.SIGINT)
    if until_eof:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with on_signals(told.set, *numbers):
        announce(console(), serving)
        told.wait()
    for greenlet in (watching, migrating):
        if greenlet is not None:
            greenlet.kill()
    serving.stop(LAST)
    switch.close()
    store.close()


def announce(screen: Console, serving: Serving) -> None:
    """Say where the API is."""
    url = serving.url
    line = Text.assemble("API on ", (url, "bold"), f", docs at {url}/api/openapi.json")
    if serving.redirects_from is not None:
        line.append(f", plain HTTP on port {serving.redirects_from[1]} leads there")
    with contextlib.suppress(OSError):  # nobody reads it, as behind `| head`: no reason to end
        screen.print(line, soft_wrap=True)
        screen.file.flush()


def _dialplan(settings: Settings) -> Dialplan | None:
    try:
        return load_dialplan(settings.dialplan)
    except ConfigError as error:
        log.warning("no calls can be placed by the API: %s", error)
        return None


def _migrated(store: Store) -> Any:
    """Bring the database up to date; a greenlet that goes on trying, where it cannot be reached.

    :raises ConfigError: it is newer than this fsivr.
    """
    if _migrates(store):
        return None
    return gevent.spawn(_migrate_later, store)


def _migrate_later(store: Store) -> None:
    while True:
        gevent.sleep(_AGAIN)
        try:
            if _migrates(store):
                log.warning("the database is there")
                return
        except ConfigError as error:
            log.error("the database cannot be used: %s", error)
            return


def _migrates(store: Store) -> bool:
    try:
        store.migrate()
    except Exception as error:
        if not is_gone(error):
            raise
        log.error("the database cannot be reached, and is tried again: %s", type(error).__name__)
        return False
    return True


def _await_eof(told: Event, drained: Callable[[], None]) -> None:
    """Read standard input to its end, which comes however its writer ends; it may say before that calls are drained."""
    file = sys.__stdin__.fileno() if sys.__stdin__ is not None else 0
    while True:
        wait_read(file)
        data = os.read(file, 4096)
        if not data:
            told.set()
            return
        if DRAIN.strip() in data:
            drained()
