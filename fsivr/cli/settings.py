"""``fsivr settings``: every setting, its value, where it came from and what it does."""

from __future__ import annotations

from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fsivr.cli.commands import config_option
from fsivr.cli.output import console
from fsivr.config import HIDDEN, SETTINGS, Setting, Settings, load

# Below so many columns a table's last column would be a stripe of single words.
_TABLE_WIDTH = 100


@click.command(name="settings")
@config_option
def command(config: str | None) -> None:
    """Show each setting: value, where it came from, what it does."""
    settings = load(config)
    screen = console()
    if screen.width >= _TABLE_WIDTH:
        _print_table(screen, settings)
    else:
        _print_list(screen, settings)


def _print_table(screen: Console, settings: Settings) -> None:
    table = Table(box=SIMPLE_HEAD if screen.is_terminal else None, pad_edge=False)
    table.add_column("Setting", style="bold", no_wrap=True)
    table.add_column("Value", overflow="fold")
    table.add_column("From", overflow="fold")
    table.add_column("What it does", ratio=1)
    for setting in SETTINGS:
        table.add_row(setting.name, _value(settings, setting), _source(settings, setting), setting.help)
    with screen.capture() as captured:
        screen.print(table)
    for line in captured.get().splitlines():
        if line.strip():
            screen.out(line.rstrip())


def _print_list(screen: Console, settings: Settings) -> None:
    for setting in SETTINGS:
        name = Text(setting.name, style="bold")
        screen.print(Text.assemble(name, " = ", _value(settings, setting), " (", _source(settings, setting), ")"))
        screen.print(Text(setting.help, style="dim"))


def _value(settings: Settings, setting: Setting) -> Text:
    if setting.secret:
        return Text(HIDDEN)
    value: Any = setting.shown(getattr(settings, setting.name))
    if isinstance(value, bool):
        value = str(value).lower()  # as TOML writes it
    shown = ", ".join(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)
    return Text(shown or '""', style="" if value == setting.default else "cyan")


def _source(settings: Settings, setting: Setting) -> Text:
    source = settings.source(setting.name)
    return Text(source, style="dim" if source == "default" else "cyan")
