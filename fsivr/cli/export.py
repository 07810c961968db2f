"""``fsivr export``: recordings brought to the targets of the settings, each arrival proved."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from fsivr.cli.exportable import choosing, opened_archive
from fsivr.cli.exported_back import restore, verify
from fsivr.cli.output import complain, console
from fsivr.config import load
from fsivr.errors import AlreadyExporting

if TYPE_CHECKING:
    from fsivr.exporter.exporting import Ended

#: Exit codes: some are not there, another run holds the lock, a target refuses, ctrl-C.
SOME_MISSING, LOCKED, REFUSED, INTERRUPTED = 1, 3, 4, 130


class _Export(click.Group):
    """A group whose command is ``run`` where none is named."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        if not arguments or (arguments[0] not in self.commands and arguments[0] not in ("-h", "--help")):
            arguments = ["run", *arguments]
        return super().parse_args(context, arguments)


@click.group(name="export", cls=_Export, no_args_is_help=False)
def command() -> None:
    """Bring recordings to the targets, and prove each arrival.

    'fsivr export' alone, or with targets, is 'fsivr export run'. Exit codes: 0 all
    is there; 1 some failed or remain; 2 wrong use or setting; 3 another run is at
    it; 4 a target refuses until somebody mends it; 130 interrupted.
    """


def _ids(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """The ids of runs by the names of their targets."""
    for each in given:
        if not re.fullmatch(r"[a-z0-9_-]+=[0-9TZ.]+-[0-9a-f]{12}", each, re.ASCII):
            raise click.BadParameter(f"--id is TARGET=ID, an id of a run being as of the API, not {each[:80]!r}")
    return dict(each.split("=", 1) for each in given)


@command.command(name="run")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--dry-run", is_flag=True, help="Say what there is to bring, and bring nothing.")
@click.option("--app", default="", metavar="HANDLER", help="Those of one handler, by its name or the last part of it.")
@click.option("--exported", is_flag=True, help="Also those that were exported before the target was set.")
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
@click.option("--id", "ids", multiple=True, callback=_ids, metavar="TARGET=ID", help="The id of the run to a target.")
@choosing
@click.pass_context
def run(context: click.Context, /, targets: tuple[str, ...], config: str | None, **options: Any) -> None:
    """Bring what waits to each TARGET, all of the settings when none is named."""
    from fsivr.cli.exported import size
    from fsivr.exporter.exporting import Exporting, runs
    from fsivr.exporter.plan import Choice

    settings = load(config)
    choice = Choice(options["since"], options["until"], options["app"], options["exported"])
    with opened_archive(settings) as archive:
        all_runs = runs(settings, archive, targets, choice, ids=options["ids"])
        if options["dry_run"]:
            reports = [each.measure() for each in all_runs]
            if options["as_json"]:
                click.echo(json.dumps([report.document() for report in reports], indent=1))
            else:
                for report in reports:
                    click.echo(f"{report.target}: {report.planned} to bring, {size(report.planned_bytes)}")
            return
        exporting = Exporting(settings, all_runs)
        stopped = _watch(exporting, all_runs, quiet=options["as_json"])
        code = _told(exporting.ended, as_json=options["as_json"])
    context.exit(INTERRUPTED if stopped else code)


def _watch(exporting: Any, all_runs: Any, *, quiet: bool) -> bool:
    """Show runs until they are over; whether a signal ended them."""
    from fsivr.cli.exported import Bars

    stopped: list[int] = []

    def stop(number: int, frame: object) -> None:
        if stopped:
            raise KeyboardInterrupt
        stopped.append(number)
        exporting.stop()

    # Standard output is the report's.
    with _handling(stop):
        bars = None if quiet else Bars(console(stderr=True), all_runs)
        try:
            exporting.start()
            while not exporting.join(0.1):
                if bars is not None:
                    bars.show()
        finally:
            if bars is not None:
                bars.close()
    return bool(stopped)


def _told(ended: list[Ended], *, as_json: bool) -> int:
    """Print how runs ended; the exit code of it."""
    from fsivr.cli.exported import tell

    codes = [0]
    documents = []
    for report, error in ended:
        documents.append(report.document())
        if error is not None:
            complain(f"target {report.target}: {error}")
            documents[-1]["error"] = str(error)
            codes.append(LOCKED if isinstance(error, AlreadyExporting) else SOME_MISSING)
            continue
        if not as_json:
            tell(console(), report)
        codes.append(REFUSED if report.refused else 0 if report.complete else SOME_MISSING)
    if as_json:
        click.echo(json.dumps(documents, indent=1))
    return max(codes)


@contextmanager
def _handling(stop: Callable[[int, Any], None]) -> Iterator[None]:
    """SIGTERM and ctrl-C call a function; a second one ends the program."""
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


command.add_command(verify)
command.add_command(restore)
