"""``fsivr route NUMBER``: which handler answers a number, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.text import Text

from fsivr.cli.commands import config_option, dialplan_option
from fsivr.cli.output import console
from fsivr.config import load

if TYPE_CHECKING:
    from fsivr.dialplan import Extension


@click.command(name="route")
@click.argument("number")
@click.option("--context", default="public", show_default=True, help="The dialplan context the call comes in.")
@click.option("--path", default="", help="The path of the socket address, as apps/demo of HOST:PORT/apps/demo.")
@dialplan_option
@config_option
@click.pass_context
def command(
    click_context: click.Context, number: str, context: str, path: str, dialplan: str | None, config: str | None
) -> None:
    """Say which handler answers NUMBER, and why.

    Each extension that is looked at is told, in order, until one matches.
    """
    from fsivr.dialplan import load_dialplan

    settings = load(config, dialplan=dialplan)
    table = load_dialplan(settings.dialplan)
    screen = console()
    looked_at = table.explain(number, context, path)
    for extension, reason in looked_at:
        mark = Text("-", style="dim") if reason else Text("*", style="bold green")
        screen.print(Text.assemble("  ", mark, f" {_described(extension)}: ", reason or "answers"))
    if looked_at and not looked_at[-1][1]:
        screen.print(Text.assemble((number, "bold"), " reaches ", (_name(looked_at[-1][0]), "bold green")))
        return
    screen.print(Text.assemble((number, "bold"), f" reaches nothing in {settings.dialplan}"))
    click_context.exit(1)


def _described(extension: Extension) -> str:
    limits = [
        f"{name} {value}"
        for name, value in (("context", extension.context), ("path", extension.path))
        if value is not None
    ]
    return " ".join([extension.number, *limits, _name(extension)])


def _name(extension: Extension) -> str:
    handler = extension.handler
    return f"{handler.__module__}.{getattr(handler, '__qualname__', handler)}"
