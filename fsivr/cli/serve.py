"""``fsivr serve``: take calls until told to stop."""

from __future__ import annotations

import click

from fsivr.cli.commands import config_option, dialplan_option
from fsivr.cli.output import console
from fsivr.config import load


@click.command(name="serve")
@dialplan_option
@click.option("--listen", metavar="HOST:PORT", help="The address the switch connects to; 127.0.0.1:8084 by default.")
@click.option("--simulate", is_flag=True, help="Add a simulated switch: type a number here to call it.")
@config_option
def command(dialplan: str | None, listen: str | None, simulate: bool, config: str | None) -> None:
    """Take calls from the switch until SIGTERM or ctrl-C.

    Stopping lets the calls under way finish, for as long as the setting
    drain_timeout; a second signal hangs them up.
    """
    from fsivr.cli.nightly import nightly_export
    from fsivr.cli.serving import announce, keep_serving, start

    server = start(load(config, dialplan=dialplan, listen=listen))
    announce(console(), server)
    with nightly_export(server.settings, config):
        keep_serving(server, simulate=simulate)
