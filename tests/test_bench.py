"""scripts/bench, as a tiny run: that it measures what it says, not how fast anything is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_RUN = Path(__file__).parent.parent / "scripts" / "benchmarks" / "run.py"
_WORKERS = ["fsivr", "greenswitch", "greenswitch, lean", "floor"]


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What a tiny run printed, and its figures."""
    figures = tmp_path_factory.mktemp("bench") / "figures.json"
    size = ["--rounds", "1", "--calls", "3", "--concurrent", "3", "--held", "3"]
    run = subprocess.run(
        [sys.executable, _RUN, *size, "--json", figures], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout, json.loads(figures.read_text())


def test_the_tables_name_every_worker_and_the_limits(tiny_run: tuple[str, dict[str, Any]]) -> None:
    printed, _ = tiny_run
    for text in (*_WORKERS, "ratio", "0.4 ", "2.0 ", "60 "):
        assert text in printed


def test_every_worker_is_measured_at_each_pace(tiny_run: tuple[str, dict[str, Any]]) -> None:
    _, figures = tiny_run
    assert list(figures["costs"]) == ["at once", "paced"]
    for costs in figures["costs"].values():
        assert list(costs) == _WORKERS
        assert all(cost["cpu"] > 0 for cost in costs.values())
    assert set(figures["memory"]) == {"fsivr", "greenswitch", "floor"}


def test_the_floor_gets_and_sends_what_fsivr_does(tiny_run: tuple[str, dict[str, Any]]) -> None:
    _, figures = tiny_run
    fsivr, floor = (figures["costs"]["paced"][name] for name in ("fsivr", "floor"))
    assert floor["events"] == fsivr["events"]
    assert floor["bytes_to_worker"] == pytest.approx(fsivr["bytes_to_worker"], rel=0.001)
    assert floor["bytes_from_worker"] == pytest.approx(fsivr["bytes_from_worker"], rel=0.02)


def test_who_subscribes_to_less_gets_less(tiny_run: tuple[str, dict[str, Any]]) -> None:
    _, figures = tiny_run
    costs = figures["costs"]["paced"]
    # A media frame late, the hangup's events miss a worker that says `exit` at once, as greenswitch's README does.
    assert costs["greenswitch"]["events"] == 18
    assert costs["greenswitch, lean"]["events"] == 7
    # The ends of six applications and of `socket`, the two hangup events, the notice.
    assert costs["fsivr"]["events"] == 10
