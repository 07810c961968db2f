"""Recordings as an operator reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fsivr.cli.moments import in_utc
from fsivr.cli.output import console, plain
from fsivr.recordings import Counts, Purged, Sidecar, Usage
from fsivr.store import Recording, Store

#: How each state is shown: what needs somebody is seen.
_STYLES = {"degraded": "yellow", "failed": "red", "purged": "dim", "exported": "green", "recording": "cyan"}
_PAGE = 1000
_TEN_YEARS = 3652  # days
# From so many columns on there is room for what is known besides.
_ROOMY, _WIDE = 100, 130
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def parse_time(text: str) -> datetime:
    """A moment: as 2026-11-24, 2026-11-24T13:55, in UTC where no zone is said; or 7d, 12h, 30m for so long ago.

    :raises ValueError: it is none.
    """
    ago = re.fullmatch(r"([0-9]{1,5})([dhm])", text)
    try:
        if ago is not None:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return in_utc(text)
    except (ValueError, OverflowError):
        raise ValueError(
            f"a time is as 2026-11-24, 2026-11-24T13:55, or 7d, 12h, 30m for so long ago, not {text[:80]!r}"
        ) from None


def found(store: Store, limit: int, filters: dict[str, Any]) -> tuple[list[Recording], bool]:
    """The newest recordings that filters tell of, up to a limit, and whether there are more; 0 has no limit."""
    rows: list[Recording] = []
    after = None
    while True:
        most = min(_PAGE, limit - len(rows)) if limit else _PAGE
        page = store.recordings(after=after, limit=most, **filters)
        rows += page.items
        after = page.after
        if after is None or (limit and len(rows) >= limit):
            return rows, after is not None


def document(row: Recording) -> dict[str, Any]:
    """What is known of a recording, as JSON can say it."""
    told = {name: getattr(row, name) for name in Recording._meta.fields}
    told = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}
    return told | {"mask_spans": json.loads(row.mask_spans)}


def print_list(screen: Console, rows: Sequence[Recording]) -> None:
    """A line for each recording."""
    if not rows:
        screen.print("no recordings", style="dim")
        return
    wide = not screen.is_terminal or screen.width >= _WIDE
    roomy = wide or screen.width >= _ROOMY
    table = Table(box=SIMPLE_HEAD if screen.is_terminal else None, pad_edge=False)
    table.add_column("Recording", no_wrap=True, style="bold")
    table.add_column("State", no_wrap=True)
    table.add_column("Length", justify="right", no_wrap=True)
    table.add_column("Caller", overflow="ellipsis", no_wrap=True)
    if roomy:
        table.add_column("Dialled", overflow="ellipsis", no_wrap=True)
    if wide:
        table.add_column("Size", justify="right", no_wrap=True)
        table.add_column("Handler", overflow="ellipsis", no_wrap=True)
    table.add_column("Hold", overflow="ellipsis", no_wrap=True)
    for row in rows:
        state = Text(row.state, style=_STYLES.get(row.state, ""))
        hold = Text("" if row.held is None else plain(row.hold_reason or "on hold"), style="magenta")
        cells: list[Text | str] = [row.id, state, length(row.seconds), plain(row.caller)]
        cells += [plain(row.dialled)] if roomy else []
        cells += ["" if row.bytes is None else size(row.bytes), plain(row.handler)] if wide else []
        table.add_row(*cells, hold)
    _print_table(screen, table)


def print_one(screen: Console, sidecar: Sidecar, path: Path) -> None:
    """All that is told of a recording, a line each."""
    told = sidecar.document()
    lines: dict[str, str] = {"file": str(path)}
    for name, value in told.items():
        if name not in ("version", "owner", "hold", "exported", "mask_spans"):
            lines[name] = "" if value is None else str(value)
    lines["duration"] = "" if sidecar.duration is None else f"{sidecar.duration:.3f} s"
    lines["bytes"] = "" if sidecar.bytes is None else f"{sidecar.bytes} ({size(sidecar.bytes)})"
    lines["masked"] = ", ".join(
        f"{since:g} s to {'its end' if until is None else f'{until:g} s'}" for since, until in told["mask_spans"]
    )
    if sidecar.hold is not None:
        lines["hold"] = f"{sidecar.hold.reason} (by {sidecar.hold.by}, {told['hold']['at']})"
    if sidecar.exported is not None:
        lines["exported"] = f"{told['exported']['at']} (export {sidecar.exported.export})"
    width = max(map(len, lines))
    for name, text in lines.items():
        style = _STYLES.get(text, "") if name == "state" else ""
        screen.print(Text.assemble((name.replace("_", " ").ljust(width), "dim"), "  ", (plain(text) or "-", style)))


def print_purged(screen: Console, purged: Purged, *, dry_run: bool) -> None:
    """What was purged, and what was kept and why."""
    word = "would be purged" if dry_run else "purged"
    screen.print(f"{counted(purged.recordings, 'recording')} {word}, {size(purged.bytes)}")
    for reason, number in sorted(purged.kept.items()):
        screen.print(f"{counted(number, 'recording')} kept: {plain(reason)}")


def print_counts(screen: Console, counts: Counts) -> None:
    """What a reindex made and met."""
    screen.print(f"{counted(counts.recordings, 'recording')} in the database, {counts.under_way} under way")
    if counts.held:
        screen.print(f"{counted(counts.held, 'hold')} that only the database knew of: their sidecars tell of them now")
    if counts.unreadable:
        screen.print(f"{counted(counts.unreadable, 'sidecar')} cannot be read: fsivr recordings verify names them")
    if counts.lost:
        screen.print(f"{counted(counts.lost, 'row')} that no file tells of: failed now")


def print_usage(screen: Console, root: Path, usage: Usage) -> None:
    """What the recordings take, and what is left."""
    screen.print(f"{counted(usage.files, 'sound file')}, {size(usage.bytes)}, in {root}")
    left = "nothing was recorded in the last 7 days"
    if usage.days_left is not None:
        days = int(usage.days_left)
        enough = "more than ten years" if days > _TEN_YEARS else counted(days, "day")
        left = f"enough for {enough} at the rate of the last 7 days"
    screen.print(f"{size(usage.free)} free on its disk: {left}")


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None] | None]:
    """What is to be called with how many there are so far; shown on a terminal alone."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield None
        return
    with Live(console=screen, transient=True, auto_refresh=False) as live:
        yield lambda number: live.update(Text(f"{number} {what}", style="dim"), refresh=True)


def size(number: int) -> str:
    """So many bytes, as 1.2 MB."""
    for unit, each in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= each:
            return f"{number / each:.1f} {unit}"
    return f"{number} B"


def length(seconds: float | None) -> str:
    """So many seconds, as 1:02:05 or 2:05."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def counted(number: int, thing: str) -> str:
    """So many things, as 1 recording or 2 recordings."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def print_table(screen: Console, names: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """A line for each row, below the names of the columns."""
    table = Table(*names, box=SIMPLE_HEAD if screen.is_terminal else None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    _print_table(screen, table)


def _print_table(screen: Console, table: Table) -> None:
    with screen.capture() as captured:
        screen.print(table)
    for line in captured.get().splitlines():
        if line.strip():
            screen.out(line.rstrip(), highlight=False)
