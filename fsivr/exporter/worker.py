"""A process of workers: ``python -m fsivr.exporter.worker``, started by a run and ended with it.

Lines of JSON. In: how to make the target and how many workers there are; then jobs; then null, for the end.
Out: outcomes, and from time to time the number of bytes that went out. Where what comes in ends without that null
the run is dead, and the process ends at once: the next run goes on from what is there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any

from fsivr.exporter.carry import Fault, Job, Outcome, Parcel
from fsivr.exporter.crew import Count, ThreadCrew
from fsivr.exporter.targets import Recipe

# Seconds between two numbers of bytes.
_TOLD_EVERY = 0.25


def job_of(told: dict[str, Any]) -> Job:
    """The job that JSON tells of."""
    return Job(**{**told, "audio": Parcel(**told["audio"]), "sidecar": Parcel(**told["sidecar"])})


def outcome_of(told: dict[str, Any], job: Job) -> Outcome:
    """The outcome of a job that JSON tells of."""
    fault = None if told["fault"] is None else Fault(told["fault"])
    return Outcome(job, fault, told["message"], told["found"])


class _Out:
    """Lines to the run, whole ones from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Whatever a library prints goes to the log, not among the lines.
        self._file = os.fdopen(os.dup(1), "w", encoding="ascii")
        os.dup2(2, 1)

    def say(self, told: Any) -> None:
        with self._lock:
            self._file.write(json.dumps(told) + "\n")
            self._file.flush()


def main() -> None:
    """Bring what the run says."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # which the run hears too, and ends us in order
    begin = json.loads(sys.stdin.readline())
    out, sent = _Out(), Count()
    crew = ThreadCrew(Recipe(**begin["recipe"]), begin["workers"], sent)
    over = threading.Event()
    telling = threading.Thread(target=_tell, args=(crew, sent, out, over), daemon=True)
    telling.start()
    for line in sys.stdin:
        told = json.loads(line)
        if told is None:
            crew.close(5.0)
            over.set()
            telling.join(1.0)
            os._exit(0)
        crew.begin(job_of(told))
    os._exit(1)


def _tell(crew: ThreadCrew, sent: Count, out: _Out, over: threading.Event) -> None:
    before = 0
    try:
        while not over.is_set():
            outcomes = crew.outcomes(_TOLD_EVERY)
            before, now = sent.value, before
            if before != now:
                out.say(before - now)
            for outcome in outcomes:
                told = {**vars(outcome), "job": outcome.job.id, "fault": outcome.fault and outcome.fault.value}
                out.say(told)
    except OSError:
        os._exit(1)  # nobody reads


if __name__ == "__main__":
    main()
