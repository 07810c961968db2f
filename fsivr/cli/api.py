"""``fsivr api``: serve the API until told to stop."""

from __future__ import annotations

import click

from fsivr.cli.commands import config_option, dialplan_option
from fsivr.config import load


@click.command(name="api")
@click.option("--listen", metavar="HOST:PORT", help="The address of the API; 127.0.0.1:8080 by default.")
@dialplan_option
@click.option("--until-eof", is_flag=True, help="End when standard input does: it is how `fsivr serve` starts it.")
@config_option
def command(listen: str | None, dialplan: str | None, until_eof: bool, config: str | None) -> None:
    """Serve the API alone, until SIGTERM or ctrl-C.

    `fsivr serve` does it too, beside taking calls.
    """
    from fsivr.cli.api_serving import serve

    serve(load(config, api_listen=listen, dialplan=dialplan), until_eof=until_eof, config=config)
