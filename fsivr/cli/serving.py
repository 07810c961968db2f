"""A server in the terminal: what it says at its start, how it stops, and numbers typed to call it."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
from collections.abc import Iterator

import gevent
from rich.console import Console
from rich.text import Text

from fsivr.cli.calling import place_call
from fsivr.cli.keyboard import Keyboard
from fsivr.cli.output import console, program, written
from fsivr.cli.signals import on_signals, restore
from fsivr.config import Settings
from fsivr.dialplan import load_dialplan
from fsivr.logs import configure
from fsivr.server import Server
from fsivr.store import Journal


def start(settings: Settings) -> Server:
    """A server that listens, with the log on standard error.

    :raises ConfigError: no dialplan, an address that cannot be listened on, or a database of a newer fsivr.
    """
    configure(settings.log_level, settings.log_format, secrets=settings.secret_values)
    journal = Journal(settings.database)
    server = Server(load_dialplan(settings.dialplan), settings, store=journal, worker=settings.listen)
    server.start()
    return server


def keep_serving(server: Server, *, simulate: bool = False) -> None:
    """Serve with a started server until a signal says to stop."""
    with on_signals(_Stop(server), signal.SIGINT, signal.SIGTERM):
        tell_how_to_call(console(), server)
        typing = gevent.spawn(_take_numbers, server) if simulate else None
        server.serve_forever()
    if typing is not None:
        typing.kill()
    console().print("stopped", style="dim")


@contextlib.contextmanager
def serving_api(server: Server, config: str | None = None) -> Iterator[None]:
    """Inside ``with``, the API is served by a process of its own, unless ``api_listen`` is empty.

    :param config: the settings file, where the command line named it.
    """
    settings = server.settings
    if not settings.api_listen:
        yield
        return
    from fsivr.cli.api_child import ApiChild

    child = ApiChild(dataclasses.replace(settings, listen=written(server.address)), config=config)
    try:
        yield
    finally:
        child.stop()


def announce(screen: Console, server: Server) -> None:
    """Say where the server listens, how many ports there are, and what it serves."""
    address, settings = written(server.address), server.settings
    screen.print(
        Text.assemble(
            "fsivr listens on ", (address, "bold"), f", {settings.ports} ports, dialplan {settings.dialplan}:"
        )
    )
    for extension in load_dialplan(settings.dialplan):
        name = f"{extension.handler.__module__}.{extension.handler.__qualname__}"
        limits = [("context", extension.context), ("path", extension.path)]
        rest = "".join(f", {word} {value}" for word, value in limits if value is not None)
        screen.print(Text.assemble("  ", (extension.number, "bold green"), f"  {name}{rest}"))


def tell_how_to_call(screen: Console, server: Server) -> None:
    """Say what to write into the switch's dialplan, and how to call without a switch."""
    address = written(server.address)
    numbers = [extension.number for extension in load_dialplan(server.settings.dialplan)]
    example = next((number for number in numbers if number.isdigit()), "NUMBER")
    action = f'<action application="socket" data="{address} async full"/>'
    command = f"{program('fsivr')} call {example} --server {address}"
    # Not folded, so that they can be copied.
    screen.print(Text.assemble("in FreeSWITCH's dialplan:  ", (action, "cyan")), soft_wrap=True)
    screen.print(Text.assemble("from another terminal:     ", (command, "cyan")), soft_wrap=True)


class _Stop:
    """Drains the server at the first signal, hangs up at the second; a third does what it does by default."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._told = 0

    def __call__(self) -> None:
        self._told += 1
        if self._told > 1:
            restore(signal.SIGINT)
            restore(signal.SIGTERM)
            gevent.spawn(self._server.stop, 0)
            return
        calls, patience = self._server.ports_in_use, self._server.settings.drain_timeout
        waiting = f": up to {patience:g} s for {calls} calls to end; once more hangs them up" if calls else ""
        console(stderr=True).print(f"stopping{waiting}")
        gevent.spawn(self._server.stop)


def _take_numbers(server: Server) -> None:
    """Call each number that is typed, from a telephone of the simulated switch."""
    with Keyboard(single_keys=False) as keyboard:
        rest = ""
        while not keyboard.at_end:
            if keyboard.is_terminal:
                console().print(Text("type a number here to call it"))
            *lines, rest = (rest + keyboard.read()).split("\n")
            for number, *keys in filter(None, map(str.split, [*lines, rest] if keyboard.at_end else lines)):
                with contextlib.suppress(KeyboardInterrupt):
                    place_call(server.address, server.settings, number, keys=keys)
