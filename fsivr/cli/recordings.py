"""``fsivr recordings``: what is kept of calls, listed, proved, held, released, and removed in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from fsivr.cli.commands import config_option
from fsivr.cli.output import console

_STATES = ("recording", "sealed", "degraded", "failed", "exported", "purged")


class _Time(click.ParamType[datetime]):
    """A moment in UTC, or so long ago."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> datetime:
        """The moment of what was typed."""
        from fsivr.cli.recorded import parse_time

        try:
            return value if isinstance(value, datetime) else parse_time(value)
        except ValueError as error:
            self.fail(str(error), param, context)


@click.group(name="recordings", no_args_is_help=False)
def command() -> None:
    """Recordings: list, verify, hold, purge, reconcile and more."""


def _filters(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which recordings are meant."""
    for option in (
        click.option("--state", type=click.Choice(_STATES), help="Only those of this state."),
        click.option("--call", metavar="UUID", help="Only those of this call."),
        click.option("--handler", metavar="NAME", help="Only those of this handler, as apps.balance.Balance."),
        click.option("--held/--not-held", default=None, help="Only those that are on hold, or are not."),
        click.option("--since", type=_Time(), help="Only from then on: 2026-11-24, 2026-11-24T13:55, or 7d, 12h, 30m."),
        click.option("--until", type=_Time(), help="Only until before then."),
    ):
        function = option(function)
    return function


@command.command(name="list")
@_filters
@click.option("--limit", type=click.IntRange(0), default=50, help="The most that are listed, 50; 0 for all.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line.")
@config_option
def list_(config: str | None, limit: int, as_json: bool, **filters: Any) -> None:
    """List recordings, newest first. Times are in UTC."""
    from fsivr.cli import recorded
    from fsivr.cli.archives import open_archive

    with open_archive(config) as archive:
        rows, more = recorded.found(archive.store, limit, filters)
    if as_json:
        for row in rows:
            click.echo(json.dumps(recorded.document(row)))
    else:
        recorded.print_list(console(), rows)
    if more:
        console(stderr=True).print(f"There are more than these {limit}: --limit 0 lists all.", style="dim")


@command.command(name="show")
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="The sidecar, as JSON.")
@config_option
def show(id: str, as_json: bool, config: str | None) -> None:
    """Show all that is told of a recording, and where its file is."""
    from fsivr.cli import recorded
    from fsivr.cli.archives import open_archive

    with open_archive(config) as archive:
        sidecar = archive.sidecar(id)
    if as_json:
        click.echo(sidecar.encode(), nl=False)
    else:
        recorded.print_one(console(), sidecar, archive.folders.root / sidecar.path)


@command.command(name="verify")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@config_option
@click.pass_context
def verify(context: click.Context, ids: tuple[str, ...], config: str | None) -> None:
    """Read each file to its end and compare it with its sidecar.

    All files of this node, where no ID is given. The exit code is 1 where one is damaged.
    """
    from fsivr.cli import verifying
    from fsivr.cli.archives import open_archive, operator

    with open_archive(config) as archive:
        damaged = verifying.verify(archive, ids or None, by=operator())
    if damaged:
        context.exit(1)


@command.command(name="hold")
@click.argument("id")
@click.option("--reason", required=True, metavar="TEXT", help="Why; up to 500 letters.")
@config_option
def hold(id: str, reason: str, config: str | None) -> None:
    """Keep a recording until it is released.

    On one that is on hold, the new reason replaces the one before.
    """
    from fsivr.cli.archives import open_archive, operator

    with open_archive(config) as archive:
        try:
            archive.hold(id, reason, by=operator())
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    console().print(f"{id} is on hold")


@command.command(name="release")
@click.argument("id")
@config_option
def release(id: str, config: str | None) -> None:
    """End the hold of a recording."""
    from fsivr.cli.archives import open_archive, operator

    with open_archive(config) as archive:
        archive.release(id, by=operator())
    console().print(f"{id} is released")


@command.command(name="purge")
@click.option("--dry-run", is_flag=True, help="Only tell what would be purged.")
@config_option
def purge(dry_run: bool, config: str | None) -> None:
    """Remove sound files whose time is over.

    Those older than the setting retention says for their class, once their
    export is proved, and not on hold. What is told of them stays.
    """
    from fsivr.cli import recorded
    from fsivr.cli.archives import open_archive, operator

    with open_archive(config) as archive:
        purged = archive.purge(by=operator(), dry_run=dry_run)
    recorded.print_purged(console(), purged, dry_run=dry_run)


@command.command(name="delete")
@click.argument("id")
@click.option("--unexported", is_flag=True, help="Also where its export is not proved: the sound is gone for good.")
@config_option
def delete(id: str, unexported: bool, config: str | None) -> None:
    """Remove one sound file before its time.

    Never of a recording on hold. What is told of it stays.
    """
    from fsivr.cli.archives import open_archive, operator
    from fsivr.cli.recorded import size

    with open_archive(config) as archive:
        freed = archive.delete(id, by=operator(), unexported=unexported)
    console().print(f"{id} is deleted, {size(freed)}; what is told of it is kept")


@command.command(name="reconcile")
@click.option(
    "--settle", type=click.FloatRange(0, 86400), default=30.0, metavar="SECONDS", help="How long a file is at rest, 30."
)
@config_option
def reconcile(settle: float, config: str | None) -> None:
    """Make files and database agree after a crash.

    Recordings that a dead process left are sealed, rows are made right. What a
    live process is at is left to it. A server does so at its start.
    """
    from fsivr.cli.archives import open_archive
    from fsivr.recordings.reconcile import reconcile as reconciled

    with open_archive(config, create=True) as archive:
        done = reconciled(archive, settle=settle)
    console().print(str(done) or "nothing to do: files and database agree")


@command.command(name="reindex")
@config_option
def reindex(config: str | None) -> None:
    """Make the database's rows of recordings anew from the files."""
    from fsivr.cli import recorded
    from fsivr.cli.archives import open_archive, operator

    with open_archive(config, create=True) as archive, recorded.counting("recordings read") as progress:
        counts = archive.reindex(by=operator(), progress=progress)
    recorded.print_counts(console(), counts)


@command.command(name="usage")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@config_option
def usage(as_json: bool, config: str | None) -> None:
    """Tell what the recordings take, and how long the disk will do."""
    from fsivr.cli import recorded
    from fsivr.cli.archives import open_archive

    with open_archive(config) as archive:
        taken = archive.usage()
    if as_json:
        click.echo(json.dumps(taken._asdict()))
    else:
        recorded.print_usage(console(), archive.folders.root, taken)
