"""A process that ends at any step of a recording, and others that end at any step of mending it: nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fsivr.recordings import Sidecar
from tests.recordings.broken_off import FILES, ID, LENGTH
from tests.recordings.serving import Kept

#: More than a number that would mean that the steps were not met.
LEAST_STEPS = 8


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, list[dict[str, Any]]]]:
    """The folders of each kind of scenario, and what the program said of each."""
    started = {}
    for kind in FILES:
        folder = tmp_path_factory.mktemp(kind)
        command = [sys.executable, "-m", "tests.recordings.broken_off", str(folder), kind]
        started[kind] = folder, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = {}
    for kind, (folder, process) in started.items():
        said, wrong = process.communicate(timeout=120)
        assert process.returncode == 0, wrong
        found[kind] = folder, [json.loads(line) for line in said.splitlines()]
    return found


@pytest.mark.parametrize("kind", FILES)
def test_whatever_step_it_ends_at(kind: str, runs: dict[str, tuple[Path, list[dict[str, Any]]]]) -> None:
    root, steps = runs[kind]
    assert len(steps) >= LEAST_STEPS
    assert [each["ended"] for each in steps] == [True] * (len(steps) - 1) + [False]
    mended = 0
    for each in steps:
        kept = Kept(root / f"{each['step']:03}")
        kept.check()
        assert [path.name for path in kept.folders.audios()] == each["files"][:1]
        for path in kept.folders.sidecars():
            told = Sidecar.load(path)
            assert told.state in ("sealed", "degraded")
            assert told.call == "c"  # what its ticket told is never lost
            assert told.duration == (0.0 if kind == "empty" else LENGTH)
            mended += told.state == "degraded"
        kept.store.close()
    if kind in ("open", "headerless"):
        told = Sidecar.load(kept.folders.sidecar_of(ID))
        assert told.state == "sealed"
    assert bool(mended) is (kind != "none")
