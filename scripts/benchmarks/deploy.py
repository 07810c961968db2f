"""scripts/bench deploy: calls while workers are killed and reloaded, a deploy under calls, and the port limit."""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import tempfile
import time
from pathlib import Path

from deploying import Arrivals, Service, Steady
from load import Load
from rich.console import Console
from rich.table import Table

_MANY = 1_000_000_000


def main() -> None:
    """Run what is asked for; the exit code is 1 where something did not hold."""
    options = parse()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    parts = [(options.minutes, kill_and_reload), (options.deploy, deploy), (options.arrivals, arrivals)]
    held = [part(options) for asked, part in parts if asked]
    raise SystemExit(0 if all(held) else 1)


def parse() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench deploy", description=__doc__)
    parser.add_argument("--calls", type=int, default=240, help="calls that are up at once (240)")
    parser.add_argument("--workers", type=int, default=2, help="processes that take them (2)")
    parser.add_argument("--minutes", type=float, default=0, help="how long they are kept up (0: leaves it out)")
    parser.add_argument("--kill-every", type=float, default=30, help="seconds between two kills of a worker (30)")
    parser.add_argument("--reload-every", type=float, default=60, help="seconds between two reloads (60)")
    parser.add_argument("--deploy", type=int, default=0, metavar="CALLS", help="reload under so many calls")
    parser.add_argument("--arrivals", type=int, default=0, help="so many calls at once, for --calls ports")
    return parser.parse_args()


def kill_and_reload(options: argparse.Namespace) -> bool:
    """Keep calls up while workers are killed and reloaded; whether all held that must."""
    killed: list[int] = []
    memory: list[tuple[float, int, float]] = []
    # A call that ends here may hold its port for a moment more: with a tenth more than calls, one is always free.
    with tempfile.TemporaryDirectory() as folder, _service(folder, options, options.calls + options.calls // 10) as one:

        def kill() -> None:
            killed.append(random.choice(one.workers()))
            os.kill(killed[-1], signal.SIGKILL)

        def look() -> None:
            workers = [one.memory(pid) for pid in one.workers()]
            memory.append((one.memory(one.pid), len(workers), max(workers, default=0.0)))

        every = {
            kill: options.kill_every,
            (lambda: one.signal(signal.SIGHUP)): options.reload_every,
            look: options.minutes * 6,
        }
        switch = Steady(Load(one.port, _MANY, options.calls, pace=5.0), every)
        switch.keep_up(options.minutes * 60)
        time.sleep(2)  # for the last rows
        interrupted, up = one.rows()
        code = _stopped(one)
    return _held(options, switch, len(killed), interrupted, up, code, memory)


def _held(  # noqa: PLR0913  one run's figures
    options: argparse.Namespace,
    switch: Steady,
    killed: int,
    interrupted: int,
    up: int,
    code: int,
    memory: list[tuple[float, int, float]],
) -> bool:
    ended = switch.ended
    refused = ended["SWITCH_CONGESTION"]
    lost = ended["before a word was said"] + ended["not connected"]
    otherwise = {name: many for name, many in ended.items() if name not in _KNOWN}
    rows: dict[str, object] = {
        "calls begun": switch.counts.opened,
        "ended well": ended["well"],
        "workers killed": killed,
        "calls whose worker was killed": ended["by its worker's death"],
        "of those, rows closed as interrupted": interrupted,
        "rows left as up": up,
        "refused while ports were free": refused,
        "connections lost before a word": lost,
        "ended otherwise": otherwise or "none",
        "exit code": code,
    }
    for at, (supervisor, count, most) in enumerate(memory):
        told = f"supervisor {supervisor:.0f} MB, largest of {count} workers {most:.0f} MB"
        rows[f"memory after {(at + 1) * options.minutes * 6:.0f} s"] = told
    _show(f"{options.calls} calls, {options.workers} workers, {options.minutes:g} minutes", rows)
    return not any((refused, lost, up, code, otherwise))


_KNOWN = {"well", "by its worker's death", "SWITCH_CONGESTION", "before a word was said", "not connected"}


def deploy(options: argparse.Namespace) -> bool:
    """Reload under calls; whether none was lost."""
    with tempfile.TemporaryDirectory() as folder, _service(folder, options, options.deploy + 20) as one:
        before = one.workers()
        switch = Steady(Load(one.port, _MANY, options.deploy, pace=5.0), {lambda: one.signal(signal.SIGHUP): 20.0})
        switch.keep_up(35)
        after, code = one.workers(), _stopped(one)
    rows: dict[str, object] = {
        "calls begun": switch.counts.opened,
        "ended well": switch.ended["well"],
        "lost, refused or ended otherwise": switch.counts.opened - switch.ended["well"],
        "workers that are still the same": len(set(before) & set(after)),
        "exit code": code,
    }
    _show(f"a deploy under {options.deploy} calls", rows)
    return switch.ended["well"] == switch.counts.opened and not set(before) & set(after)


def arrivals(options: argparse.Namespace) -> bool:
    """Have many calls arrive at once; whether exactly as many were taken as there are ports."""
    with tempfile.TemporaryDirectory() as folder, _service(folder, options, options.calls) as one:
        switch = Arrivals(Load(one.port, options.arrivals, options.arrivals, hold=True))
        switch.arrive()
    rows: dict[str, object] = {
        "ports": options.calls,
        "arrived": switch.counts.opened,
        "held": switch.most,
        "refused": switch.refused,
    }
    _show(f"{options.arrivals} arrivals over {options.workers} workers", rows)
    return switch.most == options.calls and switch.refused == options.arrivals - options.calls


def _service(folder: str, options: argparse.Namespace, ports: int) -> Service:
    return Service(Path(folder), workers=options.workers, ports=ports)


def _stopped(service: Service) -> int:
    service.signal(signal.SIGTERM)
    return service.ends(90)


def _show(title: str, rows: dict[str, object]) -> None:
    table = Table(title=title, show_header=False)
    for name, value in rows.items():
        table.add_row(name, str(value))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
