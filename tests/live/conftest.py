"""A real switch, and a server with handlers for it to call."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from fsivr.config import Settings
from fsivr.server import Server
from fsivr.store import Journal, Store
from tests.live.freeswitch import FreeSwitch, binary, free_port
from tests.live.handlers import RESULTS, dialplan


class Lab:
    """A switch, a server, and what is kept of the calls."""

    def __init__(self, program: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fsivr-live-kept-"))
        self.address = f"127.0.0.1:{free_port()}"
        self.switch = FreeSwitch(program, dialplan, [self.address])
        self.settings = Settings.defaults(
            listen=self.address,
            database=f"sqlite:///{self.folder}/fsivr.db",
            recordings_path=f"{self.folder}/recordings",
            switch_address=self.switch.address,
            switch_password=self.switch.password,
        )
        self.store = Store(self.settings.database)
        self.serve()

    def serve(self) -> None:
        """Have a new server."""
        journal = Journal(self.settings.database)
        self.server = Server(dialplan, self.settings, store=journal, worker=self.address)
        self.server.start()

    def result(self, name: str, *, within: float = 20.0) -> Any:
        """What a handler said of itself."""
        self.until(lambda: name in RESULTS, within)
        return RESULTS.pop(name)

    def until(self, true: Callable[[], object], within: float = 20.0) -> None:
        """Wait until something is true."""
        deadline = time.monotonic() + within
        while not true():
            assert time.monotonic() < deadline, f"not within {within:g} s; the switch said:\n{self.switch.log[-3000:]}"
            gevent.sleep(0.05)

    def close(self) -> None:
        """End all."""
        self.server.stop(0)
        self.switch.close()
        self.store.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _lab() -> Iterator[Lab]:
    program = binary()
    if program is None:
        pytest.skip("no FreeSWITCH on this machine: set FREESWITCH_BIN to its program")
    lab = Lab(program)
    yield lab
    lab.close()


@pytest.fixture
def lab(_lab: Lab) -> Iterator[Lab]:
    """The switch and its server; a call of an earlier test is over, and so is each at the end."""
    RESULTS.clear()
    yield _lab
    _lab.switch.client.api("hupall")
    _lab.until(lambda: not _lab.server.ports_in_use)
