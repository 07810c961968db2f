"""scripts/bench api, over a tiny database: that it asks and measures what it says, not how fast anything is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_RUN = Path(__file__).parent.parent / "scripts" / "benchmarks" / "api.py"


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What a tiny run printed, and its figures."""
    figures = tmp_path_factory.mktemp("bench") / "figures.json"
    size = ["--calls", "200", "--recordings", "40", "--rounds", "1", "--greenlet-calls", "20", "--few"]
    run = subprocess.run(
        [sys.executable, _RUN, *size, "--json", figures], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout, json.loads(figures.read_text())


def test_the_tables_name_every_list_and_the_limits(tiny_run: tuple[str, dict[str, Any]]) -> None:
    printed, _ = tiny_run
    for text in (
        "200 calls, 40 recordings",
        "calls",
        "recordings",
        "exports",
        "audit",
        "50 ms",
        "50 µs",
        "The slowest",
    ):
        assert text in printed


def test_every_filter_of_every_list_is_asked(tiny_run: tuple[str, dict[str, Any]]) -> None:
    _, figures = tiny_run
    asked = {name: [each for each in figures["asked"] if each["name"] == name] for name in ("calls", "recordings")}
    for name, filters in (
        ("calls", ("state", "caller", "dialled", "handler", "cause", "since", "until")),
        ("recordings", ("state", "call", "handler", "held", "since", "until")),
    ):
        whole = [each for each in asked[name] if all(f"{key}=" in each["question"] for key in filters)]
        assert whole, f"no question of {name} has all filters"
        assert {each["question"].rpartition("; ")[2] for each in asked[name]} >= {"first page", "from 50% of all on"}
    assert all(each["seconds"] > 0 for each in figures["asked"])


def test_the_rows_that_are_asked_for_are_there(tiny_run: tuple[str, dict[str, Any]]) -> None:
    _, figures = tiny_run
    rows = {(each["name"], each["question"]): each["rows"] for each in figures["asked"]}
    assert rows["calls", "no filter; first page"] == 200
    assert rows["calls", "no filter; from 50% of all on"] == 100
    assert rows["calls", "state=ended; first page"] == 80
    assert rows["recordings", "no filter; first page"] == 40
    assert rows["recordings", "held=True; first page"] == 40
    assert figures["greenlet"] > 0
