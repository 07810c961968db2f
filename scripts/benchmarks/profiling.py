"""Where a worker spends its CPU on the benchmark's load: functions and lines, by sampling.

A timer on the process's CPU time interrupts it and the running Python frame is counted, so
what a C function takes is found at the line that calls it, and greenlets do not confuse it
as they do cProfile.
"""

from __future__ import annotations

import argparse
import runpy
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType

_HERE = Path(__file__).parent
_TICK = 0.001
_self: Counter[str] = Counter()
_lines: Counter[str] = Counter()
_total: Counter[str] = Counter()


def main() -> None:
    """Profile one worker; without ``--sample``, start it and its load and print what it found."""
    if sys.argv[1:2] == ["--sample"]:
        sample(sys.argv[2], sys.argv[3:])
        return
    from load import Load
    from measure import Cores, Generator, Kind, Worker

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("worker", nargs="?", default="worker_fsivr.py", help="its script; options of its own follow")
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--pace", type=float, default=0.0)
    options, for_worker = parser.parse_known_args()
    cores = Cores()
    generator = Generator(cores.load)
    kind = Kind(options.worker, "profiling.py", ("--sample", options.worker, *for_worker))
    with Worker(kind, cores.worker) as worker:
        generator.run(Load(worker.port, 200))
        worker.process.send_signal(signal.SIGUSR2)
        time.sleep(1)
        before = worker.cpu()
        generator.run(Load(worker.port, options.calls, pace=options.pace))
        print(f"{(worker.cpu() - before) / options.calls * 1e6:.0f} us/call (sampling included)")
        worker.process.send_signal(signal.SIGUSR2)
        time.sleep(2)
    generator.close()


def sample(script: str, arguments: list[str]) -> None:
    """Run a worker's script here; each SIGUSR2 starts the sampling, or ends it and prints it."""
    signal.signal(signal.SIGPROF, _count)
    signal.signal(signal.SIGUSR2, _turn)
    sys.argv = [script, *arguments]
    runpy.run_path(str(_HERE / script), run_name="__main__")


def _count(number: int, frame: FrameType | None) -> None:
    if frame is None:
        return
    _self[_name(frame)] += 1
    _lines[f"{_name(frame)}:{frame.f_lineno}"] += 1
    seen = set()
    step: FrameType | None = frame
    while step is not None:
        seen.add(_name(step))
        step = step.f_back
    _total.update(seen)


def _name(frame: FrameType) -> str:
    code = frame.f_code
    return f"{'/'.join(Path(code.co_filename).parts[-2:])} {code.co_qualname}"


def _turn(number: int, frame: FrameType | None) -> None:
    if not signal.getitimer(signal.ITIMER_PROF)[0]:
        signal.setitimer(signal.ITIMER_PROF, _TICK, _TICK)
        return
    signal.setitimer(signal.ITIMER_PROF, 0)
    samples = sum(_self.values())
    for title, counts in (("by itself", _self), ("with what it calls", _total), ("line", _lines)):
        print(f"\n{title}, % of {samples} samples")
        for name, count in counts.most_common(32):
            print(f"{count / samples:7.1%}  {name}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
