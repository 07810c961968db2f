"""What a recording costs the event loop's thread, how many are sealed a second, and how long the loop is held up by it.

Run as ``python scripts/benchmarks/recordings.py``; each one is ten seconds long.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gevent

from fsivr.call import Circumstances, CompletionCause, Recording, Spool
from fsivr.config import Settings
from fsivr.recordings.wav import header
from fsivr.server.keeping import Keeping
from fsivr.store import Journal

_SECONDS = 10
_FILE = header(_SECONDS * 16000, 1) + bytes(_SECONDS * 16000)


def _lag(lags: list[float]) -> None:
    while True:
        before = time.perf_counter()
        gevent.sleep(0.002)
        lags.append(time.perf_counter() - before - 0.002)


def _record(keeping: Keeping, spool: Spool, spent: list[float]) -> None:
    """One recording; its file is written outside of what is counted."""
    id, path = spool.new()
    now = datetime.now(UTC)
    recording = Recording(id, path, now, 0.0, None, False, 1, None)
    known = Circumstances("uuid", "apps.voicemail.LeaveMessage", "0123", "4301", "default", "", None, "")
    keeping.begin(recording, known)
    before = time.thread_time()
    Path(path).write_bytes(_FILE)
    spent.append(time.thread_time() - before)
    keeping.began(recording, known)
    ended = replace(recording, duration=float(_SECONDS), completion=CompletionCause.SILENCE)
    moved = gevent.event.Event()
    keeping.end(ended, replace(known, stopped=now + timedelta(seconds=_SECONDS)), lambda here: moved.set())
    moved.wait()


def measure(folder: str, number: int, at_once: int, *, watch: bool) -> None:
    """Print the figures; to watch the loop's lag costs CPU too, and is a run of its own."""
    settings = Settings.defaults(recordings_path=f"{folder}/recordings", database=f"sqlite:///{folder}/fsivr.db")
    journal = Journal(settings.database)
    journal.start()
    keeping = Keeping(settings, journal)
    keeping.start()
    spool = Spool(settings.recordings_path, keeper=keeping)
    spent: list[float] = []
    lags: list[float] = []
    watching = gevent.spawn(_lag, lags) if watch else gevent.spawn(int)
    began, cpu = time.perf_counter(), time.thread_time()
    for _ in range(number // at_once):
        gevent.joinall([gevent.spawn(_record, keeping, spool, spent) for _ in range(at_once)])
    keeping.close(600)
    cpu = time.thread_time() - cpu - sum(spent)
    took = time.perf_counter() - began
    watching.kill()
    journal.close(600)
    if watch:
        lags.sort()
        median, worst = 1e3 * lags[len(lags) // 2], 1e3 * lags[-len(lags) // 100]
        print(f"lag of the loop: median {median:.1f} ms, 99th percentile {worst:.1f} ms")
        return
    print(f"{1e6 * cpu / number:.0f} us of the loop's thread a recording, the journal's part included")
    print(f"{number / took:.0f} recordings/s sealed, {at_once} calls at once")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=50)
    given = parser.parse_args()
    for watch in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            measure(folder, given.recordings, given.at_once, watch=watch)


if __name__ == "__main__":
    main()
