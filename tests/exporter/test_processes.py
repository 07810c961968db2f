"""Workers in processes: what they are told, what they tell, and what becomes of a job whose process dies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsivr.exporter.carry import Fault, Job, Outcome, Parcel, parcel_of
from fsivr.exporter.crew import Count, ThreadCrew
from fsivr.exporter.processes import ProcessCrew, crew_of
from fsivr.exporter.targets import Recipe, recipes
from tests.exporter.kept import files_below


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    (tmp_path / "there").mkdir()
    return recipes({"archive": {"kind": "folder", "path": str(tmp_path / "there")}})["archive"]


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    with (tmp_path / "lock").open("w") as file:
        yield file.fileno()


def job(folder: Path, number: int) -> Job:
    """A recording to bring."""
    content = b"%d" % number * 1000
    path = folder / f"{number}.wav"
    path.write_bytes(content)
    return Job(str(number), parcel_of(path, f"{number}.wav", content), parcel_of(path, f"{number}.json", content))


def all_of(crew: ProcessCrew, count: int) -> list[Outcome]:
    """So many outcomes."""
    found: list[Outcome] = []
    until = time.monotonic() + 60
    while len(found) < count:
        assert time.monotonic() < until
        found += crew.outcomes(0.1)
    return found


def test_they_bring_and_tell(recipe: Recipe, lock: int, tmp_path: Path) -> None:
    sent = Count()
    crew = ProcessCrew(recipe, 3, sent, processes=2, lock=lock)
    jobs = [job(tmp_path, number) for number in range(10)]
    bad = Job("bad", Parcel(jobs[0].audio.local, "bad.wav", "0" * 64, 1), jobs[0].sidecar)
    for each in [*jobs, bad]:
        crew.begin(each)
    found = {outcome.job: outcome for outcome in all_of(crew, 11)}
    assert crew.close(30)
    assert [found[each].fault for each in jobs] == [None] * 10
    assert found[bad].fault is Fault.FILE
    assert "has changed" in found[bad].message
    assert len(files_below(tmp_path / "there")) == 20
    assert sent.value >= sum(each.audio.size for each in jobs)


def test_a_process_that_dies_gives_its_jobs_back(recipe: Recipe, lock: int, tmp_path: Path) -> None:
    crew = ProcessCrew(recipe, 2, Count(), processes=1, lock=lock)
    crew._processes[0]._child.kill()
    crew.begin(job(tmp_path, 1))
    (outcome,) = all_of(crew, 1)
    assert (outcome.fault, outcome.message) == (Fault.AGAIN, "the process that brought it ended: see the log")
    crew.begin(outcome.job)
    assert all_of(crew, 1)[0].fault is None
    assert crew.close(30)


def test_processes_that_died_are_ended_all_the_same(recipe: Recipe, lock: int) -> None:
    crew = ProcessCrew(recipe, 2, Count(), processes=2, lock=lock)
    for process in crew._processes:
        process._child.kill()
        process._child.wait()
    assert not crew.close(30)
    assert all(process._child.stdin.closed and process._child.stdout.closed for process in crew._processes)


def test_a_few_recordings_are_not_worth_a_process(recipe: Recipe, lock: int) -> None:
    few = crew_of(recipe, 4, Count(), recordings=3, lock=lock)
    assert isinstance(few, ThreadCrew)
    assert few.close(10)
    made = crew_of(recipe.__call__, 4, Count(), recordings=1000, lock=lock)
    assert isinstance(made, ThreadCrew)
    assert made.close(10)
