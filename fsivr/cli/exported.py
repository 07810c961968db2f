"""What ``fsivr export`` shows: a bar for each target on a terminal, lines in a pipe, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from fsivr.exporter.report import Report, written
from fsivr.exporter.run import Run

_MOST_SHOWN = 10
# Seconds between two lines in a pipe.
_SAID_EVERY = 60.0


class Bars:
    """A bar for each run: files, bytes, rate and the time that is left. Off a terminal, a line a minute."""

    def __init__(self, screen: Console, runs: Sequence[Run]) -> None:
        self._screen, self._runs = screen, runs
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[files]} files"),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=screen,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._next = _SAID_EVERY
        if screen.is_terminal:
            for run in runs:
                self._tasks[run.report.target] = self._progress.add_task(run.report.target, total=None, files="0")
            self._progress.start()

    def show(self) -> None:
        """Show how far they are."""
        if self._tasks:
            for run in self._runs:
                report = run.report
                done = min(max(report.bytes, run.sent.value), report.planned_bytes)
                self._progress.update(
                    self._tasks[report.target],
                    total=report.planned_bytes or None,
                    completed=done,
                    files=f"{report.recordings}/{report.planned}",
                )
        elif max(run.report.seconds() for run in self._runs) >= self._next:
            self._next += _SAID_EVERY
            for run in self._runs:
                self._screen.print(f"{run.report.target}: {run.report.recordings} of {run.report.planned} there")

    def close(self) -> None:
        """Take them off the screen."""
        if self._tasks:
            self._progress.stop()


def tell(screen: Console, report: Report) -> None:
    """Print what a run did."""
    state = Text(report.state, style="green" if report.state == "done" else "bold red")
    head = Text.assemble((report.target, "bold"), ": ", state, f", {counted(report.recordings, 'recording')} brought")
    head.append(f" and proved ({report.proof}), {size(report.bytes)} in {report.seconds():.1f} s")
    if report.recordings:
        head.append(f", {size(report.rate())}/s")
    screen.print(head, soft_wrap=True)
    if report.found:
        screen.print(f"  {report.found} of them were there already, from a run that was interrupted")
    for failure in report.failures[:_MOST_SHOWN]:
        screen.print(f"  {failure['id']}: {failure['reason']}", soft_wrap=True)
    if report.failed > _MOST_SHOWN:
        screen.print(f"  and {report.failed - _MOST_SHOWN} more that failed: 'fsivr export --json' has them")
    if report.remaining:
        until = report.remains_until(report.ended)
        then = "" if until is None else f", until {written(until)} at this rate"
        screen.print(f"  {counted(report.remaining, 'recording')} remain, {size(report.remaining_bytes)}{then}")
    if report.error:
        screen.print(f"  {report.error}", soft_wrap=True)
    for warning in report.warnings:
        screen.print(f"  warning: {warning}", soft_wrap=True)


def counted(number: int, thing: str) -> str:
    """A number of things: ``1 recording``, ``2 recordings``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def size(count: float) -> str:
    """Bytes for a reader: ``480.0 kB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
