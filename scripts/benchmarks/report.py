"""The benchmark's figures as tables."""

from __future__ import annotations

from dataclasses import dataclass, field

from measure import Cost
from rich.console import Console
from rich.table import Table

#: What fsivr is to stay under: its CPU a call by that of the other worker.
LIMITS = {"greenswitch": 0.4, "floor": 2.0}
#: Bytes a held call of fsivr is to stay under.
MEMORY_LIMIT = 60_000


@dataclass
class Result:
    """The figures of one run."""

    #: Whether load and worker had a core each.
    cores_apart: bool
    concurrent: int
    held: int
    #: By pace, then by worker.
    costs: dict[str, dict[str, Cost]] = field(default_factory=dict)
    #: Bytes of a held call, by worker.
    memory: dict[str, float] = field(default_factory=dict)


def show(result: Result) -> None:
    """Print the tables."""
    console = Console(width=100)
    console.print(
        "ratio: fsivr's CPU by this worker's; load: how busy the load's own core was (at 100 % it was the limit)"
    )
    for pace, costs in result.costs.items():
        console.print(cost_table(pace, costs, result.concurrent))
    if result.memory:
        console.print(memory_table(result))
    if not result.cores_apart:
        console.print("Load and worker shared one core: take no ratio from this run.")


def cost_table(pace: str, costs: dict[str, Cost], concurrent: int) -> Table:
    """CPU of a call of each worker, with fsivr's by it as the ratio; and how busy the load kept its own core."""
    table = Table(title=f"CPU of a call of 7 verbs, {concurrent} at once, applications {pace}")
    table.add_column("worker", no_wrap=True)
    for column in ("ms/call", "ratio", "limit", "calls/s", "events", "kB in", "kB out", "load"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, cost in costs.items():
        ratio = costs["fsivr"].cpu / cost.cpu
        limit = LIMITS.get(name) if pace == "at once" else None
        table.add_row(
            name,
            f"{cost.cpu * 1e3:.3f}",
            f"{ratio:.2f}",
            "" if limit is None else f"{limit} {mark(ratio <= limit)}",
            f"{cost.calls_per_second:.0f}",
            f"{cost.events:.0f}",
            f"{cost.bytes_to_worker / 1e3:.1f}",
            f"{cost.bytes_from_worker / 1e3:.2f}",
            f"{cost.load_busy:.0%}",
        )
    return table


def memory_table(result: Result) -> Table:
    """Memory of a held call of each worker."""
    table = Table(title=f"Memory of a call, {result.held:,} held", min_width=40)
    table.add_column("worker")
    table.add_column("kB/call", justify="right")
    table.add_column("limit", justify="right")
    for name, used in result.memory.items():
        limit = f"{MEMORY_LIMIT / 1e3:.0f} {mark(used <= MEMORY_LIMIT)}" if name == "fsivr" else ""
        table.add_row(name, f"{used / 1e3:.1f}", limit)
    return table


def mark(good: bool) -> str:
    """Whether a limit was kept."""
    return "kept" if good else "[bold red]missed[/]"


def markdown(result: Result) -> str:
    """The tables as ``docs/performance.md`` holds them."""
    lines = ["| worker | CPU ms a call | fsivr's by it | paced: ms a call | paced: fsivr's by it | kB held by a call |"]
    lines.append("|---|---|---|---|---|---|")
    at_once, paced = result.costs["at once"], result.costs["paced"]
    for name, cost in at_once.items():
        held = f"{result.memory[name] / 1e3:.0f}" if name in result.memory else ""
        cells = [name]
        for costs, cpu in ((at_once, cost.cpu), (paced, paced[name].cpu)):
            cells += [f"{cpu * 1e3:.2f}", f"{costs['fsivr'].cpu / cpu:.2f}"]
        lines.append(f"| {' | '.join([*cells, held])} |")
    return "\n".join(lines)
