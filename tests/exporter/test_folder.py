"""A folder as a target: whole files or none, resumed, proved, and each fault of a disk told with what to do."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from fsivr.errors import FileRefused, NotArrived, PermanentError, TransientError
from fsivr.exporter.folder import FolderTarget
from fsivr.exporter.target import Entry
from tests.exporter.kept import files_below

KEY = "2026/11/24/20261124T135551.123Z-0123456789ab.wav"


@pytest.fixture
def target(tmp_path: Path) -> FolderTarget:
    (tmp_path / "there").mkdir()
    target = FolderTarget("archive", path=str(tmp_path / "there"))
    target.open()
    return target


@pytest.fixture
def local(tmp_path: Path) -> Path:
    path = tmp_path / "local.wav"
    path.write_bytes(os.urandom(3_000_000))
    return path


def sha256(path: Path) -> str:
    """What a sidecar says of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_arrives_and_is_proved(target: FolderTarget, local: Path, tmp_path: Path) -> None:
    told: list[int] = []
    target.put(local, KEY, sha256=sha256(local), progress=told.append)
    target.prove(KEY, sha256=sha256(local), size=3_000_000)
    assert sum(told) == 3_000_000
    assert files_below(tmp_path / "there") == {KEY: local.read_bytes()}
    assert target.size(KEY) == 3_000_000
    assert b"".join(target.read(KEY)) == local.read_bytes()
    target.delete(KEY)
    target.delete(KEY)
    assert target.size(KEY) is None
    with pytest.raises(PermanentError, match="is not there"):
        list(target.read(KEY))


@pytest.mark.parametrize("kept", [0, 1, 1 << 20, 2_500_000])
@pytest.mark.parametrize("same", [True, False])
def test_it_goes_on_from_the_bytes_that_are_the_same(
    target: FolderTarget, local: Path, tmp_path: Path, kept: int, same: bool
) -> None:
    part = tmp_path / "there" / "x" / f".a.wav.{sha256(local)[:16]}.part"
    part.parent.mkdir()
    part.write_bytes(local.read_bytes()[:kept] if same else b"x" * kept + b"more")
    target.put(local, "x/a.wav", sha256=sha256(local))
    assert files_below(tmp_path / "there") == {"x/a.wav": local.read_bytes()}


def test_a_file_that_changed_is_not_brought(target: FolderTarget, local: Path, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="has changed"):
        target.put(local, KEY, sha256="0" * 64)
    with pytest.raises(FileRefused, match="it is not there"):
        target.put(tmp_path / "none.wav", KEY, sha256="0" * 64)
    assert target.sweep() == 1
    assert files_below(tmp_path / "there") == {}


def test_what_is_not_as_it_was_has_not_arrived(target: FolderTarget, local: Path, tmp_path: Path) -> None:
    with pytest.raises(NotArrived, match="is not there"):
        target.prove(KEY, sha256=sha256(local), size=3_000_000)
    target.put(local, KEY, sha256=sha256(local))
    (tmp_path / "there" / KEY).write_bytes(b"x" * 3_000_000)
    with pytest.raises(NotArrived, match="not those sent"):
        target.prove(KEY, sha256=sha256(local), size=3_000_000)


@pytest.mark.parametrize("key", ["../x", "/x", "a//b", "a/../../x", "", "a b"])
def test_what_is_no_key_leads_nowhere(target: FolderTarget, local: Path, key: str) -> None:
    with pytest.raises(PermanentError):
        target.put(local, key, sha256=sha256(local))
    with pytest.raises(PermanentError):
        target.delete(key)


def test_entries_come_in_the_order_of_their_keys(target: FolderTarget, tmp_path: Path) -> None:
    for key in ("b/a.wav", "a.wav", "a/b.wav", "a-b.wav", "a/b/c.wav"):
        path = tmp_path / "there" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"xx")
    (tmp_path / "there" / ".b.wav.0123456789abcdef.part").touch()
    keys = [entry.key for entry in target.entries()]
    assert keys == sorted(keys) and len(keys) == 5
    assert list(target.entries("a/b.")) == [Entry("a/b.wav", 2)]


def test_only_half_brought_files_of_ours_are_swept(target: FolderTarget, tmp_path: Path) -> None:
    there = tmp_path / "there"
    (there / "a").mkdir()
    for name in ("a/.x.wav.0123456789abcdef.part", "a/.y.wav.0123456789abcdef.part", "a/other.part", ".part"):
        (there / name).touch()
    assert target.sweep(lambda key: key == "a/y.wav") == 1
    assert set(files_below(there)) == {"a/.y.wav.0123456789abcdef.part", "a/other.part", ".part"}
    assert target.sweep() == 1


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.ENOSPC, PermanentError, "it is full: free some space there"),
        (errno.EDQUOT, PermanentError, "the quota of this user is used up"),
        (errno.EROFS, PermanentError, "mount it for writing"),
        (errno.EACCES, PermanentError, "see to its permissions"),
        (errno.EIO, TransientError, "Input/output error"),
        (errno.ESTALE, TransientError, "Stale file handle"),
        (errno.ENAMETOOLONG, FileRefused, "set a shorter export_key"),
    ],
)
def test_each_fault_of_the_disk_says_what_to_do(
    target: FolderTarget, local: Path, monkeypatch: Any, number: int, kind: type[Exception], said: str
) -> None:
    def failing(*given: object) -> None:
        raise OSError(number, os.strerror(number), "/mnt/x")

    monkeypatch.setattr("fsivr.exporter.folder.os.replace", failing)
    with pytest.raises(kind, match=said) as caught:
        target.put(local, KEY, sha256=sha256(local))
    assert str(caught.value).startswith("target archive: /mnt/x: ")


def test_a_folder_that_is_not_there_or_not_mounted(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"there is no folder .*: mount or make it"):
        FolderTarget("archive", path=str(tmp_path / "none")).open()
    memory = Path("/dev/shm")
    if memory.is_dir() and os.stat(memory).st_dev != os.stat("/").st_dev:
        FolderTarget("archive", path=str(memory), mounted=True).open()
    with pytest.raises(PermanentError, match="is not on a disk of its own"):
        FolderTarget("archive", path="/usr", mounted=True).open()


def test_a_folder_that_goes_away_may_come_back(target: FolderTarget, local: Path, tmp_path: Path) -> None:
    (tmp_path / "there").rmdir()
    with pytest.raises(TransientError, match="is gone"):
        target.put(local, KEY, sha256=sha256(local))
