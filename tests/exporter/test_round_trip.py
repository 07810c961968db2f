"""An archive at a target: proved once more, and brought back to an empty machine."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from fsivr.errors import PermanentError, TransientError
from fsivr.exporter.proving import Proved, prove
from fsivr.exporter.restoring import Restored, Restoring
from fsivr.recordings import Archive, Sidecar
from fsivr.store import Store
from tests.exporter.faulty import Fault, Faulty, at
from tests.exporter.kept import START, files_below
from tests.exporter.test_run import FAST, House, house, nothing

__all__ = ["house"]


def proved(house: House, fault: Fault = nothing) -> Proved:
    """What is found at the target."""
    return prove(lambda: Faulty(house.there, fault), workers=3, patience=FAST)


def empty(folder: Path) -> Archive:
    """The archive of a machine that has nothing."""
    store = Store(f"sqlite:///{folder}/new.db")
    store.migrate()
    return Archive(folder / "new", store, node="ivr-2", retention={"default": 1})


def restored(house: House, archive: Archive, fault: Fault = nothing, **options: object) -> Restored:
    """What is brought back to a machine."""
    restoring = Restoring(
        "archive",
        lambda: Faulty(house.there, fault),
        folders=archive.folders,
        node=archive.node,
        targets={"archive"},
    )
    return restoring.run(workers=3, patience=FAST, **options)  # type: ignore[arg-type]


def test_what_was_exported_is_proved(house: House) -> None:
    house.keep(5)
    house.run()
    house.keep(2, first=5)
    house.run()
    found = proved(house)
    assert (found.files, found.right, found.counts) == (14, True, {})


def test_what_is_missing_changed_or_extra_is_named(house: House) -> None:
    kept = house.keep(4)
    house.run()
    keys = [sidecar.path for sidecar in kept]
    (house.there / keys[0]).unlink()
    (house.there / keys[1]).write_bytes(b"x" * (kept[1].bytes or 0))
    (house.there / keys[2].replace(".wav", ".json")).write_bytes(b"{}")
    (house.there / "stray.wav").write_bytes(b"")
    (house.there / "manifests" / "2000.json").write_text('{"version": 1, "recordings": [{"id": "../x"}]}')
    found = proved(house)
    assert found.missing == [keys[0]]
    assert sorted(found.changed) == sorted([keys[1], keys[2].replace(".wav", ".json")])
    assert found.extra == ["stray.wav"]
    assert found.unreadable[0].startswith("manifests/2000.json is no manifest")
    assert not found.right


def test_a_target_that_fails_for_a_moment_is_asked_again(house: House) -> None:
    house.keep(3)
    house.run()
    assert proved(house, at(2, "prove", TransientError("reset"))).right
    assert proved(house, at(1, "open", TransientError("reset"))).right
    found = proved(house, at(1, "prove", TransientError("reset"), times=10**9))
    assert (found.files, found.counts["unknown"]) == (0, 6)
    with pytest.raises(PermanentError, match="denied"):
        proved(house, at(1, "open", PermanentError("denied")))


def test_an_archive_comes_back_to_an_empty_machine(house: House, tmp_path: Path) -> None:
    kept = house.keep(5, caller="+1999", state="degraded")
    house.run()
    archive = empty(tmp_path)
    found = restored(house, archive)
    assert (found.recordings, found.here, found.complete) == (5, 0, True)
    assert found.bytes == sum(sidecar.bytes or 0 for sidecar in kept)
    assert archive.reindex().recordings == 5
    for sidecar in kept:
        assert archive.audio(sidecar.id).read_bytes() == house.archive.audio(sidecar.id).read_bytes()
        back, before = archive.sidecar(sidecar.id), house.archive.sidecar(sidecar.id)
        assert back == dataclasses.replace(before, node="ivr-2", exported=back.exported)
        row = archive.store.recording(sidecar.id)
        assert row is not None
        assert (row.caller, row.state, row.node) == ("+1999", "exported", "ivr-2")
    assert not [name for name in files_below(archive.folders.root) if name.endswith(".part")]
    assert restored(house, archive).here == 5
    archive.store.close()


def test_only_the_days_that_are_asked_for(house: House, tmp_path: Path) -> None:
    house.keep(4)
    house.run()
    archive = empty(tmp_path)
    span = {"since": START.replace(second=1), "until": START.replace(second=3)}
    assert restored(house, archive, **span).recordings == 2
    archive.store.close()


def test_what_is_not_as_it_was_does_not_come_back(house: House, tmp_path: Path) -> None:
    kept = house.keep(5)
    house.run()
    (house.there / kept[4].path).unlink()
    (house.there / kept[0].path).write_bytes(b"x" * (kept[0].bytes or 0))
    (house.there / kept[1].path).write_bytes(b"x" * 100_000)
    (house.there / kept[2].path.replace(".wav", ".json")).write_bytes(b"{}")
    archive = empty(tmp_path)
    found = restored(house, archive)
    assert (found.recordings, found.complete) == (1, False)
    assert {id for id, _ in found.failures} == {sidecar.id for sidecar in kept} - {kept[3].id}
    assert [path.stem for path in archive.folders.sidecars()] == [kept[3].id]
    assert [path.stem for path in archive.folders.audios()] == [kept[3].id]
    assert not [name for name in files_below(archive.folders.root) if name.endswith(".part")]
    archive.store.close()


def test_another_recording_of_the_same_id_is_left_as_it_is(house: House, tmp_path: Path) -> None:
    (kept,) = house.keep(1)
    house.run()
    archive = empty(tmp_path)
    other = dataclasses.replace(kept, sha256="0" * 64)
    path = archive.folders.sidecar_of(kept.id)
    archive.folders.prepare(path.parent)
    other.save(path)
    found = restored(house, archive)
    assert "another recording of that id is here" in found.failures[0][1]
    assert Sidecar.load(path) == other
    archive.store.close()


def test_what_was_purged_comes_back(house: House) -> None:
    (kept,) = house.keep(1)
    house.run()
    house.archive.delete(kept.id, by="test")
    assert restored(house, house.archive).recordings == 1
    assert house.archive.sidecar(kept.id).state == "exported"
    assert house.archive.audio(kept.id).exists()


def test_a_manifest_that_leads_elsewhere_is_refused(house: House, tmp_path: Path) -> None:
    house.keep(1)
    house.run()
    (key,) = [key for key in files_below(house.there) if key.startswith("manifests/")]
    told = json.loads((house.there / key).read_text())
    for harm in ({"id": "../../x"}, {"key": "../x"}, {"size": -1}, {"sha256": "x"}):
        spoilt = {**told, "recordings": [{**told["recordings"][0], **harm}]}
        (house.there / key).write_text(json.dumps(spoilt))
        archive = empty(tmp_path)
        found = restored(house, archive)
        assert (found.recordings, len(found.unreadable)) == (0, 1)
        archive.store.close()
