"""Verifying: a file that is not what was sealed is found, whatever happened to it."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fsivr.recordings import Archive, Sidecar
from fsivr.recordings import verifying as module
from tests.recordings.kept import audit, id_of, keep, keep_exported

ID = id_of(0)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-7] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 2)


def _link(path: Path) -> None:
    path.rename(path.with_name("x.wav"))
    path.symlink_to(path.with_name("x.wav"))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def test_a_full_disk_makes_no_file_wrong(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    keep(archive, 0)
    monkeypatch.setattr(Sidecar, "save", failing)
    (found,) = archive.verify([ID], by="me")
    assert found.ok
    assert found.what == "it is right, but that cannot be noted: No space left on device"
    row = archive.store.recording(ID)
    assert row is not None
    assert row.verified is None


def test_what_is_right_is_told_and_remembered(archive: Archive) -> None:
    keep(archive, 0)
    keep_exported(archive, 1)
    keep(archive, 2, state="degraded")
    for number, state in ((3, "failed"), (4, "purged")):
        keep(archive, number, state=state)
    found = list(archive.verify(by="me"))
    assert [(one.id, one.ok, one.bytes) for one in found] == [(id_of(each), True, 2044) for each in range(3)]
    assert [one.what for one in found] == ["", "", "it is right, but was degraded or found damaged before"]
    for number in range(3):
        sidecar = archive.sidecar(id_of(number))
        row = archive.store.recording(id_of(number))
        assert row is not None and row.verified is not None
        assert sidecar.verified == row.verified
    assert [archive.sidecar(id_of(each)).state for each in range(3)] == ["sealed", "exported", "degraded"]
    assert audit(archive.store) == [("me", "recordings.verify", {"read": 3, "damaged": 0})]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_flip, "is not what was sealed"),
        (_cut, "has 2042 bytes, and its sidecar says 2044"),
        (Path.unlink, "there is no file"),
        (_link, "is a link"),
        (_folder, "is no file"),
        (_pipe, "is no file"),
    ],
)
@pytest.mark.parametrize("make", [keep, keep_exported])
def test_what_is_damaged_is_found(
    archive: Archive, harm: Callable[[Path], None], said: str, make: Callable[..., Sidecar]
) -> None:
    make(archive, 0)
    make(archive, 1)
    path = archive.folders.place(ID)
    whole = path.read_bytes()
    harm(path)
    first, second = archive.verify(by="cli:root")
    assert (first.id, first.ok, second.ok) == (ID, False, True)
    assert said in first.what
    row = archive.store.recording(ID)
    assert row is not None
    assert row.state == archive.sidecar(ID).state == "degraded"
    who, action, detail = audit(archive.store, subject=ID)[0]
    assert (who, action) == ("cli:root", "recording.damaged")
    assert said in detail["what"]
    # One that is right again is told, but stays what it was found to be.
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.write_bytes(whole)
    (again,) = archive.verify([ID], by="cli:root")
    assert (again.ok, archive.sidecar(ID).state) == (True, "degraded")


def _resealed(archive: Archive, data: bytes, number: int = 0, **columns: int) -> None:
    """A file that was wrong already when its sidecar was made."""
    keep(archive, number, bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), **columns)
    archive.folders.place(id_of(number)).write_bytes(data)


def test_the_header_is_what_the_sidecar_says(archive: Archive) -> None:
    keep(archive)
    right = archive.folders.place(ID).read_bytes()
    listed = right[:36] + b"LIST\x03\0\0\0abc\0" + right[36:]
    wrong = [
        (right[:4] + bytes(4) + right[8:], {}, "does not say how long it is"),
        (b"junk", {}, "has no header of a WAV file"),
        (b"", {}, "has no header of a WAV file"),
        (right[:40] + b"\0\0\0\x7f" + right[44:], {}, "does not say how long it is"),
        (right[:20] + b"\x07\0" + right[22:], {}, "does not agree with its sidecar"),
        (right[:36] + b"junk" + right[40:], {}, "has no header of a WAV file"),
        (right, {"rate": 16000}, "L16 of 1 channels at 8000 samples a second"),
        (right, {"channels": 2}, "L16 of 1 channels at 8000"),
        (listed[:4] + (len(listed) - 8).to_bytes(4, "little") + listed[8:], {}, ""),
    ]
    for number, (data, columns, said) in enumerate(wrong):
        _resealed(archive, data, number, **columns)
        (found,) = archive.verify([id_of(number)], by="me")
        assert said in found.what
        assert found.ok == (said == "")


def test_what_is_not_there_at_all_is_told(archive: Archive) -> None:
    sidecar = keep(archive, 0)
    keep(archive, 1, state="purged")
    keep(archive, 2, row=False, state="sealed", node="ivr-2")
    archive.folders.sidecar_of(ID).unlink()
    archive.folders.place(ID).unlink()
    found = {one.id: one for one in archive.verify([id_of(0), id_of(1), "../x", id_of(9)], by="me")}
    assert not any(one.ok for one in found.values())
    assert "is gone" in found[ID].what
    assert "should be none" in found[id_of(1)].what
    assert "is not the id" in found["../x"].what
    assert "there is no recording" in found[id_of(9)].what
    # And one that only the database knows is met without being asked for.
    archive.store.write([sidecar.row()])
    assert [(one.id, one.ok) for one in archive.verify(by="me")] == [(id_of(2), True), (ID, False)]
    row = archive.store.recording(ID)
    assert row is not None and row.state == "degraded"


def test_a_sidecar_that_cannot_be_read_is_damage(archive: Archive) -> None:
    keep(archive)
    archive.folders.sidecar_of(ID).write_text('{"version": 1}')
    (found,) = archive.verify(by="me")
    assert "is no sidecar of a recording" in found.what
    row = archive.store.recording(ID)
    assert row is not None and row.state == "degraded"
    assert audit(archive.store, subject=ID)[0][1] == "recording.damaged"


def test_who_may_not_read_a_file_does_not_call_it_damaged(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(archive)

    def refused(file: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module, "_read", refused)
    (found,) = archive.verify(by="me")
    assert not found.ok
    assert "cannot be verified: [Errno 13] Permission denied" in found.what
    assert archive.sidecar(ID).state == "sealed"


def test_one_that_is_purged_while_it_is_read_is_not_damaged(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_exported(archive, 0)
    read = module._read

    def purged_meanwhile(file: int) -> tuple[int, str]:
        archive.delete(ID, by="me")
        size, digest = read(file)
        return size, digest[::-1]

    monkeypatch.setattr(module, "_read", purged_meanwhile)
    assert list(archive.verify(by="me")) == []
    assert archive.sidecar(ID).state == "purged"


_MEASURED = """
import resource, sys
from fsivr.recordings import Archive
from fsivr.store import Store
archive = Archive(sys.argv[1], Store(sys.argv[2]), node="ivr-1", retention={"default": 30})
print(*(found.bytes for found in archive.verify(by="me")))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_memory_does_not_grow_with_a_file(archive: Archive, address: str) -> None:
    sizes = (2044, 300_000_000)

    def most(size: int) -> int:
        keep(archive)
        path = archive.folders.place(ID)
        os.truncate(path, size)
        digest = hashlib.sha256()
        with path.open("rb") as reading:
            for chunk in iter(lambda: reading.read(1 << 20), b""):
                digest.update(chunk)
        keep(archive, bytes=size, sha256=digest.hexdigest())
        os.truncate(path, size)
        command = [sys.executable, "-c", _MEASURED, str(archive.folders.root), address]
        out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.split()
        assert int(out[0]) == size
        return int(out[1])

    small, large = map(most, sizes)
    assert large - small < 30_000  # kB
