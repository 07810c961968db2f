"""ProcessCrew: workers in several processes, so that as many processors hash, encrypt and speak the protocol."""

from __future__ import annotations

import dataclasses
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fsivr.exporter.carry import Fault, Job, Outcome
from fsivr.exporter.crew import Crew, ThreadCrew, taken
from fsivr.exporter.target import Progress, Target
from fsivr.exporter.targets import Recipe
from fsivr.exporter.worker import outcome_of

#: With fewer recordings to bring, the time to start processes is more than they save.
WORTH = 40
_MOST = 8


def crew_of(make: Callable[[], Target], workers: int, progress: Progress, *, recordings: int, lock: int) -> Crew:
    """The crew that brings so many recordings soonest.

    :param workers: how many are brought at the same time.
    :param lock: a file that is open for as long as one of its processes lives.
    """
    processors = len(os.sched_getaffinity(0))
    if not isinstance(make, Recipe) or recordings < WORTH or min(processors, workers) < 2:
        return ThreadCrew(make, workers, progress)
    # What goes to S3 costs us less than what is written down of it here, which takes a processor too.
    processes = min(processors // 2 if make.kind == "s3" else processors, workers, _MOST)
    return ProcessCrew(make, workers, progress, processes=processes, lock=lock)


class ProcessCrew:
    """Workers in processes of their own, each with several threads."""

    def __init__(self, recipe: Recipe, workers: int, progress: Progress, *, processes: int, lock: int) -> None:
        self._done: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._recipe, self._progress, self._lock = recipe.share(processes), progress, lock
        shares = [workers // processes + (number < workers % processes) for number in range(processes)]
        self._processes = [self._process(share) for share in shares]

    def begin(self, job: Job) -> None:
        """Have the process with the fewest jobs for each of its workers bring a recording."""
        for place, process in enumerate(self._processes):
            if process.over:
                self._processes[place] = self._process(process.workers)
        min(self._processes, key=lambda each: each.waiting / each.workers).begin(job)

    def outcomes(self, timeout: float) -> list[Outcome]:
        """What became of jobs since it was last asked."""
        return taken(self._done, timeout)

    def close(self, timeout: float) -> bool:
        """End the processes; those that do not within the seconds are killed."""
        for process in self._processes:
            process.tell_to_end()
        ended = [process.end(timeout) for process in self._processes]
        return all(ended)

    def _process(self, workers: int) -> _Process:
        return _Process(self._recipe, workers, self._progress, self._done, self._lock)


class _Process:
    """One process, and the thread that reads what it says."""

    def __init__(
        self, recipe: Recipe, workers: int, progress: Progress, done: queue.SimpleQueue[Outcome], lock: int
    ) -> None:
        self.workers = workers
        self.over = False
        self._progress, self._done = progress, done
        self._jobs: dict[str, Job] = {}
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "fsivr.exporter.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=(lock,),
        )
        # By a pipe: what stands in arguments or variables, others of this machine can read.
        self._say({"recipe": dataclasses.asdict(recipe), "workers": workers})
        self._reader = threading.Thread(target=self._read, name="fsivr-export-reader", daemon=True)
        self._reader.start()

    @property
    def waiting(self) -> int:
        return len(self._jobs)

    def begin(self, job: Job) -> None:
        self._jobs[job.id] = job
        self._say({**vars(job), "audio": vars(job.audio), "sidecar": vars(job.sidecar)})
        if self.over:  # its reader may have ended before it could see this one
            self._give_back(job)

    def tell_to_end(self) -> None:
        self._say(None)

    def end(self, timeout: float) -> bool:
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._reader.join(timeout)
        for pipe in (self._child.stdin, self._child.stdout):
            assert pipe is not None
            with suppress(OSError):  # what it was not told any more, as it was dead
                pipe.close()
        return self._child.returncode == 0

    def _say(self, told: Any) -> None:
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(told) + "\n")
            self._child.stdin.flush()
        except OSError:
            pass  # it is dead, which its reader sees

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            told = json.loads(line)
            if isinstance(told, int):
                self._progress(told)
            else:
                self._done.put(outcome_of(told, self._jobs.pop(told["job"])))
        self.over = True
        for job in list(self._jobs.values()):
            self._give_back(job)

    def _give_back(self, job: Job) -> None:
        if self._jobs.pop(job.id, None) is not None:
            self._done.put(Outcome(job, Fault.AGAIN, "the process that brought it ended: see the log"))
