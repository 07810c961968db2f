"""The probe of a target: written, read back, deleted, and never left behind."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pytest

from fsivr.doctor import targets as module
from fsivr.doctor.targets import probe
from fsivr.errors import NotArrived, PermanentError, TransientError
from fsivr.exporter.folder import FolderTarget
from fsivr.exporter.targets import Recipe
from tests.exporter.weed import KEY_ID, READER_ID, READER_SECRET, SECRET, Weed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "archive"
    place.mkdir()
    (place / "kept.wav").write_bytes(b"of others")
    return place


def recipe(folder: Path) -> Recipe:
    return Recipe("archive", "folder", {"path": str(folder)})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_a_folder(findings: Any, folder: Path) -> None:
    (found,) = findings("targets.probe", targets={"archive": {"kind": "folder", "path": str(folder)}})
    assert (found.level, found.what) == (
        "ok",
        "target archive (folder): a probe was written, read back and deleted",
    )
    assert names(folder) == ["kept.wav"]


def test_each_target_is_told_of(levels: Any, folder: Path) -> None:
    given = {"one": {"kind": "folder", "path": str(folder)}, "two": {"kind": "folder", "path": f"{folder}/none"}}
    assert levels("targets.probe", targets=given) == ["ok", "error"]


def test_a_bucket(weed: Weed, tmp_path: Path) -> None:
    weed.make("doctor")
    arguments = {
        "bucket": "doctor",
        "endpoint": f"http://127.0.0.1:{weed.port}",
        "prefix": uuid.uuid4().hex,
        "key_id": KEY_ID,
        "secret": SECRET,
        "addressing": "path",
        "state": str(tmp_path),
    }
    assert [told.level for told in probe(Recipe("s3", "s3", arguments))] == ["ok"]
    target = Recipe("s3", "s3", arguments)()
    assert not list(target.entries())
    # A file that is locked cannot be deleted, so that none is written.
    locked = Recipe("s3", "s3", {**arguments, "lock": "compliance", "lock_days": 1})
    assert [told.level for told in probe(locked)] == ["ok", "skipped"]
    assert not list(target.entries())
    # What may read alone writes nothing, and has nothing to delete.
    reader = probe(Recipe("s3", "s3", {**arguments, "key_id": READER_ID, "secret": READER_SECRET}))
    assert "cannot be written to" in reader[0].what
    assert {told.level for told in reader} <= {"error", "note"}
    assert not list(target.entries())
    target.close()
    (wrong,) = probe(Recipe("s3", "s3", {**arguments, "secret": f"x{SECRET}"}))
    assert (wrong.level, SECRET in wrong.what + wrong.mend) == ("error", False)


@pytest.fixture
def spoiled(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has a method of the folder's target do something else."""

    def spoil(name: str, instead: Callable[..., Any]) -> None:
        right = getattr(FolderTarget, name)
        monkeypatch.setattr(FolderTarget, name, lambda *args, **more: instead(right, *args, **more))

    return spoil


def fail(error: Exception) -> Callable[..., Any]:
    def instead(right: Callable[..., Any], *args: Any, **more: Any) -> None:
        raise error

    return instead


@pytest.mark.parametrize(
    ("method", "failure", "said"),
    [
        ("open", TransientError("nobody is there"), "cannot be reached: nobody is there"),
        ("put", PermanentError("it is full"), "cannot be written to: it is full"),
        ("prove", NotArrived("it is another"), "cannot be read back from: it is another"),
        ("read", PermanentError("it cannot be read"), "cannot be read back from: it cannot be read"),
    ],
)
def test_what_goes_wrong_is_told_and_nothing_is_left(
    spoiled: Any, folder: Path, method: str, failure: Exception, said: str
) -> None:
    spoiled(method, fail(failure))
    (told,) = probe(recipe(folder))
    assert (told.level, told.what) == ("error", f"target archive {said}")
    assert names(folder) == ["kept.wav"]


def test_a_target_that_gives_back_something_else(spoiled: Any, folder: Path) -> None:
    spoiled("read", lambda right, *args: iter([b"something else"]))
    (told,) = probe(recipe(folder))
    assert (told.level, told.what) == ("error", "target archive: what was read is not what was written")
    assert names(folder) == ["kept.wav"]


def test_half_of_a_probe_is_swept_and_no_other_half(spoiled: Any, folder: Path) -> None:
    """A put that dies leaves its part; a run of the export that is under way has others."""
    other = folder / ".20261124T000000.000Z-abcdefabcdef.wav.0123456789abcdef.part"
    other.write_bytes(b"half")

    def dies(right: Callable[..., Any], self: FolderTarget, local: Path, key: str, *, sha256: str) -> None:
        (folder / f".{key}.{sha256[:16]}.part").write_bytes(b"ha")
        raise TransientError("it died")

    spoiled("put", dies)
    (told,) = probe(recipe(folder))
    assert told.what == "target archive cannot be written to: it died"
    assert names(folder) == sorted([other.name, "kept.wav"])


def test_a_probe_that_cannot_be_deleted_is_named(spoiled: Any, folder: Path) -> None:
    spoiled("delete", fail(PermanentError("it is kept for ever")))
    (told,) = probe(recipe(folder))
    (left,) = set(names(folder)) - {"kept.wav"}
    assert (told.level, told.what) == (
        "warning",
        f"target archive: the probe {left} could not be deleted: it is kept for ever",
    )


def test_a_target_that_is_slow_ends_and_its_probe_is_deleted(spoiled: Any, folder: Path) -> None:
    spoiled("prove", lambda right, *args, **more: gevent.sleep(60))
    (told,) = probe(recipe(folder), limit=0.2)
    assert (told.level, told.what) == (
        "error",
        "target archive cannot be read back from: nothing came within 0.2 s",
    )
    assert names(folder) == ["kept.wav"]


def test_a_file_of_the_same_name_is_not_replaced(spoiled: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.secrets, "token_hex", lambda count: "0" * 2 * count)
    (folder / f"fsivr-doctor-{'0' * 24}.txt").write_bytes(b"of others")
    (told,) = probe(recipe(folder))
    assert told.level == "skipped"
    assert (folder / f"fsivr-doctor-{'0' * 24}.txt").read_bytes() == b"of others"


def test_an_error_of_the_system_is_told(spoiled: Any, folder: Path) -> None:
    spoiled("put", fail(OSError(errno.EIO, "Input/output error")))
    (told,) = probe(recipe(folder))
    assert (told.level, told.what) == ("error", "target archive cannot be written to: OSError")
    assert names(folder) == ["kept.wav"]
