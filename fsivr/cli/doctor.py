"""``fsivr doctor``: whether this machine, its switch and its targets are as the applications need them."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from fsivr.cli.commands import config_option, dialplan_option
from fsivr.cli.output import console, plain
from fsivr.config import FILE_NAME, Settings, load
from fsivr.errors import ConfigError

if TYPE_CHECKING:
    from fsivr.doctor.finding import Finding
    from fsivr.doctor.site import Site

_STYLES = {"ok": "green", "note": "cyan", "warning": "yellow", "error": "bold red", "skipped": "dim"}
_WIDTH = 8


@click.command(name="doctor")
@click.option("--only", multiple=True, metavar="AREA", help="Only this area, as 'switch'; repeatable.")
@click.option("--ports", type=click.IntRange(1, 100_000), help="How many calls it is to be enough for; ports else.")
@click.option("--dialplan-file", metavar="FILE", help="The switch's file of 'fsivr dialplan', to be compared.")
@click.option("--wrong", is_flag=True, help="Tell only what is not as it should be.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@dialplan_option
@config_option
@click.pass_context
def command(
    context: click.Context,
    only: tuple[str, ...],
    ports: int | None,
    dialplan_file: str | None,
    wrong: bool,
    as_json: bool,
    dialplan: str | None,
    config: str | None,
) -> None:
    """Find what is wrong with this machine, switch and targets.

    The exit code is 1 where something is. Run it as the user that serves.
    """
    from fsivr.doctor.checks import AREAS, CHECKS
    from fsivr.doctor.examining import examine
    from fsivr.doctor.finding import Level

    for area in only:
        if area not in AREAS:
            raise click.UsageError(f"there is no area {area[:80]!r}: there are {', '.join(AREAS)}")
    site = _site(config, dialplan, ports, dialplan_file)
    try:
        found = examine(site, [check for check in CHECKS if not only or check.area in only])
    finally:
        site.close()
    told = [each for each in found if not wrong or each.level in (Level.WARNING, Level.ERROR)]
    if as_json:
        click.echo(json.dumps(_document(told, found), indent=2))
    else:
        _print(console(), told, found)
    if any(each.level is Level.ERROR for each in found):
        context.exit(1)


def _site(config: str | None, dialplan: str | None, ports: int | None, dialplan_file: str | None) -> Site:
    from fsivr.cli.prompting import played
    from fsivr.doctor.site import Site
    from fsivr.logs import configure

    named = config or os.environ.get("FSIVR_CONFIG") or None
    file = Path(named or FILE_NAME)
    there = _is_there(file)
    if named is not None and not there:
        raise ConfigError(f"there is no settings file {named}")
    settings: Settings | None = None
    wrong = ""
    try:
        settings = load(config, dialplan=dialplan)
    except ConfigError as error:
        wrong = str(error)
    # What a part of ours logs of what it met is told by a finding.
    configure("error", secrets=settings.secret_values if settings else ())
    return Site(
        settings,
        wrong=wrong,
        file=file if there else None,
        ports=ports,
        dialplan_file=dialplan_file,
        prompts=played,
    )


def _is_there(file: Path) -> bool:
    """Whether there is a file, which this user need not be allowed to see."""
    try:
        os.stat(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _document(told: Sequence[Finding], found: Sequence[Finding]) -> dict[str, object]:
    from fsivr.doctor.examining import counts

    return {
        "findings": [dataclasses.asdict(each) for each in told],
        "counts": {level.value: number for level, number in counts(found)},
    }


def _print(screen: Console, told: Sequence[Finding], found: Sequence[Finding]) -> None:
    from fsivr.doctor.examining import counts

    area = ""
    for each, after in zip(told, [*told[1:], None], strict=True):
        if each.area != area:
            area = each.area
            screen.print(Text(area, style="bold"))
        # What several findings of one check have in common is told once, after the last.
        shared = after is not None and (each.area, each.check, each.mend) == (after.area, after.check, after.mend)
        _print_one(screen, each, details=not shared)
    words = {"ok": "right", "note": "notes", "warning": "warnings", "error": "errors", "skipped": "not looked at"}
    summary = [Text(f"{number} {words[level.value]}", style=_STYLES[level.value]) for level, number in counts(found)]
    screen.print(Text(", ").join(summary))


def _print_one(screen: Console, each: Finding, *, details: bool) -> None:
    mark = (f"{each.level.value:<{_WIDTH}}", _STYLES[each.level.value])
    screen.print(Text.assemble("  ", mark, " ", (f"{each.check}: ", "bold"), plain(each.what)), soft_wrap=True)
    if details and each.level.value in ("warning", "error"):
        _detail(screen, "why", each.why)
    if details and each.mend:
        _detail(screen, "mend", each.mend)


def _detail(screen: Console, name: str, text: str) -> None:
    screen.print(Text.assemble(" " * (_WIDTH + 3), (f"{name}: ", "dim"), plain(text)), soft_wrap=True)
