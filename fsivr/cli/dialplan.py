"""``fsivr dialplan``: the switch's XML for the dialplan, or what is stale in a file of it."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from fsivr.cli.commands import config_option, dialplan_option
from fsivr.cli.output import console
from fsivr.config import load, parse_address
from fsivr.errors import ConfigError


@click.command(name="dialplan")
@click.option(
    "--server",
    "servers",
    metavar="HOST:PORT",
    multiple=True,
    help="A server, the first one first; socket_address or listen when left out.",
)
@click.option("--context", default="public", show_default=True, help="The context of extensions that name none.")
@click.option("--check", "check", metavar="FILE", help="Say what is stale in FILE; exit code 1 where something is.")
@dialplan_option
@config_option
@click.pass_context
def command(
    click_context: click.Context,
    servers: tuple[str, ...],
    context: str,
    check: str | None,
    dialplan: str | None,
    config: str | None,
) -> None:
    """Print the switch's dialplan, which sends calls here."""
    from fsivr.dialplan import load_dialplan
    from fsivr.dialplan_xml import as_xml, stale

    settings = load(config, dialplan=dialplan)
    for server in servers:
        _check_server(server)
    wanted = as_xml(
        load_dialplan(settings.dialplan),
        servers or (settings.socket_address or settings.listen,),
        context=context,
        made_of=settings.dialplan,
    )
    if check is None:
        click.echo(wanted, nl=False)
        return
    told = stale(_read(check), wanted)
    for line in told:
        console().print(Text(line), soft_wrap=True)
    if told:
        click_context.exit(1)
    console().print(Text(f"{check} is up to date", style="green"))


def _check_server(server: str) -> None:
    try:
        parse_address(server)
    except ValueError:
        raise click.BadParameter(f"--server is HOST:PORT, as 10.0.0.5:8084, not {server[:80]!r}") from None


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is no text in UTF-8") from None
