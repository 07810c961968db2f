"""``fsivr call NUMBER``: a telephone in the terminal."""

from __future__ import annotations

import functools
import re
import signal

import click

from fsivr.cli.commands import config_option, dialplan_option
from fsivr.config import load, parse_address
from fsivr.errors import ConfigError


@click.command(name="call")
@click.argument("number")
@click.option("--keys", default="", metavar="KEYS", help="Dial these by itself; a comma waits for the next question.")
@click.option("--server", metavar="HOST:PORT", help="Call a running fsivr; left out, it is served within the command.")
@click.option("--caller", default="1000", show_default=True, metavar="NUMBER", help="The caller's number.")
@click.option("--context", default="public", show_default=True, help="The dialplan context the call comes in.")
@click.option("--path", default="", help="The path of the socket address, as apps/demo of HOST:PORT/apps/demo.")
@dialplan_option
@config_option
@click.pass_context
def command(
    click_context: click.Context,
    number: str,
    keys: str,
    server: str | None,
    caller: str,
    context: str,
    path: str,
    dialplan: str | None,
    config: str | None,
) -> None:
    """Call NUMBER from this terminal, over a simulated switch.

    What is played appears as text. The keys 0-9, * and # are dialled as they
    are typed; ctrl-C hangs up.
    """
    groups = keys_of(keys)
    if server is not None and dialplan is not None:
        raise click.UsageError("--dialplan is the running server's own choice: give it to 'fsivr serve'")
    address = None if server is None else address_of(server)
    settings = load(config, dialplan=dialplan, listen="127.0.0.1:0", allow=["127.0.0.1"])
    from fsivr.cli.calling import own_server, place_call
    from fsivr.cli.signals import interruptible

    call = functools.partial(
        place_call, settings=settings, number=number, keys=groups, caller_number=caller, context=context, path=path
    )
    with interruptible(signal.SIGINT, signal.SIGTERM):
        if address is not None:
            code = call(address)
        else:
            with own_server(settings, number, context, path) as own_address:
                code = call(own_address)
    click_context.exit(code)


def keys_of(text: str) -> list[str]:
    """The keys to dial at each question.

    :raises ConfigError: something is no key.
    """
    groups = [group for group in re.split(r"[,\s]+", text.upper()) if group]
    if not all(re.fullmatch(r"[0-9*#A-D]+", group) for group in groups):
        raise ConfigError(f"keys are 0-9 * # A-D, with a comma before those of the next question, not {text!r}")
    return groups


def address_of(text: str) -> tuple[str, int]:
    """The host and port of a running server.

    :raises ConfigError: it is not HOST:PORT.
    """
    try:
        return parse_address(text)
    except ValueError:
        raise ConfigError(f"--server is HOST:PORT, as 127.0.0.1:8084, not {text!r}") from None
