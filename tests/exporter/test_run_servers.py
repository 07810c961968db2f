"""Runs to real servers that are killed: every file is there once, byte for byte, and nothing is left over.

``FSIVR_TEST_KILLS=100 FSIVR_TEST_RECORDINGS=500`` does it at length.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from tests.exporter.exporting import begun, kill, wait_for_arrival, wait_for_work
from tests.exporter.place import Place
from tests.exporter.servers import all_is_there, arguments, filled, kind, place

__all__ = ["kind", "place"]

KILLS = int(os.environ.get("FSIVR_TEST_KILLS", "3"))
RECORDINGS = int(os.environ.get("FSIVR_TEST_RECORDINGS", "40"))


def test_killed_at_random_moments(place: Place, kind: str, tmp_path: Path) -> None:
    folder, chance, killed = tmp_path / "kept", random.Random(kind), 0
    filled(folder, RECORDINGS)
    for number in range(KILLS):
        process = begun(folder, kind, arguments(place))
        wait_for_work(folder, process)
        if number % 2:
            # Else a machine with much to do would kill them all before the first arrival.
            wait_for_arrival(folder, process)
        time.sleep(chance.uniform(0.0, 0.3))
        killed += kill(process)
    assert killed >= KILLS / 4
    assert begun(folder, kind, arguments(place)).wait(300) == 0
    all_is_there(folder, place, RECORDINGS)


def test_a_server_that_is_killed_and_comes_back(place: Place, kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    filled(folder, 20, 1)
    process = begun(folder, kind, arguments(place, timeout=5.0))
    wait_for_work(folder, process)
    place.stop()
    time.sleep(1.0)
    place.start()
    assert process.wait(300) == 0
    all_is_there(folder, place, 20)
