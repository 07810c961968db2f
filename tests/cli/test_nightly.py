"""The export that a server begins each day at its time."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gevent
import pytest

from fsivr.cli import nightly
from fsivr.cli.nightly import Nightly, nightly_export
from fsivr.settings import Settings

NIGHT = datetime(2026, 11, 24, 0, 59, 50, tzinfo=UTC)


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = NIGHT

    def __call__(self) -> datetime:
        return self.now


def _until(there) -> None:
    with gevent.Timeout(30):
        while not there():
            gevent.sleep(0.01)


def test_it_begins_at_its_time_each_day_and_its_end_is_logged(tmp_path: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr(nightly, "_LOOK", 0.01)
    caplog.set_level(logging.INFO)
    told = tmp_path / "told"
    code = f"import sys; open({str(told)!r}, 'a').write('x'); sys.exit(4)"
    clock = Clock()
    running = Nightly("01:00", [sys.executable, "-c", code], now=clock)
    try:
        gevent.sleep(0.1)
        assert not told.exists()
        clock.now += timedelta(seconds=10)
        _until(lambda: "ended with exit code 4: a target refuses" in caplog.text)
        clock.now += timedelta(days=1)
        _until(lambda: told.read_text() == "xx")
    finally:
        running.stop()


def test_a_server_that_stops_ends_it_in_order(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(nightly, "_LOOK", 0.01)
    clock, told = Clock(), tmp_path / "told"
    code = (
        "import signal, sys, time\n"
        f"def end(*given): open({str(told)!r}, 'a').write(' ended'); sys.exit(130)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"open({str(told)!r}, 'a').write('began')\n"
        "time.sleep(60)"
    )
    running = Nightly("01:00", [sys.executable, "-c", code], now=clock)
    gevent.sleep(0.05)
    clock.now += timedelta(seconds=10)
    _until(lambda: told.exists() and told.read_text() == "began")
    running.stop()
    assert told.read_text() == "began ended"


@pytest.mark.parametrize("settings", [{}, {"export_at": "01:00"}, {"targets": {"a": {"kind": "folder", "path": "x"}}}])
def test_without_a_time_or_a_target_there_is_none(settings: dict[str, object], monkeypatch) -> None:
    monkeypatch.setattr(nightly, "Nightly", None)
    with nightly_export(Settings.defaults(**settings)):
        pass
