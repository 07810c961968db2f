"""The commands by name; each module is imported when its command is used."""

from __future__ import annotations

import difflib
import importlib
from importlib import metadata

import click

NAMES = (
    *("serve", "call", "calls", "recordings", "export", "api", "apikey"),
    *("route", "dialplan", "prompts", "settings", "doctor", "size", "new"),
)
#: Those that nobody is to use: fsivr itself starts them.
_INNER = ("serve-worker",)


class Commands(click.Group):
    """A group whose commands are the modules of this package."""

    def list_commands(self, context: click.Context) -> list[str]:
        """The names, in the order a newcomer needs them."""
        return list(NAMES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command, or ``None`` where there is none of this name."""
        if name not in (*NAMES, *_INNER):
            return None
        command: click.Command = importlib.import_module(f"fsivr.cli.{name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was meant; an unknown one is an error that names the nearest."""
        name = arguments[0]
        if name not in (*NAMES, *_INNER) and not name.startswith("-"):
            near = difflib.get_close_matches(name, NAMES, n=1)
            advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(NAMES)}."
            raise click.UsageError(f"there is no command {name}: {advice}", context)
        return super().resolve_command(context, arguments)


def _print_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"fsivr {metadata.version('fsivr')}")
        context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="The version."
)
def commands() -> None:
    """Phone calls as Python classes, run on FreeSWITCH."""


#: The option of each command that reads settings.
config_option = click.option(
    "--config", metavar="FILE", help="The settings file; fsivr.toml of this folder when left out."
)
dialplan_option = click.option(
    "--dialplan", metavar="MODULE:NAME", help="Where the dialplan is; apps:dialplan when nothing else is set."
)
