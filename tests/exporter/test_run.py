"""A run: what is brought and told, and what becomes of it when things go wrong."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fsivr.errors import AlreadyExporting, NotArrived, PermanentError, TransientError
from fsivr.exporter.plan import Choice
from fsivr.exporter.report import Report
from fsivr.exporter.retry import Patience
from fsivr.exporter.run import Order, Run
from fsivr.recordings import Archive, Sidecar
from fsivr.store import Store
from tests.exporter.faulty import Fault, Faulty, at
from tests.exporter.kept import START, files_below, keep

FAST = Patience(tries=3, gone=0.5, first=0.001, longest=0.01, database=0.1)

LONG = dataclasses.replace(FAST, gone=60.0)


def nothing(method: str, key: str) -> None:
    """All goes well."""


class House:
    """An archive of a few recordings, and a folder to bring them to."""

    def __init__(self, folder: Path, busy: float = 2.0) -> None:
        self.there = folder / "there"
        self.there.mkdir()
        self.store = Store(f"sqlite:///{folder}/fsivr.db", busy=busy)
        self.store.migrate()
        self.archive = Archive(folder / "recordings", self.store, node="ivr-1", retention={"default": 1})

    def keep(self, count: int, **told: Any) -> list[Sidecar]:
        return keep(self.archive.folders, self.store, count, **told)

    def order(self, fault: Fault = nothing, name: str = "archive", **options: Any) -> Run:
        options = {"targets": frozenset({"archive"}), "patience": FAST, "concurrency": 2, **options}
        return Run(name, lambda: Faulty(self.there, fault), archive=self.archive, order=Order(**options))

    def run(self, fault: Fault = nothing, **options: Any) -> Report:
        return self.order(fault, **options).run()

    def manifests(self) -> list[dict[str, Any]]:
        found = files_below(self.there)
        return [json.loads(found[key]) for key in sorted(found) if key.startswith("manifests/")]

    def states(self) -> list[str]:
        return [Sidecar.load(path).state for path in self.archive.folders.sidecars()]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.store.close()


def test_what_waits_is_there_and_told(house: House) -> None:
    kept = house.keep(5, state="degraded")
    report = house.run()
    assert (report.state, report.recordings, report.failed, report.remaining) == ("done", 5, 0, 0)
    assert report.bytes == sum(sidecar.bytes or 0 for sidecar in kept)
    (manifest,) = house.manifests()
    assert (manifest["complete"], manifest["files"], manifest["bytes"]) == (True, 5, report.bytes)
    assert {each["id"]: each["sha256"] for each in manifest["recordings"]} == {s.id: s.sha256 for s in kept}
    assert report.manifest == f"manifests/{report.run[:4]}/{report.run[4:6]}/{report.run[6:8]}/{report.run}.json"
    assert house.states() == ["exported"] * 5
    (row,) = house.store.exports().items
    assert (row.state, row.recordings, row.bytes, row.target) == ("done", 5, report.bytes, "archive")
    assert json.loads(row.report) == report.document()
    assert {each.action for each in house.store.audit().items} == {"recording.arrived"}


def test_the_sidecar_there_tells_what_the_one_here_told(house: House) -> None:
    (sidecar,) = house.keep(1)
    house.run()
    there = house.there / f"{sidecar.path.removesuffix('.wav')}.json"
    assert Sidecar.load(there) == sidecar


def test_a_run_without_recordings_says_so(house: House) -> None:
    assert house.run().state == "done"
    (manifest,) = house.manifests()
    assert (manifest["complete"], manifest["files"], manifest["recordings"]) == (True, 0, [])


def test_it_is_exported_when_it_is_at_every_target(house: House) -> None:
    house.keep(2)
    both = frozenset({"archive", "second"})
    house.run(targets=both)
    assert house.states() == ["sealed"] * 2
    house.run(targets=both, name="second")
    assert house.states() == ["exported"] * 2
    assert all(json.loads(row.arrivals).keys() == both for row in house.store.recordings().items)


def test_a_target_that_is_taken_out_no_longer_holds_up_the_rest(house: House) -> None:
    house.keep(2)
    house.run(targets=frozenset({"archive", "second"}))
    house.run()
    assert house.states() == ["exported"] * 2


def test_a_new_target_gets_what_was_exported_before_where_it_is_asked_for(house: House) -> None:
    house.keep(2)
    house.run()
    both = frozenset({"archive", "second"})
    assert house.run(targets=both, name="second").recordings == 0
    assert house.run(targets=both, name="second", choice=Choice(exported=True)).recordings == 2


def test_only_those_that_are_chosen(house: House) -> None:
    house.keep(4)
    house.keep(1, first=4, handler="apps.voicemail.Voicemail")
    since, until = START + timedelta(seconds=1), START + timedelta(seconds=3)
    assert house.order(choice=Choice(since, until)).measure().planned == 2
    assert house.order(choice=Choice(handler="Survey")).measure().planned == 4
    assert house.run(choice=Choice(handler="apps.voicemail.Voicemail")).recordings == 1
    assert house.run().recordings == 4


@pytest.mark.parametrize("method", ["open", "put", "prove", "sweep"])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_what_may_go_right_is_tried_again(house: House, method: str, number: int) -> None:
    house.keep(6)
    report = house.run(at(number, method, TransientError("the network is down")))
    assert (report.state, report.recordings, report.failures) == ("done", 6, [])
    assert house.states() == ["exported"] * 6


def test_a_target_that_is_gone_for_a_while(house: House) -> None:
    house.keep(6)
    report = house.run(at(3, "put", TransientError("the server is being started"), times=15), patience=LONG)
    assert (report.state, report.recordings) == ("done", 6)


def test_a_target_that_stays_gone_ends_the_run_in_time(house: House) -> None:
    house.keep(6)
    report = house.run(at(5, "put", TransientError("no route to host"), times=10**9))
    assert (report.state, report.recordings) == ("partial", 2)
    assert "for too long; last: no route to host" in report.error
    assert report.remaining == 4
    assert {each["reason"] for each in report.failures} == {"no route to host"}
    assert house.run().recordings == 4
    assert [manifest["complete"] for manifest in house.manifests()].count(True) == 1


def test_a_target_that_cannot_be_reached_at_all(house: House) -> None:
    house.keep(1)
    report = house.run(at(1, "open", TransientError("connection refused"), times=10**9))
    assert (report.state, report.error, report.refused) == ("failed", "connection refused", False)
    assert house.states() == ["sealed"]


@pytest.mark.parametrize("method", ["open", "put", "prove"])
def test_a_target_that_refuses_is_told_at_once(house: House, method: str) -> None:
    house.keep(50)
    asked: list[str] = []

    def refusing(called: str, key: str) -> None:
        asked.append(called)
        if called == method:
            raise PermanentError("access denied: see to the key")

    report = house.run(refusing)
    assert (report.state, report.refused, report.error) == ("failed", True, "access denied: see to the key")
    assert len(asked) < 30
    assert house.run().recordings == 50


def test_a_target_that_lets_nothing_be_swept_still_gets_all(house: House) -> None:
    house.keep(2)
    report = house.run(at(1, "sweep", PermanentError("it may not be listed"), times=2))
    assert (report.state, report.recordings) == ("done", 2)
    assert report.warnings == ["half-brought files stay there: it may not be listed"]


@pytest.mark.parametrize("harm", ["changed", "shorter", "gone", "no sidecar", "sidecar is none", "not readable"])
def test_one_bad_file_does_not_stop_the_night(house: House, harm: str) -> None:
    kept = house.keep(6)
    bad = house.archive.folders.place(kept[2].id)
    sidecar = house.archive.folders.sidecar_of(kept[2].id)
    if harm == "changed":
        bad.write_bytes(b"x" * (kept[2].bytes or 0))
    elif harm == "shorter":
        os.truncate(bad, 10)
    elif harm == "gone":
        bad.unlink()
    elif harm == "no sidecar":
        sidecar.unlink()
    elif harm == "sidecar is none":
        sidecar.write_bytes(b"{")
    else:
        bad.unlink()
        bad.symlink_to("/etc/passwd")
    report = house.run()
    assert (report.state, report.recordings, report.failed, report.refused) == ("partial", 5, 1, False)
    (failure,) = report.failures
    assert failure["id"] == kept[2].id
    assert kept[2].id in failure["reason"] or "sidecar" in failure["reason"]
    assert [manifest["complete"] for manifest in house.manifests()] == [False]
    assert not any("passwd" in key or b"root:" in content for key, content in files_below(house.there).items())


def test_a_target_that_refuses_one_file_alone_gets_the_others(house: House) -> None:
    kept = house.keep(6)

    def refusing(method: str, key: str) -> None:
        if method == "put" and kept[1].id in key:
            raise PermanentError("there is a folder of that name")

    report = house.run(refusing, concurrency=1)
    assert (report.state, report.recordings, report.refused) == ("partial", 5, False)
    assert report.failures[0]["reason"] == "there is a folder of that name"


def test_a_target_that_keeps_nothing_is_found_out(house: House) -> None:
    house.keep(3)
    report = house.run(lambda method, key: "skip" if method == "put" else None)
    assert (report.state, report.recordings) == ("failed", 0)
    assert "is not there" in report.failures[0]["reason"]
    assert house.states() == ["sealed"] * 3


def test_one_that_never_proves_is_given_up_after_its_tries(house: House) -> None:
    kept = house.keep(5)

    def losing(method: str, key: str) -> None:
        if method == "prove" and kept[0].id in key:
            raise NotArrived("it has another hash there")

    report = house.run(losing)
    assert (report.state, report.recordings) == ("partial", 4)
    assert report.failures == [
        {"id": kept[0].id, "key": kept[0].path, "reason": "it has another hash there", "tries": FAST.tries}
    ]


def test_a_second_run_is_told_of_the_first(house: House) -> None:
    house.keep(1)
    told: list[str] = []

    def second(method: str, key: str) -> None:
        if method == "put" and not told:
            with pytest.raises(AlreadyExporting, match=rf"process {os.getpid()} since 20.*run 20"):
                house.run()
            told.append(key)

    assert house.run(second).state == "done"
    assert told


def test_a_run_that_is_told_to_stop_marks_what_is_there(house: House) -> None:
    house.keep(50)
    runs: list[Run] = []

    def stopping(method: str, key: str) -> None:
        if method == "put" and len(files_below(house.there)) > 10:
            runs[0].stop()

    runs.append(house.order(stopping))
    report = runs[0].run()
    assert report.state == "partial"
    assert 0 < report.recordings < 50
    assert house.states().count("exported") == report.recordings
    assert report.remaining == 50 - report.recordings
    assert "told to stop" in report.error
    assert house.manifests()[0]["files"] == report.recordings


def test_a_run_ends_with_its_window(house: House) -> None:
    house.keep(3)
    report = house.run(deadline=datetime.now(UTC) - timedelta(seconds=1))
    assert (report.state, report.recordings, report.error) == ("failed", 0, "the window is over")


def test_what_is_already_there_is_not_sent_again(house: House) -> None:
    house.keep(3)

    ledger = house.archive.folders.spool / ".exports" / "archive@ivr-1" / "ledger"
    ledger.parent.mkdir(parents=True)
    kept = [Sidecar.load(path) for path in house.archive.folders.sidecars()]
    ledger.write_text(json.dumps({"began": [sidecar.id for sidecar in kept]}) + "\n")
    Faulty(house.there, nothing).put(house.archive.folders.place(kept[0].id), kept[0].path, sha256=kept[0].sha256)
    sent: list[str] = []
    report = house.run(lambda method, key: sent.append(key) if method == "put" else None)
    assert report.found == 1
    assert kept[0].path not in sent
    assert kept[1].path in sent
