"""scripts/bench export: recordings brought to S3 and to SFTP, next to rclone; and the memory of a large file."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from copying import Measured, Recordings
from places import Place, places
from rich.console import Console
from rich.table import Table

#: Bytes that a process may have that brings a large file.
MEMORY_LIMIT = 150_000_000
_COLUMNS = ("to", "seconds", "rclone's", "fsivr's by it", "CPU s", "rclone's", "fsivr's by it", "rclone's proof")


def main() -> None:
    """Bring recordings by both programs, print the tables; the JSON file where one is asked for."""
    options = parse()
    with tempfile.TemporaryDirectory(dir=options.folder) as made, places(options.to, Path(made)) as there:
        recordings = Recordings(Path(made), options.recordings, options.size)
        before = os.getloadavg()[0]
        measured = [
            recordings.measure(place, concurrency=options.concurrency, rounds=options.rounds) for place in there
        ]
        kinds = {place.name.partition(",")[0]: place for place in there}
        memory = {name: memory_of(place, options.large << 20) for name, place in kinds.items()} if options.large else {}
    show = print_markdown if options.markdown else print_tables
    show(measured, memory)
    said = f"{options.recordings:,} recordings of {options.size:,} bytes and their sidecars"
    print(f"{said}, {options.concurrency} at a time, {options.rounds} rounds in turn, their median.")
    print(f"The load of the machine before was {before:.1f}, of {len(os.sched_getaffinity(0))} processors.")
    if options.json:
        figures = {"places": [each._asdict() for each in measured], "memory": memory}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench export", description=__doc__)
    parser.add_argument("--recordings", type=int, default=1000, help="how many are brought (1,000)")
    parser.add_argument("--size", type=int, default=480_000, help="bytes of sound of each (480,000)")
    parser.add_argument("--concurrency", type=int, default=4, help="how many at a time, by both programs (4)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each program brings them (3)")
    parser.add_argument("--large", type=int, default=2048, metavar="MB", help="the large file; 0 for none (2048)")
    parser.add_argument("--to", nargs="+", choices=("s3", "sftp"), default=["s3", "sftp"], help="where to (both)")
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    parser.add_argument("--markdown", action="store_true", help="print the tables that docs/performance.md holds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    return parser.parse_args()


def memory_of(place: Place, size: int) -> int:
    """The peak of a process that brings a file of so many bytes, and proves it."""
    told = json.dumps({"target": place.target("large"), "size": size})
    program = [sys.executable, str(Path(__file__).with_name("peak.py"))]
    run = subprocess.run(program, input=told, stdout=subprocess.PIPE, text=True, timeout=1800, check=True)
    place.clear()
    return int(json.loads(run.stdout)["peak"])


def rows(measured: list[Measured]) -> list[tuple[str, ...]]:
    """The rows of the table."""
    found = []
    for each in measured:
        texts = [each.place]
        for of in (each.seconds, each.cpu):
            fsivr, rclone = of("fsivr"), of("rclone")
            texts += [f"{fsivr:.1f}", f"{rclone:.1f}", f"{fsivr / max(rclone, 0.01):.2f}"]
        found.append((*texts, each.rclone_proof))
    return found


def print_tables(measured: list[Measured], memory: dict[str, int]) -> None:
    """Print them for a terminal."""
    console = Console(width=120)
    table = Table(title="Recordings brought and proved")
    for number, column in enumerate(_COLUMNS):
        table.add_column(column, justify="right" if 0 < number < len(_COLUMNS) - 1 else "left")
    for row in rows(measured):
        table.add_row(*row)
    console.print(table)
    for name, peak in memory.items():
        kept = "kept" if peak <= MEMORY_LIMIT else "missed"
        console.print(f"memory of a large file to {name}: {peak / 1e6:.0f} MB; at most 150 MB {kept}")


def print_markdown(measured: list[Measured], memory: dict[str, int]) -> None:
    """Print them as ``docs/performance.md`` has them."""
    print(f"| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}")
    for row in rows(measured):
        print(f"| {' | '.join(row)} |")
    print("\n| a large file to | MB of memory, at most 150 |\n|---|---|")
    for name, peak in memory.items():
        print(f"| {name} | {peak / 1e6:.0f} |")


if __name__ == "__main__":
    main()
