"""``fsivr export verify`` and ``restore``: an archive at a target proved once more, and brought back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from fsivr.cli.commands import config_option
from fsivr.cli.exportable import choosing, opened_archive
from fsivr.cli.output import complain, console
from fsivr.config import load
from fsivr.errors import PermanentError

if TYPE_CHECKING:
    from fsivr.exporter.restoring import Restored, Restoring

_REFUSED = 4
_MOST_SHOWN = 20


@click.command(name="verify")
@click.argument("target")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@config_option
@click.pass_context
def verify(context: click.Context, target: str, as_json: bool, config: str | None) -> None:
    """Prove everything at TARGET once more, by its manifests.

    Exit code 1 where something is missing or changed; what no manifest tells of
    is told, and is no fault.
    """
    from fsivr.cli.exported import counted, size
    from fsivr.exporter.exporting import chosen
    from fsivr.exporter.proving import prove

    settings = load(config)
    recipe = chosen(settings, [target])[target]
    with _refusals(context), _counting("proved") as show:
        found = prove(recipe, workers=settings.export_concurrency, progress=lambda proved: show(proved.files))
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found), indent=1))
    else:
        screen = console()
        for kind in ("unreadable", "missing", "changed", "unknown", "extra"):
            for what in getattr(found, kind)[:_MOST_SHOWN]:
                screen.print(f"{kind}: {what}", soft_wrap=True)
            more = found.counts.get(kind, 0) - _MOST_SHOWN
            if more > 0:
                screen.print(f"{kind}: and {more} more")
        screen.print(f"{target}: {counted(found.files, 'file')} proved, {size(found.bytes)}")
    if not found.right:
        context.exit(1)


@click.command(name="restore")
@click.argument("target")
@click.option("--into", metavar="FOLDER", help="Another folder than recordings_path: the files alone, without rows.")
@choosing
@click.pass_context
def restore(
    context: click.Context,
    target: str,
    into: str | None,
    config: str | None,
    since: datetime | None,
    until: datetime | None,
) -> None:
    """Bring recordings back from TARGET, prove each, and make their rows.

    What is here already, the same, is left as it is. Exit code 1 where some could
    not be brought back.
    """
    from fsivr.exporter.exporting import chosen
    from fsivr.exporter.restoring import Restoring
    from fsivr.recordings import Folders

    settings = load(config)
    recipe = chosen(settings, [target])[target]
    folders = Folders(into or settings.recordings_path)
    restoring = Restoring(target, recipe, folders=folders, node=settings.node_name, targets=settings.targets)
    with _refusals(context):
        complete = _restored(restoring, settings.export_concurrency, since, until)
    if into is None:
        with opened_archive(settings) as archive:
            counts = archive.reindex(by="export restore")
        console().print(f"{counts.recordings} rows")
    if not complete:
        context.exit(1)


def _restored(restoring: Restoring, workers: int, since: datetime | None, until: datetime | None) -> bool:
    from fsivr.cli.exported import counted, size

    def shown(restored: Restored) -> None:
        show(restored.recordings + restored.here)

    with _counting("brought back") as show:
        found = restoring.run(workers=workers, since=since, until=until, progress=shown)
    screen = console()
    for what in found.unreadable[:_MOST_SHOWN]:
        screen.print(f"unreadable: {what}", soft_wrap=True)
    for id, why in found.failures[:_MOST_SHOWN]:
        screen.print(f"failed: {id}: {why}", soft_wrap=True)
    more = len(found.failures) - _MOST_SHOWN
    if more > 0:
        screen.print(f"failed: and {more} more")
    here = f", {found.here} were here already" if found.here else ""
    screen.print(f"{counted(found.recordings, 'recording')} brought back and proved, {size(found.bytes)}{here}")
    return found.complete


@contextmanager
def _refusals(context: click.Context) -> Iterator[None]:
    """A target that refuses is an exit code of its own."""
    try:
        yield
    except PermanentError as error:
        complain(str(error))
        context.exit(_REFUSED)


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int], Any]]:
    """A count on a terminal, while it goes on."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield lambda count: None
        return
    with screen.status(what) as status:
        yield lambda count: status.update(f"{count} {what}")
