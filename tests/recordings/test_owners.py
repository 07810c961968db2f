"""Whether the process that records is alive, told by the kernel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fsivr.recordings import Folders
from fsivr.recordings.owners import Owner, bury, is_alive

_HOLDS = """
import sys
from fsivr.recordings import Folders
from fsivr.recordings.owners import Owner
print(Owner(Folders(sys.argv[1])).name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "recordings")


def test_it_lives_until_it_is_closed(folders: Folders) -> None:
    owner = Owner(folders)
    assert is_alive(folders, owner.name)
    assert bury(folders, set()) == 0
    assert is_alive(folders, owner.name)
    owner.close()
    assert not is_alive(folders, owner.name)
    assert os.listdir(folders.owners) == []


def test_a_killed_process_is_dead_and_buried_when_no_ticket_names_it(folders: Folders) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(folders.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert is_alive(folders, name)
        process.send_signal(signal.SIGKILL)
    assert not is_alive(folders, name)
    assert bury(folders, {name}) == 0
    assert bury(folders, set()) == 1
    assert not is_alive(folders, name)


def test_the_group_may_write_into_the_spool(folders: Folders) -> None:
    """The switch may be another user of it; who made the folder otherwise meant it so."""
    Owner(folders).close()
    assert folders.spool.stat().st_mode & 0o7777 == 0o2770
    folders.spool.chmod(0o700)
    Owner(folders).close()
    assert folders.spool.stat().st_mode & 0o7777 == 0o700


def test_nobody_is_dead(folders: Folders) -> None:
    assert not is_alive(folders, "")
    assert not is_alive(folders, "0123456789abcdef")
    assert bury(folders, set()) == 0


def test_one_that_is_removed_before_it_is_locked_takes_another_name(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its making and its lock, somebody may take it for a dead one's."""
    from fsivr.recordings import owners

    take, removed = owners._take, []

    def taken_late(file: int) -> bool:
        if not removed:
            removed.append(os.listdir(folders.owners)[0])
            (folders.owners / removed[0]).unlink()
        return take(file)

    monkeypatch.setattr(owners, "_take", taken_late)
    owner = Owner(folders)
    assert f"{owner.name}.lock" != removed[0]
    assert os.listdir(folders.owners) == [f"{owner.name}.lock"]
    owner.close()
