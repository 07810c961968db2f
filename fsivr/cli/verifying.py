"""Verifying in the terminal: a bar that goes on, and a line for each file that is not right."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.text import Text

from fsivr.cli.output import console, plain
from fsivr.cli.recorded import counted, size
from fsivr.errors import ArchiveError
from fsivr.recordings import Archive, Verified

# Seconds between two drawings of the bar.
_REDRAWN = 0.1


def verify(archive: Archive, ids: Sequence[str] | None, *, by: str) -> int:
    """How many recordings are not right; each is told.

    On a terminal a bar shows how far it is; where there is none, each recording has a line.
    """
    screen = console()
    damaged = read = volume = 0
    for found in _shown(archive, ids, by, screen):
        read, volume, damaged = read + 1, volume + found.bytes, damaged + (not found.ok)
        if found.what or not screen.is_terminal:
            screen.print(_told(found), soft_wrap=True)
    screen.print(f"{counted(read, 'recording')} verified, {size(volume)}: {damaged or 'none'} damaged")
    return damaged


def _shown(archive: Archive, ids: Sequence[str] | None, by: str, screen: Console) -> Iterator[Verified]:
    every = archive.verify(ids, by=by)
    if not screen.is_terminal:
        yield from every
        return
    columns = (
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[number]}"),
    )
    # Drawn here and not by a thread of rich's, which is a greenlet that nothing here ever lets run.
    with Progress(*columns, console=screen, transient=True, auto_refresh=False) as progress:
        task = progress.add_task("", total=_volume(archive, ids), number="")
        drawn = 0.0
        for number, found in enumerate(every, 1):
            progress.update(task, advance=found.bytes, number=counted(number, "file"))
            if time.monotonic() - drawn > _REDRAWN:
                drawn = time.monotonic()
                progress.refresh()
            yield found


def _volume(archive: Archive, ids: Sequence[str] | None) -> int:
    """The bytes that are to be read, as far as is known."""
    if ids is None:
        return archive.store.taken(archive.node).bytes
    total = 0
    for id in ids:
        try:
            total += archive.sidecar(id).bytes or 0
        except (ArchiveError, OSError):
            continue  # to be told in its turn
    return total


def _told(found: Verified) -> Text:
    mark = Text("right", style="dim") if found.ok else Text("wrong", style="bold red")
    return Text.assemble(mark, " ", (plain(found.id), "bold"), f" {plain(found.what)}" if found.what else "")
