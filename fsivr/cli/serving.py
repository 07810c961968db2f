"""A server in the terminal: what it says at its start, how it stops, and numbers typed to call it."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

import gevent
from rich.console import Console
from rich.text import Text

from fsivr.cli.keyboard import Keyboard
from fsivr.cli.nightly import nightly_export
from fsivr.cli.output import console, program
from fsivr.cli.signals import on_signals, restore
from fsivr.config import Settings
from fsivr.dialplan import Dialplan, Extension, load_dialplan
from fsivr.listening import written
from fsivr.logs import configure
from fsivr.server import Server
from fsivr.store import Journal
from fsivr.supervisor import Notifier

log = logging.getLogger(__name__)

# Seconds beyond those that calls get to end.
_LAST = 30.0


def serve(settings: Settings, *, simulate: bool = False, config: str | None = None) -> None:
    """Take calls in this process until a signal says to stop.

    :param simulate: whether numbers that are typed are called.
    :param config: the settings file, where the command line named it.
    :raises ConfigError: no dialplan, an address that cannot be listened on, or a database of a newer fsivr.
    """
    with _no_reload():
        _serve(settings, simulate=simulate, config=config)


def _serve(settings: Settings, *, simulate: bool, config: str | None) -> None:
    server = start(settings)
    say_what_is_served(server)
    with (
        serving_api(settings, written(server.address), config) as drain,
        nightly_export(settings, config),
        telling(server),
    ):
        keep_serving(server, drain, simulate=simulate)


def _no_reload() -> contextlib.AbstractContextManager[None]:
    """Inside, SIGHUP ends nothing, unless it is the end of our terminal."""
    if sys.stdin is not None and sys.stdin.isatty():
        return contextlib.nullcontext()
    return on_signals(partial(log.warning, "nothing is reloaded: that takes the setting workers"), signal.SIGHUP)


def start(settings: Settings) -> Server:
    """A server that takes calls in this process, with the log on standard error.

    :raises ConfigError: no dialplan, an address that cannot be listened on, or a database of a newer fsivr.
    """
    configure(settings.log_level, settings.log_format, secrets=settings.secret_values)
    journal = Journal(settings.database)
    server = Server(load_dialplan(settings.dialplan), settings, store=journal, worker=settings.listen)
    server.start()
    return server


def keep_serving(server: Server, drain: Callable[[], None], *, simulate: bool = False) -> None:
    """Serve with a started server until a signal says to stop.

    :param drain: called at the first one.
    """
    settings = server.settings
    with on_signals(Stop(server, drain), signal.SIGINT, signal.SIGTERM):
        tell_how_to_call(console(), written(server.address), served(server.dialplan))
        with taking_numbers(server.address, settings) if simulate else contextlib.nullcontext():
            server.serve_forever()
    console().print("stopped", style="dim")


def say_what_is_served(server: Server) -> None:
    """Say where a server listens, and what it serves."""
    settings = server.settings
    announce(console(), written(server.address), settings, served(server.dialplan))


@contextlib.contextmanager
def serving_api(settings: Settings, address: str, config: str | None = None) -> Iterator[Callable[[], None]]:
    """Inside ``with``, the API is served by a process of its own; what it gives has that place no more calls.

    There is none where ``api_listen`` is empty.

    :param address: where calls are taken.
    :param config: the settings file, where the command line named it.
    """
    if not settings.api_listen:
        yield lambda: None
        return
    from fsivr.cli.api_child import ApiChild

    child = ApiChild(dataclasses.replace(settings, listen=address), config=config)
    try:
        yield child.drain
    finally:
        child.stop()


@contextlib.contextmanager
def telling(server: Server) -> Iterator[None]:
    """Inside ``with``, systemd is told how a server does, where it started it."""
    notifier = Notifier()
    notifier.ready(_status(server))
    greenlet = gevent.spawn(_tell, notifier, server)
    try:
        yield
    finally:
        greenlet.kill()


def _tell(notifier: Notifier, server: Server) -> None:
    stopping = False
    while True:
        if server.draining and not stopping:
            stopping = True
            notifier.stopping(_status(server), server.settings.drain_timeout + _LAST)
        notifier.status(_status(server))
        notifier.alive()
        gevent.sleep(min(1.0, notifier.interval or 1.0))


def _status(server: Server) -> str:
    return f"{server.ports_in_use} of {server.settings.ports} calls"


def served(dialplan: Dialplan) -> list[list[str]]:
    """What a dialplan serves: of each extension its number, and the rest of what is said of it."""
    return [_served(extension) for extension in dialplan]


def _served(extension: Extension) -> list[str]:
    name = f"{extension.handler.__module__}.{extension.handler.__qualname__}"
    limits = [("context", extension.context), ("path", extension.path)]
    rest = "".join(f", {word} {value}" for word, value in limits if value is not None)
    return [extension.number, f"{name}{rest}"]


def announce(screen: Console, address: str, settings: Settings, extensions: Sequence[Sequence[str]]) -> None:
    """Say where a server listens, how many ports there are, and what it serves."""
    workers = f", {settings.workers} workers" if settings.workers else ""
    listens = ("fsivr listens on ", (address, "bold"), f", {settings.ports} ports{workers}")
    screen.print(Text.assemble(*listens, f", dialplan {settings.dialplan}:"))
    for number, rest in extensions:
        screen.print(Text.assemble("  ", (number, "bold green"), f"  {rest}"))


def tell_how_to_call(screen: Console, address: str, extensions: Sequence[Sequence[str]]) -> None:
    """Say what to write into the switch's dialplan, and how to call without a switch."""
    example = next((number for number, _ in extensions if number.isdigit()), "NUMBER")
    action = f'<action application="socket" data="{address} async full"/>'
    command = f"{program('fsivr')} call {example} --server {address}"
    # Not folded, so that they can be copied.
    screen.print(Text.assemble("in FreeSWITCH's dialplan:  ", (action, "cyan")), soft_wrap=True)
    screen.print(Text.assemble("from another terminal:     ", (command, "cyan")), soft_wrap=True)


class Stopping(Protocol):
    """What takes calls and can be told to stop: a server, or a supervisor of several."""

    @property
    def settings(self) -> Settings:
        """Its settings, ``drain_timeout`` among them."""

    @property
    def ports_in_use(self) -> int:
        """The calls that it has."""

    def stop(self, timeout: float | None = None) -> None:
        """Let calls finish for so many seconds, ``drain_timeout`` where None; then hang them up."""


class Stop:
    """Drains at the first signal, hangs up at the second; a third does what it does by default.

    :param drain: called at the first one, before.
    """

    def __init__(self, what: Stopping, drain: Callable[[], None]) -> None:
        self._what = what
        self._drain = drain
        self._told = 0

    def __call__(self) -> None:
        self._told += 1
        if self._told > 1:
            restore(signal.SIGINT)
            restore(signal.SIGTERM)
            gevent.spawn(self._what.stop, 0)
            return
        self._drain()
        say_stopping(self._what.ports_in_use, self._what.settings)
        gevent.spawn(self._what.stop)


def say_stopping(calls: int, settings: Settings) -> None:
    """Say that it stops, and what it waits for."""
    patience = settings.drain_timeout
    waiting = f": up to {patience:g} s for {calls} calls to end; once more hangs them up" if calls else ""
    with contextlib.suppress(OSError):  # its reader was stopped by the same ctrl-C, as `| tee`: it stops all the same
        console(stderr=True).print(f"stopping{waiting}")


@contextlib.contextmanager
def taking_numbers(address: tuple[str, int], settings: Settings) -> Iterator[None]:
    """Inside ``with``, each number that is typed is called, from a telephone of the simulated switch."""
    typing = gevent.spawn(_take_numbers, address, settings)
    try:
        yield
    finally:
        typing.kill()


def _take_numbers(address: tuple[str, int], settings: Settings) -> None:
    from fsivr.cli.calling import place_call

    with Keyboard(single_keys=False) as keyboard:
        rest = ""
        while not keyboard.at_end:
            if keyboard.is_terminal:
                console().print(Text("type a number here to call it"))
            *lines, rest = (rest + keyboard.read()).split("\n")
            for number, *keys in filter(None, map(str.split, [*lines, rest] if keyboard.at_end else lines)):
                with contextlib.suppress(KeyboardInterrupt):
                    place_call(address, settings, number, keys=keys)
