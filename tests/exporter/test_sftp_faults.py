"""What SFTPTarget does with a server that refuses, is full, lacks an extension, stalls or lies; against a real sshd."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import paramiko
import pytest

from fsivr.errors import PermanentError, TransientError
from fsivr.exporter.pace import Pace
from fsivr.exporter.sftp import SFTPTarget
from tests.exporter.liar import Files, Liar, attributes
from tests.exporter.place import sha256, some
from tests.exporter.proxy import Proxy
from tests.exporter.sftp_place import SFTPPlace
from tests.exporter.sshd import Sshd
from tests.exporter.users import own_users
from tests.leaks import left, nothing_more_than

KEY = "2026/11/24/x.wav"
_COUNT = itertools.count()
needs_users = pytest.mark.skipif(not own_users(), reason="a user that is not root, and a small disk, need root")


@pytest.fixture
def place(sshd: Sshd, tmp_path: Path) -> SFTPPlace:
    (folder := tmp_path / "of-server").mkdir()
    return SFTPPlace(sshd, f"faults{next(_COUNT)}", folder)


@pytest.fixture
def target(place: SFTPPlace) -> Iterator[SFTPTarget]:
    target = SFTPTarget(**place.arguments())
    yield target
    target.close()


def test_folders_are_for_the_user_and_group_and_times_are_kept(
    place: SFTPPlace, target: SFTPTarget, tmp_path: Path
) -> None:
    local = some(tmp_path, 1000)
    os.utime(local, (1_700_000_000, 1_600_000_000))
    target.put(local, KEY, sha256=sha256(local))
    assert (place.root / KEY).stat().st_mtime == 1_600_000_000
    assert {(place.root / "2026" / name).stat().st_mode & 0o777 for name in ("", "11", "11/24")} == {0o750}


@pytest.mark.parametrize("there", ["same", "another", "longer", "empty"])
def test_what_is_half_there_is_gone_on_with_where_it_is_the_same(
    place: SFTPPlace, target: SFTPTarget, tmp_path: Path, there: str
) -> None:
    local = some(tmp_path, 480_000)
    data = local.read_bytes()
    half = {"same": data[:200_000], "another": data[:100_000] + b"x" * 90_000, "longer": data + b"x", "empty": b""}
    place.store(f"{KEY}.fsivr.part", half[there])
    told: list[int] = []
    target.put(local, KEY, sha256=sha256(local), progress=told.append)
    assert place.files() == {KEY: data}
    assert sum(told) == {"same": 280_000, "another": 380_000, "longer": 0, "empty": 480_000}[there]


def test_a_file_of_another_program_is_neither_swept_nor_an_entry_of_no_name(
    place: SFTPPlace, target: SFTPTarget
) -> None:
    for name in ("a.part", "a b.wav.fsivr.part", "é.wav", "b.wav.fsivr.part"):
        place.store(name, b"x")
    (place.root / "link.wav").symlink_to("/etc/passwd")
    (place.root / "loop").symlink_to(place.root)
    assert target.sweep() == 1
    assert sorted(place.rubbish()) == ["a b.wav.fsivr.part", "a.part"]
    assert [entry.key for entry in target.entries()] == ["a.part"]


@needs_users
@pytest.mark.parametrize("size", [1_060_000, 3_000_000])
def test_a_full_disk_is_named_also_when_only_the_last_write_fails(place: SFTPPlace, tmp_path: Path, size: int) -> None:
    local = some(tmp_path, size)
    full = place.full()
    assert full is not None
    with full as target:
        with pytest.raises(PermanentError, match="disk is full; make room"):
            target.put(local, KEY, sha256=sha256(local))
        assert target.sweep() == 1
        target.close()


@needs_users
def test_a_folder_that_may_not_be_written_is_named(place: SFTPPlace, target: SFTPTarget, tmp_path: Path) -> None:
    local = some(tmp_path, 1000)
    place.root.chmod(0o500)
    with pytest.raises(PermanentError, match=r"permission denied.*give that user"):
        target.put(local, KEY, sha256=sha256(local))
    place.root.chmod(0o750)
    target.put(local, KEY, sha256=sha256(local))
    assert KEY in place.files()


def test_a_folder_that_is_not_there_is_not_made(place: SFTPPlace) -> None:
    with pytest.raises(PermanentError, match="no such file or folder"):
        SFTPTarget(**place.arguments() | {"folder": f"{place.root}/none"}).open()
    place.store("file", b"x")
    with pytest.raises(PermanentError, match=r"is no folder.*make it"):
        SFTPTarget(**place.arguments() | {"folder": f"{place.root}/file"}).open()


@pytest.fixture
def without(sshd: Sshd) -> Iterator[None]:
    """The server without what OpenSSH adds to the protocol."""
    sshd.stop()
    sshd.start(subsystem="internal-sftp -P posix-rename,fsync,statvfs")
    yield
    sshd.stop()
    sshd.start()


def test_a_server_with_no_extensions_will_do(
    without: None, place: SFTPPlace, target: SFTPTarget, tmp_path: Path
) -> None:
    for seed in range(2):  # the second replaces the first
        local = some(tmp_path, 480_000, seed=seed)
        target.put(local, KEY, sha256=sha256(local))
        target.prove(KEY, sha256=sha256(local), size=480_000)
    assert place.files() == {KEY: local.read_bytes()}
    assert place.rubbish() == []


@pytest.mark.parametrize("count", [10, 500, 1500, 2500, 3000, 4000])
def test_a_server_that_stops_answering_while_it_is_opened_is_left(place: SFTPPlace, count: int) -> None:
    before = left()
    with Proxy(place.port) as proxy:
        proxy.at(count, proxy.stall)
        target = SFTPTarget(**place.arguments(port=proxy.port, timeout=1))
        with gevent.Timeout(60), pytest.raises(TransientError):
            target.open()
            for _ in range(100):  # what was to be told is told by then
                target.size(KEY)
    target.close()
    nothing_more_than(before)


def test_it_keeps_to_the_pace(place: SFTPPlace, tmp_path: Path) -> None:
    local, waited = some(tmp_path, 1_000_000), list[float]()
    target = SFTPTarget(**place.arguments(), pace=Pace(1_000_000, clock=lambda: sum(waited), sleep=waited.append))
    target.put(local, KEY, sha256=sha256(local))
    target.close()
    assert 0.3 < sum(waited) <= 1


def test_an_error_of_the_callers_own_comes_through_and_the_next_goes_on(
    place: SFTPPlace, target: SFTPTarget, tmp_path: Path
) -> None:
    local = some(tmp_path, 480_000)

    def stopped(count: int) -> None:
        raise KeyError("stopped")

    with pytest.raises(KeyError, match="stopped"):
        target.put(local, KEY, sha256=sha256(local), progress=stopped)
    target.put(local, KEY, sha256=sha256(local))
    assert place.files() == {KEY: local.read_bytes()}


class _Hostile(Files):
    """Lists what no folder has, and refuses with text that would spoil a log."""

    def list_folder(self, path: str) -> Any:
        if path.count("/") > 2:
            return [attributes(0o40755, 0, "deeper")]
        names = ["../up.wav", "/etc/passwd", "a\nb.wav", "x" * 5000, "good.wav", "..", "deeper"]
        return [attributes(0o40755 if name == "deeper" else 0o100644, 1, name) for name in names]

    def remove(self, path: str) -> int:
        return paramiko.SFTP_BAD_MESSAGE


def test_a_hostile_server_gets_no_further(place: SFTPPlace, sshd: Sshd) -> None:
    with Liar(sshd.host_keys["ed25519"], _Hostile) as liar:
        target = SFTPTarget(**place.arguments(port=liar.port) | {"folder": ""})
        with pytest.raises(PermanentError, match="folders are more than 32 deep"):
            list(target.entries())
        assert [entry.key for entry in target.entries("good")] == ["good.wav"]
        with pytest.raises(PermanentError, match="SSH_FX code 5"):
            target.delete(KEY)
        target.close()


def test_no_server_at_all_is_tried_again_later(place: SFTPPlace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(TransientError, match="cannot be reached: Connection refused"):
        SFTPTarget(**place.arguments(port=port)).open()
    with pytest.raises(TransientError, match="cannot be reached"):
        SFTPTarget(**place.arguments() | {"host": "nowhere.invalid"}).open()
