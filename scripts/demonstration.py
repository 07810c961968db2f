#!/usr/bin/env python3
"""Serves the sample applications with the simulated switch, and shows a call and a recording, also through the API.

``scripts/run`` starts it.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import dataclasses
import sys
from collections.abc import Callable

import click
from demonstrating.showing import NotShown, free_address, show
from rich.text import Text

from fsivr import HangupCause, Say, Tone
from fsivr.cli.output import complain, console
from fsivr.cli.serving import keep_serving, say_what_is_served, serving_api, start
from fsivr.cli.telephone import Paper
from fsivr.config import load
from fsivr.errors import ConfigError
from fsivr.listening import written
from fsivr.prompts import PromptLibrary
from fsivr.server import Server
from fsivr.simulator import Caller, CallFailed, Switch

#: A caller's number, from those that are nobody's.
CALLER = "4915550100"


def demonstrate(server: Server) -> dict[str, str]:
    """The calls by their numbers, each with its uuid: a balance is heard, and a message left.

    :raises CallFailed: a call went another way.
    """
    switch = Switch(server.address, library=PromptLibrary.of(server.settings))
    try:
        return {
            "4100": _called(switch, "4100", "apps/balance.py", _hear_balance),
            "4301": _called(switch, "4301", "apps/voicemail.py", _leave_message),
        }
    finally:
        switch.stop()


def _hear_balance(caller: Caller) -> None:
    caller.hears("bank/welcome", "bank/account-number")
    caller.dials("123456")
    caller.hears("bank/pin")
    caller.dials("1234")
    caller.hears("bank/main-menu")
    caller.dials("1")
    caller.hears("bank/your-balance-is", Say.currency(4200))


def _leave_message(caller: Caller) -> None:
    caller.hears("voicemail/leave-a-message", Tone("%(200,0,1000)"))
    caller.talks(4)
    caller.dials("#")
    caller.hears("voicemail/thank-you")


def _called(switch: Switch, number: str, file: str, conversation: Callable[[Caller], None]) -> str:
    """The uuid of a call that went as it should."""
    screen = console()
    screen.print(Text.assemble("\na demonstration: ", (number, "bold"), " is called, on a clock of its own"))
    paper = Paper(screen)
    try:
        with switch.call(number, caller_number=CALLER) as caller:
            caller.listen(paper.write)
            conversation(caller)
            uuid = caller.uuid
    finally:
        paper.end_line()
    if caller.hangup_cause is not HangupCause.NORMAL_CLEARING:
        raise CallFailed(f"the call ended with {caller.hangup_cause}")
    screen.print(Text(f"the call went as {file} says", style="green"))
    return uuid


def started(listen: str | None) -> Server:
    """A server of the sample applications, whose API is open to this machine.

    :raises ConfigError: a setting is wrong, or an address taken.
    """
    plain = {"api_certificate": "", "api_certificate_key": "", "api_redirect_from": ""}
    settings = load(dialplan="apps:dialplan", listen=listen, api_open_on_loopback=True, **plain)
    return start(dataclasses.replace(settings, api_listen=free_address(settings.api_listen)))


@click.command()
@click.option("--once", is_flag=True, help="End after the demonstration; exit code 0 if the calls went right.")
@click.option("--listen", metavar="HOST:PORT", help="The address to serve; 127.0.0.1:8084 when left out.")
def main(once: bool, listen: str | None) -> None:
    """Serve the sample applications with the simulated switch, and show a call and a recording."""
    try:
        server = started(listen)
    except ConfigError as error:
        for line in str(error).splitlines():
            complain(line)
        sys.exit(2)
    say_what_is_served(server)
    with serving_api(server.settings, written(server.address)) as drain:
        try:
            calls = demonstrate(server)
            show(console(), f"http://{server.settings.api_listen}", calls)
        except (CallFailed, NotShown, OSError) as error:
            complain(f"the demonstration went wrong: {error}")
            server.stop(timeout=0)
            sys.exit(1)
        if once:
            server.stop(timeout=0)
        else:
            keep_serving(server, drain, simulate=True)


if __name__ == "__main__":
    main()
