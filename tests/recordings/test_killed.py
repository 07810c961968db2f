"""200 times ``kill -9`` of a server, switches and who reconciles, at moments of chance: no recording is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fsivr.recordings import Sidecar
from tests.recordings.killed import DISCARDED, ROLES
from tests.recordings.serving import Kept

KILLS = 200
_SEED = 20261124


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Kept, list[dict[str, Any]]]:
    """What is left, and what was on disk at each kill."""
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-m", "tests.recordings.killed", str(folder), str(KILLS), str(_SEED)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    return Kept(Path(folder)), [json.loads(line) for line in done.stdout.splitlines()]


def test_they_were_killed_in_the_middle_of_it(killed: tuple[Kept, list[dict[str, Any]]]) -> None:
    _, kills = killed
    assert len(kills) == KILLS + 1  # and all of them at the end
    assert {name for each in kills for name in each["hit"]} == set(ROLES)
    assert {code for each in kills for code in each["died"]} == {-9}  # none of them ended by itself
    # Most of them while something was recorded, moved or sealed.
    assert sum(bool(each["spool"]) for each in kills) > KILLS / 2


def test_all_that_is_on_disk_is_at_its_end(killed: tuple[Kept, list[dict[str, Any]]]) -> None:
    kept, _ = killed
    kept.check()
    states = [Sidecar.load(path).state for path in kept.folders.sidecars()]
    assert states.count("sealed") > KILLS / 10
    assert states.count("degraded") > KILLS / 10


def test_no_sound_file_was_lost(killed: tuple[Kept, list[dict[str, Any]]]) -> None:
    kept, kills = killed
    seen = {id for each in kills for id in each["sounds"]}
    assert len(seen) > KILLS / 2
    discarded = kept.folders.root.parent / DISCARDED
    thrown = set(discarded.read_text().split()) if discarded.exists() else set()
    assert len(thrown) < KILLS / 10
    assert seen - thrown <= {path.stem for path in kept.folders.audios()}


def test_what_is_known_of_them_is_there(killed: tuple[Kept, list[dict[str, Any]]]) -> None:
    """A ticket is on the disk before the switch records, so that not even a killed server's are without a call."""
    kept, _ = killed
    for path in kept.folders.sidecars():
        told = Sidecar.load(path)
        assert (told.handler, told.node, told.dialled[:3]) == ("__main__.Recording", "ivr-1", "430")
        assert told.call and told.channels in (1, 2)
