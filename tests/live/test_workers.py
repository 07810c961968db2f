"""Workers that die and are relieved while a real switch has calls with them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsivr import CommandRefused, Dialplan, Extension, Handler
from fsivr.store import Store
from tests.leaks import until
from tests.live.freeswitch import FreeSwitch, binary, free_port
from tests.supervisor.service import Service

LINES = """
from fsivr import Dialplan, Extension, Handler, Silence


class Patient(Handler):
    def run(self, call):
        call.answer()
        call.channel.variables["told"] = "VERSION"
        call.play(Silence(40.0))


dialplan = Dialplan([Extension("30", Patient)])
"""


class Nobody(Handler):
    """Stands in the switch's dialplan: what answers is the service's."""


class Line:
    """A switch, and the service with two workers that it sends its calls to."""

    def __init__(self, switch: FreeSwitch, service: Service) -> None:
        self.switch, self.service = switch, service
        self._callers: list[str] = []

    def call(self) -> str:
        """The uuid of the leg of a call that a handler has."""
        before = set(self._legs())
        self.switch.call("30", seconds=40)
        assert until(lambda: [leg for leg in self._legs() if leg not in before and self.told(leg)], 20)
        return next(leg for leg in self._legs() if leg not in before and self.told(leg))

    def told(self, leg: str) -> str:
        """What the handler of a call set; empty where it is over, or has none."""
        try:
            answer = self.switch.client.api("uuid_getvar", f"{leg} told").strip()
        except CommandRefused:
            return ""
        return "" if answer == "_undef_" else answer

    def _legs(self) -> list[str]:
        rows = self.switch.client.api("show", "channels as delim |").splitlines()
        return [row.partition("|")[0] for row in rows if row.count("|") > 5 and "inbound" in row]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    program = binary()
    if program is None:
        pytest.skip("no FreeSWITCH on this machine: set FREESWITCH_BIN to its program")
    folder, address = tmp_path_factory.mktemp("workers"), f"127.0.0.1:{free_port()}"
    switch = FreeSwitch(program, Dialplan([Extension("30", Nobody)]), [address])
    try:
        settings = {"switch_address": switch.address, "switch_password": switch.password}
        (folder / "live_lines.py").write_text(LINES.replace("VERSION", "v1"))
        with Service(folder, listen=address, dialplan="live_lines:dialplan", **settings) as service:
            yield Line(switch, service)
    finally:
        switch.close()


def test_the_caller_of_a_worker_that_is_killed_is_told_so_by_the_switch(line: Line) -> None:
    """socket_resume, and the fallback of freeswitch/dialplan: no caller is left in silence."""
    leg = line.call()
    before = line.service.workers()
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    assert until(lambda: not line.told(leg), 20), line.switch.log[-3000:]
    assert until(lambda: "[CS_EXECUTE] [NORMAL_TEMPORARY_FAILURE]" in line.switch.log, 20), line.switch.log[-3000:]
    assert until(lambda: len(set(line.service.workers()) - set(before)) == 2, 20)
    store = Store(f"sqlite:///{line.service.folder}/kept.db")
    row = store.call(leg)
    store.close()
    assert row is not None
    assert row.ended is not None
    assert "server ended before the call did" in (row.error or "")
    assert line.told(line.call()) == "v1"


def test_a_reload_lets_a_call_finish_and_the_next_one_has_the_new_code(line: Line) -> None:
    leg = line.call()
    before = set(line.service.workers())
    (Path(line.service.folder) / "live_lines.py").write_text(LINES.replace("VERSION", "v2"))
    line.service.signals(signal.SIGHUP)
    assert until(lambda: len(set(line.service.workers()) - before) == 2, 30)
    assert until(lambda: line.told(line.call()) == "v2", 30)
    assert line.told(leg) == "v1"
