"""What goes wrong in the middle of a start, a reload or an end, and what is asked for then."""

from __future__ import annotations

import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from gevent.event import Event

from fsivr.cli import supervising
from fsivr.config import Settings
from fsivr.supervisor import Supervisor
from fsivr.supervisor.crew import Crew
from tests.cli.process import Process
from tests.leaks import until
from tests.supervisor.service import LINES, Service


class Begun:
    """A worker that is ready at once."""

    def __init__(self, slot: int) -> None:
        self.slot, self.name, self.code = slot, f"{slot}-1", None
        self.ready, self.accepting, self.draining, self.killed = True, False, False, False
        self.decided = Event()
        self.decided.set()

    def kill(self) -> None:
        self.killed = True

    def accept(self) -> None:
        self.accepting = True


def test_no_worker_is_left_where_the_machine_has_no_room_for_the_last_one() -> None:
    begun: list[Begun] = []

    def start(slot: int, *_: Any) -> Any:
        if slot == 3:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        begun.append(Begun(slot))
        return begun[-1]

    crew = Crew([None, None, None], start, lambda _: None, patience=1)  # type: ignore[list-item]
    assert crew.renew(0) == ("no worker can be started: Resource temporarily unavailable",)
    assert [worker.killed for worker in begun] == [True, True]


def test_a_reload_that_goes_wrong_ends_and_the_next_one_is_tried() -> None:
    told: list[str] = []
    notifier: Any = SimpleNamespace(reloading=lambda _: told.append("reloading"), ready=lambda _: told.append("ready"))
    tried = []

    def read() -> Settings:
        tried.append(1)
        raise RuntimeError("never thought of")

    settings = Settings.defaults()
    supervisor = Supervisor(settings, command=[], environ=lambda _: {}, reread=read, notifier=notifier)
    supervisor.crew = Crew([], lambda *_: None, lambda _: None, patience=1)  # type: ignore[arg-type, return-value]
    greenlet = gevent.spawn(supervisor._reload_when_asked)
    try:
        for asked in (1, 2):
            supervisor.reload()
            assert until(lambda asked=asked: len(told) == 2 * asked)  # type: ignore[misc]
    finally:
        greenlet.kill()
    assert told == ["reloading", "ready"] * 2
    assert supervisor.settings is settings


def test_an_api_that_a_reload_starts_while_the_calls_are_let_end_places_none(monkeypatch: pytest.MonkeyPatch) -> None:
    drained = []
    child = SimpleNamespace(drain=lambda: drained.append(1))
    monkeypatch.setattr(supervising, "ApiChild", lambda *_, **__: child)
    beside = supervising._Beside(None)
    beside.drain()
    beside._start_api(Settings.defaults())
    assert drained == [1]


def test_a_reload_that_is_asked_for_during_the_start_follows_it(tmp_path: Path) -> None:
    code = LINES.replace("VERSION", "v1")
    waits = (
        "import pathlib, time\npathlib.Path('begun').touch()\nwhile pathlib.Path('wait').exists(): time.sleep(0.01)\n"
    )
    (tmp_path / "lines.py").write_text(waits + code)
    (tmp_path / "wait").touch()
    asked = ("serve", "--workers", "1", "--listen", "127.0.0.1:0", "--dialplan", "lines:dialplan")
    with Process(*asked, cwd=tmp_path) as service:
        assert until((tmp_path / "begun").exists, 20)
        service.signals(signal.SIGHUP)
        (tmp_path / "wait").unlink()
        service.reads("reloaded: ")
        service.signals(signal.SIGTERM)
        assert service.ends() == 0


def test_a_reload_has_the_release_that_the_link_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, link = tmp_path / "1", tmp_path / "2", tmp_path / "current"
    first.mkdir()
    second.mkdir()
    (second / "lines.py").write_text(LINES.replace("VERSION", "v2"))
    link.symlink_to(first)
    monkeypatch.setenv("PWD", str(link))  # as a shell does
    with Service(link, workers=1) as service:
        assert service.held()[0].heard[0] == "v1"
        link.unlink()
        link.symlink_to(second)
        service.signals(signal.SIGHUP)
        service.reads("reloaded: ")
        # The old one may take one that comes before it is told to take no more.
        assert until(lambda: service.held()[0].heard[0] == "v2")


def test_without_workers_a_reload_costs_no_call(tmp_path: Path) -> None:
    with Service(tmp_path, workers=0) as service:
        (phone,) = service.held()
        service.signals(signal.SIGHUP)
        service.reads("nothing is reloaded: that takes the setting workers")
        assert not phone.over
        phone.hang_up()
        service.signals(signal.SIGTERM)
        assert service.ends() == 0
