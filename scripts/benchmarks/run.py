"""scripts/bench: what a call costs fsivr, next to greenswitch and to a bare gevent loop."""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from dataclasses import asdict
from pathlib import Path

from measure import Cores, Cost, Generator, Kind, Worker, cost, memory_of_a_call
from report import Result, markdown, show

FSIVR = Kind("fsivr", "worker_fsivr.py")
GREENSWITCH = Kind("greenswitch", "worker_greenswitch.py")
LEAN_GREENSWITCH = Kind("greenswitch, lean", "worker_greenswitch.py", ("--lean",))
#: Seconds from an execute to its events: at once, and as the switch's media frames pace it.
PACES = {"at once": 0.0, "paced": 0.02}


def main() -> None:
    """Run it all, print the table, and write the JSON file where one is asked for."""
    options = parse()
    cores = Cores()
    generator = Generator(cores.load)
    try:
        with tempfile.TemporaryDirectory() as folder:
            kinds = [FSIVR, GREENSWITCH, LEAN_GREENSWITCH, floor(Path(folder), generator, cores)]
            result = Result(cores.apart, options.concurrent, options.held)
            result.costs = measure_costs(kinds, generator, cores, options)
            for kind in [each for each in kinds if each is not LEAN_GREENSWITCH and options.held]:
                with Worker(kind, cores.worker) as worker:
                    result.memory[kind.name] = memory_of_a_call(
                        worker, generator, held=options.held, concurrent=options.concurrent
                    )
                generator.hang_up()
    finally:
        generator.close()
    if options.markdown:
        print(markdown(result))
    else:
        show(result)
    if options.json:
        options.json.write_text(json.dumps(asdict(result), indent=2) + "\n")


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run: 1 round of 200 calls, 300 held")
    parser.add_argument("--rounds", type=int, help="rounds over all workers; the median counts (5)")
    parser.add_argument("--calls", type=int, help="calls in each measurement (600)")
    parser.add_argument("--concurrent", type=int, default=50, help="calls up at once (50)")
    parser.add_argument("--held", type=int, help="calls held open for the memory; 0 leaves it out (2000)")
    parser.add_argument("--markdown", action="store_true", help="print the table that docs/performance.md holds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    options = parser.parse_args()
    given = (1, 200, 300) if options.quick else (5, 600, 2000)
    for name, value in zip(("rounds", "calls", "held"), given, strict=True):
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def floor(folder: Path, generator: Generator, cores: Cores) -> Kind:
    """The bare loop that sends what fsivr sends: taken down from a call of fsivr just now."""
    with Worker(FSIVR, cores.worker) as worker:
        _, commands = cost(worker, generator, calls=1, concurrent=1, pace=0.0, warm_up=1)
    steps = folder / "steps.json"
    steps.write_text(json.dumps(as_steps(commands)))
    return Kind("floor", "worker_floor.py", ("--steps", str(steps)))


def as_steps(commands: list[str]) -> list[str]:
    """The writes of a call, from its commands: the start, one for each execute, the hangup.

    What a call sends beside its executes goes with the next one, as in fsivr.
    """
    call_id = re.compile("5c09725d-aea0-4751-94f2-[0-9]{12}")
    steps: list[str] = []
    pending = ""
    for command in commands:
        if not steps and (command.startswith("sendmsg") or call_id.search(command)):
            steps.append(pending)
            pending = ""
        pending += call_id.sub("{call}", command) + "\n\n"
        if "\nEvent-UUID: " in pending:
            steps.append(re.sub("(?<=\nEvent-UUID: ).*", "{execute}", pending))
            pending = ""
    return [*steps, pending]


def measure_costs(
    kinds: list[Kind], generator: Generator, cores: Cores, options: argparse.Namespace
) -> dict[str, dict[str, Cost]]:
    """The median costs by pace and worker; the rounds go over all workers in turn."""
    found: dict[str, dict[str, list[Cost]]] = {pace: {kind.name: [] for kind in kinds} for pace in PACES}
    for _ in range(options.rounds):
        for kind in kinds:
            with Worker(kind, cores.worker) as worker:
                for pace, seconds in PACES.items():
                    one, _ = cost(
                        worker,
                        generator,
                        calls=options.calls,
                        concurrent=options.concurrent,
                        pace=seconds,
                        warm_up=max(options.calls // 3, 1),
                    )
                    found[pace][kind.name].append(one)
    return {
        pace: {name: sorted(costs, key=lambda one: one.cpu)[len(costs) // 2] for name, costs in by_kind.items()}
        for pace, by_kind in found.items()
    }


if __name__ == "__main__":
    main()
