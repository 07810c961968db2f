"""``fsivr calls``: the calls that there were, one of them in full, and a test of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from fsivr.causes import HangupCause
from fsivr.cli.commands import config_option
from fsivr.cli.moments import moment
from fsivr.config import load
from fsivr.errors import ConfigError, StoreError

_PAGE = 500


class _Calls(click.Group):
    """A group that lists where no other command is named."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """The arguments, with ``list`` before those that are its own."""
        if not args or (args[0].startswith("-") and args[0] not in context.help_option_names):
            args = ["list", *args]
        return super().parse_args(context, args)


@click.group(name="calls", cls=_Calls, no_args_is_help=False)
def command() -> None:
    """The calls that are kept: list, show, to-test."""


_json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")


@command.command(name="list")
@click.option("--state", type=click.Choice(["live", "ended"]), help="Only those that are up, or those that are over.")
@click.option("--caller", metavar="NUMBER", help="Only those of this caller.")
@click.option("--dialled", metavar="NUMBER", help="Only those to this number.")
@click.option("--handler", metavar="NAME", help="Only those of this handler, as apps.balance.Balance.")
@click.option("--cause", metavar="CAUSE", help="Only those that ended with this hangup cause.")
@click.option("--since", callback=moment, metavar="TIME", help="Only those from then on: 2026-11-24T14:30, or 2h ago.")
@click.option("--until", callback=moment, metavar="TIME", help="Only those before.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@_json_option
@config_option
def list_calls(config: str | None, as_json: bool, limit: int, cause: str | None, **filters: Any) -> None:
    """List calls, the newest first."""
    from fsivr.cli.showing import as_dict, print_calls
    from fsivr.store.reading import opened

    filters["cause"] = _cause(cause)
    found: list[Any] = []
    with opened(load(config).database) as store:
        after = None
        while len(found) < limit:
            page = store.calls(after=after, limit=min(_PAGE, limit - len(found)), **filters)
            found += page.items
            after = page.after
            if after is None:
                break
    if as_json:
        for call in found:
            click.echo(json.dumps(as_dict(call)))
    else:
        print_calls(found, more=after is not None)


@command.command(name="show")
@click.argument("uuid")
@_json_option
@config_option
def show(uuid: str, as_json: bool, config: str | None) -> None:
    """Show a call and what happened in it."""
    from fsivr.cli.showing import as_dict, print_call

    call, timeline = _found(uuid, config)
    if as_json:
        click.echo(json.dumps({**as_dict(call), "timeline": timeline}, indent=2))
    else:
        print_call(call, timeline)


@command.command(name="to-test")
@click.argument("uuid")
@click.option("--output", metavar="FILE", help="The file to write; standard output when left out.")
@config_option
def to_test(uuid: str, output: str | None, config: str | None) -> None:
    """Write a test that makes the same call anew.

    It passes for as long as the handler does the same.
    """
    from fsivr.cli.output import console
    from fsivr.cli.replay import test_of

    call, timeline = _found(uuid, config)
    if call.ended is None:
        raise StoreError(f"the call {call.uuid} is not over yet")
    if call.direction == "outbound":
        raise StoreError(f"the call {call.uuid} was placed: a test is made of one that came in")
    if not call.handler and call.hangup_cause != HangupCause.NO_ROUTE_DESTINATION.name:
        raise StoreError(f"the call {call.uuid} had no handler: {call.error}")
    text = test_of(call, timeline)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with Path(output).open("x") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{output} is there already; nothing was written") from None
    console().print(f"wrote {output}")


def _found(uuid: str, config: str | None) -> tuple[Any, list[Any]]:
    """A call and its timeline.

    :raises StoreError: there is none.
    """
    from fsivr.store.reading import opened

    with opened(load(config).database) as store:
        call = store.call(uuid)
    if call is None:
        raise StoreError(f"there is no call {uuid[:80]}")
    timeline = json.loads(call.timeline)
    return call, [entry for entry in timeline if isinstance(entry, dict)]


def _cause(name: str | None) -> str | None:
    """The name of a hangup cause.

    :raises ConfigError: there is none of that name.
    """
    if name is not None and name.upper() not in HangupCause.__members__:
        raise ConfigError(f"--cause is a hangup cause, as NORMAL_CLEARING, not {name[:80]!r}")
    return None if name is None else name.upper()
