"""``fsivr serve``: take calls until told to stop."""

from __future__ import annotations

import click

from fsivr.cli.commands import config_option, dialplan_option
from fsivr.config import Settings, load


@click.command(name="serve")
@dialplan_option
@click.option("--listen", metavar="HOST:PORT", help="The address the switch connects to; 127.0.0.1:8084 by default.")
@click.option("--api", metavar="HOST:PORT", help="The address of the API; 127.0.0.1:8080 by default.")
@click.option("--workers", type=int, metavar="N", help="How many processes take calls; 0, this one, by default.")
@click.option("--simulate", is_flag=True, help="Add a simulated switch: type a number here to call it.")
@config_option
def command(
    dialplan: str | None, listen: str | None, api: str | None, workers: int | None, simulate: bool, config: str | None
) -> None:
    """Take calls from the switch until SIGTERM or ctrl-C.

    Stopping lets the calls under way finish, for as long as the setting
    drain_timeout; a second signal hangs them up. The API is served by a
    process of its own, which ends with this one.

    With --workers, as many processes take the calls, one that dies is
    replaced, and SIGHUP has new ones with new code take over.
    """

    def read() -> Settings:
        return load(config, dialplan=dialplan, listen=listen, api_listen=api, workers=workers)

    settings = read()
    if settings.workers:
        from fsivr.cli.supervising import supervise

        supervise(settings, read, simulate=simulate, config=config)
    else:
        from fsivr.cli.serving import serve

        serve(settings, simulate=simulate, config=config)
