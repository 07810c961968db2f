#!/usr/bin/env python3
"""Serves the sample applications with the simulated switch, and shows a call; ``scripts/run`` starts it."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import sys

import click
from rich.text import Text

from fsivr import HangupCause, Say
from fsivr.cli.output import complain, console
from fsivr.cli.serving import announce, keep_serving, start
from fsivr.cli.telephone import Paper
from fsivr.config import load
from fsivr.errors import ConfigError
from fsivr.prompts import PromptLibrary
from fsivr.server import Server
from fsivr.simulator import CallFailed, Switch


def demonstrate(server: Server) -> None:
    """Call 4100 and hear what ``apps/balance.py`` says.

    :raises CallFailed: the call went another way.
    """
    screen = console()
    screen.print(Text.assemble("\na demonstration: ", ("4100", "bold"), " is called, on a clock of its own"))
    paper = Paper(screen)
    settings = server.settings
    library = PromptLibrary.of(settings)
    switch = Switch(server.address, library=library)
    try:
        with switch.call("4100") as caller:
            caller.listen(paper.write)
            caller.hears("bank/welcome", "bank/account-number")
            caller.dials("123456")
            caller.hears("bank/pin")
            caller.dials("1234")
            caller.hears("bank/main-menu")
            caller.dials("1")
            caller.hears("bank/your-balance-is", Say.currency(4200))
    finally:
        paper.end_line()
        switch.stop()
    if caller.hangup_cause is not HangupCause.NORMAL_CLEARING:
        raise CallFailed(f"the call ended with {caller.hangup_cause}")
    screen.print(Text("the call went as apps/balance.py says\n", style="green"))


@click.command()
@click.option("--once", is_flag=True, help="End after the demonstration; exit code 0 if the call went right.")
@click.option("--listen", metavar="HOST:PORT", help="The address to serve; 127.0.0.1:8084 when left out.")
def main(once: bool, listen: str | None) -> None:
    """Serve the sample applications with the simulated switch, and show a call."""
    try:
        server = start(load(dialplan="apps:dialplan", listen=listen))
    except ConfigError as error:
        for line in str(error).splitlines():
            complain(line)
        sys.exit(2)
    announce(console(), server)
    try:
        demonstrate(server)
    except CallFailed as error:
        complain(f"the demonstration went wrong: {error}")
        server.stop(timeout=0)
        sys.exit(1)
    if once:
        server.stop(timeout=0)
    else:
        keep_serving(server, simulate=True)


if __name__ == "__main__":
    main()
