"""``fsivr serve-worker``: one of the processes that ``fsivr serve --workers`` starts."""

from __future__ import annotations

import click

from fsivr.config import load


@click.command(name="serve-worker", hidden=True)
@click.option("--slot", type=int, required=True, help="Its number.")
@click.option("--socket", "sock", type=int, required=True, help="The descriptor of its listening socket.")
@click.option("--channel", type=int, required=True, help="That of its channel to the supervisor.")
@click.option("--ports-file", "ports", type=int, required=True, help="That of the file of the ports.")
def command(slot: int, sock: int, channel: int, ports: int) -> None:
    """Take calls for `fsivr serve --workers`, which starts this; for nobody else."""
    from fsivr.cli.working import work

    work(load(), slot=slot, sock=sock, channel=channel, ports=ports)
