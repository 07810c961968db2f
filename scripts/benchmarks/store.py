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
from typing import Any

import gevent

from fsivr import Call, HangupCause
from fsivr.call import NotedCall
from fsivr.esl.messages import Message
from fsivr.server.counts import Counts
from fsivr.server.history import History
from fsivr.store import Journal

_VERBS = 7
_ANSWER = Path(__file__).parent / "messages" / "connect.bin"


class Balance:
    """A handler, as far as its name is needed."""


class Held:
    """A conversation, as far as the history looks at it."""

    handler = Balance
    error = ""

    def __init__(self, call: Any) -> None:
        self.call = call


class Silent:
    """A session whose switch has done all at once."""

    over = False
    hangup_cause = HangupCause.NORMAL_CLEARING

    def __init__(self, number: int, channel: Message) -> None:
        self.uuid = f"uuid-{number:08}"
        self.channel = channel

    def post(self, *given: Any, **options: Any) -> None:
        """Nothing."""

    execute = post


def _sessions(calls: int) -> list[Any]:
    head, _, _ = _ANSWER.read_bytes().partition(b"\n\n")
    return [Silent(number, Message(head + b"\n\n", b"")) for number in range(calls)]


def _verbs(kind: type[Any], sessions: list[Any]) -> float:
    """Seconds of a verb that waits for nothing, of so many calls that are up at once; the best of several times."""
    taken = []
    for _ in range(20):
        calls = [kind(session) for session in sessions]
        before = time.thread_time()
        for _ in range(_VERBS):
            for call in calls:
                call.answer()
        taken.append((time.thread_time() - before) / _VERBS / len(sessions))
    return min(taken)


def _lag(lags: list[float]) -> None:
    while True:
        before = time.perf_counter()
        gevent.sleep(0.002)
        lags.append(time.perf_counter() - before - 0.002)


def _held(sessions: list[Any]) -> list[Held]:
    """Calls that have done their verbs."""
    held = [Held(NotedCall(session)) for session in sessions]
    for each in held:
        for _ in range(_VERBS):
            each.call.answer()
    return held


def _greenlet(history: History, held: list[Held]) -> dict[str, float]:
    """Microseconds of a call's greenlet: at its start and its end."""
    counts = Counts()
    before = time.thread_time()
    for each in held:
        history.began(each, each.call.channel)
    begun = time.thread_time()
    for each in held:
        history.ended(each, counts)
    ended = time.thread_time()
    return {"start": (begun - before) / len(held) * 1e6, "end": (ended - begun) / len(held) * 1e6}


def _written(journal: Journal) -> dict[str, float]:
    """Rows a second, and milliseconds that the loop is late meanwhile."""
    lags: list[float] = []
    watching = gevent.spawn(_lag, lags)
    wall = time.perf_counter()
    if not journal.flush(120):
        raise SystemExit("the database did not take the rows")
    rate = journal.written / (time.perf_counter() - wall)
    watching.kill()
    lags = sorted(lags) or [0.0]
    median, most = (lags[len(lags) * part // 100] * 1e3 for part in (50, 99))
    return {"rate": rate, "median": median, "most": most}


def measure(address: str, calls: int) -> dict[str, float]:
    """The figures; times of a call's greenlet in microseconds, lags in milliseconds."""
    journal = Journal(address, bound=2 * calls)
    journal.start()
    sessions = _sessions(calls)
    plain, noted = (_verbs(kind, sessions[:200]) for kind in (Call, NotedCall))
    found = {"verb": (noted - plain) * 1e6, **_greenlet(History(journal), _held(sessions)), **_written(journal)}
    journal.close(10)
    return {**found, "greenlet": found["start"] + found["end"] + _VERBS * found["verb"]}


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
    print(
        "in the call's greenlet, µs: {start:.1f} at its start, {end:.1f} at its end, {verb:.2f} a verb".format_map(
            found
        )
    )
    print("written: {rate:,.0f} rows/s; the loop lags {median:.1f} ms (median), {most:.1f} ms (p99)".format_map(found))


if __name__ == "__main__":
    main()
