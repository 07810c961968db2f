"""What a server tells of itself."""

from __future__ import annotations

import json
import os
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from fsivr import Call, Dialplan, Extension, Handler
from fsivr.config import Settings
from fsivr.server import Server, heartbeat
from fsivr.simulator import Switch
from fsivr.store import Journal, Store, Worker
from tests.leaks import until


class Looking(Handler):
    """Looks at its worker's row while it holds the call."""

    journal: Journal
    store: Store
    seen: list[Worker]

    def run(self, call: Call) -> None:
        call.answer()
        call.variables["seen"] = "yes"
        assert until(lambda: [one for one in self.store.workers() if one.ports_in_use], 30)
        self.seen += self.store.workers()


def test_a_server_tells_how_busy_it_is_and_that_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT", 0.01)
    address = f"sqlite:///{tmp_path}/fsivr.db"
    Looking.journal, Looking.store, Looking.seen = Journal(address), Store(address), []
    settings = Settings.defaults(listen="127.0.0.1:0", node="ivr-1", ports=7)
    server = Server(Dialplan([Extension(".*", Looking)]), settings, store=Looking.journal, worker="w")
    server.start()
    switch = Switch(server.address)
    try:
        with switch.call("1000"):
            pass
    finally:
        switch.stop()
        server.stop(1)
    (one,) = Looking.seen
    assert (one.node, one.worker, one.pid, one.version) == ("ivr-1", "w", os.getpid(), metadata.version("fsivr"))
    assert one.listen == f"127.0.0.1:{server.address[1]}"
    assert (one.ports_in_use, one.capacity, one.peak, one.calls, one.draining) == (1, 7, 1, 1, 0)
    assert Looking.store.workers() == []
    with Looking.store.database.connection_context():
        (last,) = list(Worker.select().bind(Looking.store.database))
    assert last.ended is not None
    assert last.draining == 1
    assert json.loads(one.counters)["lag_most"] >= 0
    _tells_what_it_counted(json.loads(last.counters))
    Looking.store.close()


def _tells_what_it_counted(told: dict[str, Any]) -> None:
    assert told["refused"] == {"ports": 0, "lag": 0, "stopping": 0}
    assert told["causes"] == {"NORMAL_CLEARING": 1}
    assert set(told["verbs"]["rows"]) == {"answer", "set_variable"}
    # What was asked on the call's connection: its description, the application, the variable.
    replies = {name: sum(row[:-1]) for name, row in told["replies"]["rows"].items()}
    assert replies == {"connect": 1, "execute": 1, "uuid_setvar": 1}
