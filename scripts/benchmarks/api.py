"""scripts/bench api: what the API's lists cost the database, and what a call's greenlet spends on the store."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from asking import LIMIT, Asked, measure_lists
from filling import Sizes, fill
from rich.console import Console
from rich.table import Table

#: Microseconds of CPU that a call's greenlet may spend on the store.
GREENLET_LIMIT = 50.0


def main() -> None:
    """Fill a database, ask for every list of it, print the table; the JSON file where one is asked for."""
    options = parse()
    sizes = Sizes(options.calls, options.recordings, max(1, options.calls // 500), 2 * options.recordings)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        before = time.monotonic()
        store = fill(Path(folder), sizes)
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        print(f"{describe(sizes)}: {size / 1e6:,.0f} MB, filled in {time.monotonic() - before:.0f} s", flush=True)
        asked = measure_lists(store, rounds=options.rounds, few=options.few)
        store.close()
    greenlet = greenlet_cost(options.greenlet_calls)
    if options.markdown:
        print(markdown(asked, greenlet))
    else:
        show(asked, greenlet, options.worst)
    if options.json:
        figures = {"sizes": sizes._asdict(), "asked": [asdict(each) for each in asked], "greenlet": greenlet}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench api", description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000, help="calls in the database (1,000,000)")
    parser.add_argument("--recordings", type=int, default=200_000, help="recordings in it (200,000)")
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often each list is asked for; the quickest counts (5)"
    )
    parser.add_argument("--greenlet-calls", type=int, default=20_000, help="calls of the other measurement (20,000)")
    parser.add_argument("--few", action="store_true", help="ask with one value of each filter, not with several")
    parser.add_argument("--worst", type=int, default=15, help="how many of the slowest are named (15)")
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made; some 1.5 GB")
    parser.add_argument("--markdown", action="store_true", help="print the tables that docs/performance.md holds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    return parser.parse_args()


def describe(sizes: Sizes) -> str:
    """The sizes in words."""
    return ", ".join(f"{count:,} {name}" for name, count in sizes._asdict().items())


def greenlet_cost(calls: int) -> float:
    """Microseconds of CPU of a call's greenlet; in a process of its own, which gevent has patched."""
    program = [sys.executable, str(Path(__file__).with_name("store.py")), "--calls", str(calls), "--json"]
    run = subprocess.run(program, stdout=subprocess.PIPE, text=True, timeout=600, check=True)
    return float(json.loads(run.stdout)["greenlet"])


def by_list(asked: list[Asked]) -> list[tuple[str, int, float, Asked]]:
    """Of each list: its name, how many questions, their median time, the slowest."""
    found = []
    for name in dict.fromkeys(each.name for each in asked):
        own = sorted((each for each in asked if each.name == name), key=lambda each: each.seconds)
        found.append((name, len(own), own[len(own) // 2].seconds, own[-1]))
    return found


def verdict(kept: bool) -> str:
    """Whether a limit was kept."""
    return "kept" if kept else "missed"


def show(asked: list[Asked], greenlet: float, worst: int) -> None:
    """Print the tables: each list, the slowest questions, the greenlet."""
    console = Console(width=120)
    lists = Table(title=f"Database time of every filter, combination and page; at most {LIMIT * 1e3:.0f} ms")
    for column in ("list", "questions", "median ms", "slowest ms", "limit"):
        lists.add_column(column, justify="left" if column == "list" else "right")
    for name, count, median, slowest in by_list(asked):
        figures = (f"{count:,}", f"{median * 1e3:.1f}", f"{slowest.seconds * 1e3:.1f}")
        lists.add_row(name, *figures, verdict(slowest.seconds <= LIMIT))
    console.print(lists)
    slow = Table(title="The slowest")
    for column in ("ms", "list", "question", "rows"):
        slow.add_column(column, justify="right" if column in ("ms", "rows") else "left")
    for each in sorted(asked, key=lambda each: -each.seconds)[:worst]:
        slow.add_row(f"{each.seconds * 1e3:.1f}", each.name, each.question, str(each.rows))
    console.print(slow)
    limit = f"{GREENLET_LIMIT:.0f} µs {verdict(greenlet <= GREENLET_LIMIT)}"
    console.print(f"CPU of a call's greenlet on the store: {greenlet:.1f} µs; at most {limit}")


def markdown(asked: list[Asked], greenlet: float) -> str:
    """The tables as ``docs/performance.md`` holds them."""
    lines = ["| list | questions | median ms | slowest ms | the slowest |", "|---|---|---|---|---|"]
    for name, count, median, slowest in by_list(asked):
        figures = f"{count:,} | {median * 1e3:.1f} | {slowest.seconds * 1e3:.1f}"
        lines.append(f"| {name} | {figures} | {slowest.question} |")
    lines += ["", f"CPU of a call's greenlet on the store: {greenlet:.0f} µs."]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
