"""Retention: what is old enough goes, once exported and not on hold; and nothing else, whatever happens meanwhile."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fsivr.recordings import Archive, Hold, Sidecar
from fsivr.store import Recording, Store
from tests.recordings.kept import START, audit, id_of, keep, keep_exported, sound

_SIZE = 2044


def _days(days: float) -> float:
    """So many days after recording number 0 began, in seconds since 1970."""
    return (START + timedelta(days=days)).timestamp()


def _there(archive: Archive) -> list[int]:
    return [int(path.stem[-12:], 16) for path in archive.folders.audios()]


def _states(archive: Archive) -> list[tuple[str, str]]:
    """The state of each recording, by its sidecar and by its row."""
    found = []
    for path in archive.folders.sidecars():
        row = archive.store.recording(path.stem)
        assert row is not None
        found.append((Sidecar.load(path).state, row.state))
    return found


def test_only_what_is_old_enough_goes(archive: Archive) -> None:
    for number in range(4):
        keep_exported(archive, number, retention="complaints" if number == 1 else "default")
    assert archive.purge(by="cli:root", now=_days(30)) == (0, 0, {})
    # 30 days after number 2 began, and before number 3 is as old.
    assert archive.purge(by="cli:root", now=_days(30) + 121) == (2, 2 * _SIZE, {})
    assert _there(archive) == [1, 3]
    assert _states(archive) == [("purged", "purged"), ("exported",) * 2, ("purged", "purged"), ("exported",) * 2]
    assert archive.purge(by="cli:root", now=_days(30) + 121) == (0, 0, {})
    assert archive.purge(by="cli:root", now=_days(3651)) == (2, 2 * _SIZE, {})
    assert _there(archive) == []
    who, action, detail = audit(archive.store, subject=id_of(0))[0]
    assert (who, action) == ("cli:root", "recording.purge")
    assert (detail["bytes"], detail["retention"], detail["export"]) == (_SIZE, "default", "export-1")


@pytest.mark.parametrize("state", ["sealed", "degraded", "failed", "purged"])
def test_what_is_not_exported_stays(archive: Archive, state: str) -> None:
    keep(archive, state=state)
    assert archive.purge(by="me", now=_days(9999)).recordings == 0
    assert _there(archive) == [0]


@pytest.mark.parametrize(
    ("sidecar", "row", "why"),
    [
        ({"hold": Hold("court", "ann", START)}, {}, "on hold"),
        ({}, {"hold": Hold("court", "ann", START)}, "on hold"),
        ({"retention": "secret"}, {}, "the setting retention has no class 'secret'"),
        ({"retention": "secret"}, {"retention": "secret"}, "the setting retention has no class 'secret'"),
        ({"state": "sealed", "exported": None}, {}, "its export is not proved, says its sidecar"),
        ({"exported": None}, {}, "its export is not proved, says its sidecar"),
        ({"retention": "complaints"}, {}, "younger, says its sidecar"),
        ({"started": START + timedelta(days=80)}, {}, "younger, says its sidecar"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_is_kept_is_told(
    archive: Archive, sidecar: dict[str, Any], row: dict[str, Any], why: str, dry_run: bool
) -> None:
    """Also where only the sidecar, or only the row, says so."""
    plain = keep_exported(archive, 0, **row)
    keep_exported(archive, 0, row=False, **sidecar)
    keep_exported(archive, 1)
    assert archive.purge(by="me", now=_days(100), dry_run=dry_run) == (1, _SIZE, {why: 1})
    assert _there(archive) == [0, 1] if dry_run else [0]
    assert archive.folders.place(plain.id).exists()


def test_a_dry_run_changes_nothing(archive: Archive) -> None:
    keep_exported(archive)
    assert archive.purge(by="me", now=_days(31), dry_run=True) == (1, _SIZE, {})
    assert _there(archive) == [0]
    assert _states(archive) == [("exported", "exported")]
    assert audit(archive.store) == []


def test_recordings_of_other_nodes_are_theirs(archive: Archive, tmp_path: Path) -> None:
    other = Archive(tmp_path / "other", archive.store, node="ivr-2", retention=archive.retention)
    keep_exported(other, 0)
    assert archive.purge(by="me", now=_days(99)) == (0, 0, {})
    # On a disk that both share, either may.
    shared = Archive(tmp_path / "other", archive.store, node="ivr-1", retention=archive.retention)
    assert shared.purge(by="me", now=_days(99)) == (1, _SIZE, {})


def test_what_cannot_be_read_or_removed_does_not_stop_the_rest(archive: Archive) -> None:
    for number in range(4):
        keep_exported(archive, number)
    archive.folders.sidecar_of(id_of(0)).write_text("{")
    archive.folders.sidecar_of(id_of(1)).unlink()
    archive.folders.place(id_of(2)).unlink()
    archive.folders.place(id_of(2)).mkdir()
    purged = archive.purge(by="me", now=_days(99))
    assert purged.recordings == 1
    assert dict(purged.kept) == {"what is told of it cannot be read": 2, "cannot be removed: Is a directory": 1}
    assert _there(archive) == [0, 1]


def test_a_hold_that_comes_meanwhile_counts(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between asking the database for what is old enough, and the purge of it."""
    keep_exported(archive, 0)
    each = archive.store.each_recording

    def then_held(**asked: Any) -> Iterator[Recording]:
        for row in each(**asked):
            archive.hold(row.id, "court", by="ann")
            yield row

    monkeypatch.setattr(archive.store, "each_recording", then_held)
    assert archive.purge(by="me", now=_days(99)) == (0, 0, {"on hold": 1})
    assert _there(archive) == [0]


def test_a_full_disk_is_made_empty(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_exported(archive)
    path = archive.folders.place(id_of(0))
    save = Sidecar.save

    def full(self: Sidecar, place: Path) -> None:
        if path.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        save(self, place)

    monkeypatch.setattr(Sidecar, "save", full)
    assert archive.purge(by="me", now=_days(99)) == (1, _SIZE, {})
    assert _states(archive) == [("purged", "purged")]


def test_a_link_is_removed_and_not_what_it_leads_to(archive: Archive, tmp_path: Path) -> None:
    keep_exported(archive)
    sound(tmp_path / "other.wav", 0)
    archive.folders.place(id_of(0)).unlink()
    archive.folders.place(id_of(0)).symlink_to(tmp_path / "other.wav")
    assert archive.purge(by="me", now=_days(99)).recordings == 1
    assert (tmp_path / "other.wav").exists()
    assert not archive.folders.place(id_of(0)).is_symlink()


# -- killed at any step -----------------------------------------------------------------------

_KILLED = """
import os, signal, sys
from fsivr.recordings import Archive
from fsivr.store import Recording, Store

folder, address, now, left = sys.argv[1], sys.argv[2], float(sys.argv[3]), [int(sys.argv[4])]

def dies_before(function):
    def called(*given, **more):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **more)
    return called

archive = Archive(folder, Store(address), node="ivr-1", retention={"default": 30})
for name in ("rename", "fsync", "unlink", "fchmod"):
    setattr(os, name, dies_before(getattr(os, name)))
archive.store.write = dies_before(archive.store.write)
print(archive.purge(by="me", now=now).recordings)
"""


@pytest.fixture
def killed(tmp_path: Path) -> Callable[[int], int]:
    """Purges in a process that is killed before a step; how it ended."""

    def run(step: int) -> int:
        arguments = [str(tmp_path / "recordings"), f"sqlite:///{tmp_path}/fsivr.db", str(_days(31)), str(step)]
        done = subprocess.run([sys.executable, "-c", _KILLED, *arguments], capture_output=True, text=True, timeout=60)
        assert done.stderr == ""
        return done.returncode

    return run


def test_a_purge_that_was_killed_at_any_step_is_finished_by_the_next(tmp_path: Path, killed: Any) -> None:
    store = Store(f"sqlite:///{tmp_path}/fsivr.db")
    store.migrate()
    archive = Archive(tmp_path / "recordings", store, node="ivr-1", retention={"default": 30})
    steps = 0
    while True:
        steps += 1
        shown = keep_exported(archive, steps)
        keep(archive, 100)
        ended = killed(steps)
        found = Sidecar.load(archive.folders.sidecar_of(shown.id))
        # Before the next purge: the sound is there, or its sidecar says that it went on purpose.
        assert archive.folders.place(shown.id).exists() or found.state == "purged"
        assert [one.id for one in archive.verify(by="me") if not one.ok] == []
        purged = archive.purge(by="me", now=_days(31))
        assert purged.recordings == (0 if _audited(store, shown.id) == 1 and ended == 0 else 1)
        assert not archive.folders.place(shown.id).exists()
        row = store.recording(shown.id)
        assert row is not None
        assert row.state == Sidecar.load(archive.folders.sidecar_of(shown.id)).state == "purged"
        assert _audited(store, shown.id) == 1
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
    assert steps > 6
    assert _there(archive) == [100]
    store.close()


def _audited(store: Store, id: str) -> int:
    return len(store.audit(subject=id, action="recording.purge").items)
