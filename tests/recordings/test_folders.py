"""The folders: paths of ids alone, nothing outside the root, one process at a time."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsivr.call.spool import Spool
from fsivr.errors import ArchiveError, UnknownRecording
from fsivr.recordings import Folders
from fsivr.recordings.folders import began, checked_id
from tests.recordings.kept import START, id_of

ID = "20261124T135551.123Z-0123456789ab"


def test_the_places_of_a_recording(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    assert folders.spooled(ID) == tmp_path / "spool" / f"{ID}.wav"
    assert folders.ticket(ID) == tmp_path / "spool" / f"{ID}.json"
    assert folders.place(ID) == tmp_path / "2026/11/24" / f"{ID}.wav"
    assert folders.sidecar_of(ID) == tmp_path / "2026/11/24" / f"{ID}.json"
    assert folders.owners == tmp_path / "spool/.owners"
    assert began(ID).isoformat() == "2026-11-24T13:55:51.123000+00:00"


def test_the_ids_of_calls_are_ids() -> None:
    id, _ = Spool("recordings").new()
    assert checked_id(id) == id


@pytest.mark.parametrize(
    "id",
    [
        "",
        "../../../etc/passwd",
        ID + "\n",
        ID + "/..",
        ID.upper(),
        ID.replace("1124", "1324"),
        ID.replace("1124", "0230"),
        ID.replace("T13", "T25"),
        ID.replace("2026", "２０２６"),
        ID[:-1],
        "0000" + ID[4:],
    ],
)
def test_no_path_is_made_of_anything_else(tmp_path: Path, id: str) -> None:
    folders = Folders(tmp_path)
    for place in (folders.spooled, folders.ticket, folders.place, folders.sidecar_of):
        with pytest.raises(UnknownRecording, match="is not the id of a recording"):
            place(id)
    with pytest.raises(UnknownRecording), folders.changing(id):
        pass


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[0-9a-f]{12}"))
def test_what_is_taken_for_an_id_stays_below_the_root(id: str) -> None:
    try:
        path = Folders("/nowhere").place(id)
    except UnknownRecording:
        return
    assert path == Path(os.path.normpath(path))
    assert path.parent.parent.parent.parent == Path("/nowhere")


def _touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_what_is_there_comes_by_time_and_nothing_else_comes(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    ids = [id_of(each * 60 * 7) for each in (300, 5, 40, 1, 0)]
    for id in ids:
        _touch(folders.sidecar_of(id))
        _touch(folders.place(id))
        _touch(folders.ticket(id))
        _touch(folders.spooled(id))
    day = folders.place(ids[0]).parent
    _touch(day / f"{ids[0]}.json.bak")
    _touch(day / "notes.json")
    _touch(tmp_path / "2027/01/01" / f"{ids[1]}.json")  # of another day
    _touch(tmp_path / "20x6/01/01" / f"{ids[1]}.json")
    _touch(tmp_path / "2026/1/01" / f"{ids[1]}.json")
    (day / f"{id_of(1)}.json").mkdir()
    assert [path.stem for path in folders.sidecars()] == sorted(ids)
    assert [path.stem for path in folders.audios()] == sorted(ids)
    assert [path.stem for path in folders.tickets()] == sorted(ids)
    assert [path.stem for path in folders.spooled_audios()] == sorted(ids)
    assert list(Folders(tmp_path / "none").sidecars()) == list(Folders(tmp_path / "none").tickets()) == []


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    folders = Folders(root)
    _touch(outside / "01/01" / "20260101T000000.000Z-000000000000.json")
    _touch(outside / "20260202T000000.000Z-000000000000.wav")
    (root / "2026/02").mkdir(parents=True)
    (root / "2025").symlink_to(outside)
    (root / "2026/01").symlink_to(outside / "01")
    (root / "2026/02/02").symlink_to(outside)
    (root / "spool").symlink_to(outside)
    assert list(folders.sidecars()) == list(folders.audios()) == []
    for path in (root / "2026/02/02/x", root / "2026/02/../../../outside/x", outside / "x"):
        with pytest.raises(ArchiveError, match="is a link"):
            folders.inside(path)
    assert folders.inside(root / "2026/02/03/x.wav")


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    folders = Folders(tmp_path / "link")
    assert folders.root == tmp_path / "disk"
    assert folders.inside(folders.place(ID)) == folders.place(ID)


def test_what_a_killed_writer_left_is_found(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    left = [_touch(folders.ticket(ID).with_name(f"{ID}.json.0123abcd.tmp"))]
    left.append(_touch(folders.sidecar_of(ID).with_name(f"{ID}.json.0123abcd.tmp")))
    _touch(folders.sidecar_of(ID))
    _touch(folders.sidecar_of(ID).with_name("x.json.0123abcd.tmp"))
    assert list(folders.temporaries()) == left
    assert [path.stem for path in folders.sidecars()] == [ID]


def test_folders_are_made_once(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "a" / "b")
    day = folders.place(ID).parent
    folders.prepare(day)
    folders.prepare(day)
    assert day.is_dir()
    assert stat.S_IMODE(day.stat().st_mode) & 0o027 == 0


# -- one at a time ----------------------------------------------------------------------------

_HOLD = """
import sys, time
from fsivr.recordings.folders import Folders
with Folders(sys.argv[1]).changing(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_waits_until_the_holder_is_killed(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path), ID], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ArchiveError, match="has been changing recording"), folders.changing(ID, patience=0.05):
            pass
        with folders.changing(id_of(0), patience=0.05):
            pass  # of another one
        holder.send_signal(signal.SIGKILL)
        with folders.changing(ID):
            pass


def test_threads_of_one_process_wait_for_each_other(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    inside: list[int] = []
    most: list[int] = []

    def change() -> None:
        for _ in range(20):
            with folders.changing(ID):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.0005)
                inside.pop()

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 80
    assert max(most) == 1


def test_the_block_may_not_be_entered_by_a_link(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    (tmp_path / "spool/.locks").mkdir(parents=True)
    (tmp_path / "spool/.locks/01").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"), folders.changing(ID):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_ids_sort_by_time() -> None:
    assert sorted(id_of(each) for each in range(5)) == [id_of(each) for each in range(5)]
    assert began(id_of(0)) == START
