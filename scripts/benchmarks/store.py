"""What a call costs its greenlet on the store, how fast rows are written, and how long the loop is held up by it.

Run as ``python scripts/benchmarks/store.py``; ``--address`` takes a value of the setting ``database``.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse
import json
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent

from fsivr import Channel, HangupCause
from fsivr.esl.messages import Message
from fsivr.server.history import History
from fsivr.store import Journal

_ANSWER = Path(__file__).parent / "messages" / "connect.bin"


class Balance:
    """A handler, as far as its name is needed."""


class Held:
    """A conversation, as far as the history looks at it."""

    handler = Balance
    error = ""

    def __init__(self, call: Any) -> None:
        self.call = call


def _call(number: int, content: bytes) -> Any:
    head, _, _ = content.partition(b"\n\n")
    control = SimpleNamespace(uuid=f"uuid-{number:08}", channel=Message(head + b"\n\n", b""))
    channel = Channel(control)  # type: ignore[arg-type]
    call = SimpleNamespace(uuid=control.uuid, channel=channel, hangup_cause=HangupCause.NORMAL_CLEARING)
    return Held(call)


def _lag(lags: list[float]) -> None:
    while True:
        before = time.perf_counter()
        gevent.sleep(0.002)
        lags.append(time.perf_counter() - before - 0.002)


def measure(address: str, calls: int) -> dict[str, float]:
    """The figures; times of a call's greenlet in microseconds, lags in milliseconds."""
    journal = Journal(address, bound=2 * calls)
    journal.start()
    history = History(journal)
    content = _ANSWER.read_bytes()
    held = [_call(number, content) for number in range(calls)]
    before = time.thread_time()
    for call in held:
        history.began(call, call.call.channel)
    begun = time.thread_time()
    for call in held:
        history.ended(call)
    ended = time.thread_time()
    start, end = (begun - before) / calls * 1e6, (ended - begun) / calls * 1e6
    lags: list[float] = []
    watching = gevent.spawn(_lag, lags)
    wall = time.perf_counter()
    if not journal.flush(120):
        raise SystemExit("the database did not take the rows")
    rate = journal.written / (time.perf_counter() - wall)
    watching.kill()
    lags = sorted(lags) or [0.0]
    median, most = (lags[len(lags) * part // 100] * 1e3 for part in (50, 99))
    journal.close(10)
    return {"start": start, "end": end, "greenlet": start + end, "rate": rate, "median": median, "most": most}


def main() -> None:
    """Measure with what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", help="a value of the setting database; a temporary file, when left out")
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(given.address or f"sqlite:///{folder}/fsivr.db", given.calls)
    if given.json:
        print(json.dumps(found))
        return
    print("in the call's greenlet: {start:.1f} µs at its start, {end:.1f} µs at its end".format_map(found))
    print("written: {rate:,.0f} rows/s; the loop lags {median:.1f} ms (median), {most:.1f} ms (p99)".format_map(found))


if __name__ == "__main__":
    main()
