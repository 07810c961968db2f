"""A store with something of everything, a switch with a call that is up, and an application over them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from fsivr import Dialplan, Switch
from fsivr.api.app import create_app
from fsivr.config import Settings
from fsivr.errors import ConfigError
from fsivr.recordings import Archive
from fsivr.store import Store, audited, exported
from fsivr.store.workers import WorkerState, worker_seen
from tests.esl.peer import Peer, api_response
from tests.esl.switch_rules import Packet
from tests.recordings.kept import id_of, keep, keep_exported
from tests.store.calls import START, began, ended, start
from tests.switch.switchboard import Reminder, Switchboard

DIALPLAN = Dialplan(outbound=[Reminder])
HANDLER = "tests.switch.switchboard.Reminder"
#: How many calls there are; the last ones are live.
CALLS, LIVE = 30, 3
#: Recordings by their states.
SEALED, HELD, EXPORTED, PURGED, FAILED, RUNNING, ELSEWHERE = map(id_of, range(7))
#: Seconds since 1970, at which a worker was just seen.
NOW = START + 1000
EXPORT = "20260302T013000Z-00000001"

_WORKER = WorkerState(
    "ivr-1", "w1", 1, "1.0", "127.0.0.1:8084", START, NOW, None, LIVE, 120, LIVE, CALLS, 0, 0, False, 0, 0
)


class Board(Switchboard):
    """A switch that knows which channels are up."""

    patience = 600.0

    def __init__(self) -> None:
        super().__init__(lambda command: None)
        self.up: set[str] = set()
        self.refuses = ""

    def _answers(self, peer: Peer, packet: Packet) -> object:
        if packet.command.startswith("api uuid_exists "):
            return api_response("true" if packet.command.split()[2] in self.up else "false")
        if not packet.command.startswith("api uuid_kill "):
            return super()._answers(peer, packet)
        uuid = packet.command.split()[2]
        if self.refuses:
            return api_response(self.refuses)
        if uuid not in self.up:
            return api_response("-ERR No such channel!\n")
        self.up.discard(uuid)
        return api_response("+OK\n")


class Export:
    """Begins no run, and says that it did."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.by: list[str] = []

    def __call__(self, *, by: str) -> list[str]:
        if self.error is not None:
            raise self.error
        self.by.append(by)
        return [EXPORT]


NO_TARGET = Export(ConfigError("no target is set: [targets.NAME] in fsivr.toml"))


def fill(store: Store, archive: Archive) -> None:
    """Calls live and ended, recordings of every state, a run of the export, an audit."""
    rows = [ended(number, "USER_BUSY" if number % 7 == 0 else "NORMAL_CLEARING") for number in range(CALLS - LIVE)]
    rows += [began(CALLS - LIVE + number) for number in range(LIVE)]
    run = {"id": EXPORT, "started": START, "ended": START + 60, "state": "done", "target": "archive"}
    rows += [exported(**run, recordings=1, bytes=2044, failed=0, error="", node="ivr-1")]
    rows += [exported(id="run-2", started=START + 100, state="running", target="archive", node="ivr-1")]
    store.write([*rows, audited("tests", "something", "somewhere"), worker_seen(_WORKER)])
    keep(archive, 0, call="uuid-000001")
    keep(archive, 1)
    archive.hold(HELD, "complaint", by="legal")
    keep_exported(archive, 2)
    keep_exported(archive, 3)
    archive.delete(PURGED, by="tests")
    keep(archive, 4, state="failed", sha256="", bytes=None)
    keep(archive, 5, state="recording", sha256="", bytes=None)
    keep(archive, 6, node="ivr-2")
    archive.folders.sidecar_of(ELSEWHERE).unlink()


def settings_of(board: Switchboard, folder: Path, **more: Any) -> Settings:
    """Settings whose switch is the board."""
    given = {
        "switch_address": f"127.0.0.1:{board.port}",
        "recordings_path": str(folder / "recordings"),
        "node": "ivr-1",
    }
    return Settings.defaults(**{**given, "api_rate": 100000, **more})


def given(board: Switchboard, store: Store, folder: Path, **more: Any) -> dict[str, Any]:
    """What an application is given of all this."""
    settings = settings_of(board, folder)
    found = {"switch": Switch.of(settings, DIALPLAN), "dialplan": DIALPLAN, "archive": Archive.of(settings, store)}
    return {**found, "export": Export(), **more}


def audit(store: Store, action: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Who did it, to what, and the detail, the oldest first."""
    rows = store.audit(action=action).items
    return [(row.who, row.subject, json.loads(row.detail)) for row in reversed(rows)]


class Stage:
    """The application over a filled store, and a key of each role."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(f"sqlite:///{folder}/fsivr.db")
        self.store.migrate()
        self.board = Board()
        self.board.up = {start(number).uuid for number in range(30)}
        settings = settings_of(self.board, folder)
        fill(self.store, Archive.of(settings, self.store))
        self.given = given(self.board, self.store, folder)
        # Wrong keys are slowed down; here each request comes much later than the one before.
        seconds = itertools.count(0, 20)
        self.app = create_app(settings, self.store, clock=lambda: NOW, ticks=lambda: next(seconds), **self.given)
        self.keys = {role: self.store.keys.create(role, role, by="tests") for role in ("read", "operate", "admin")}

    def client(self, role: str) -> FlaskClient:
        """A client with the key of a role."""
        made = self.app.test_client()
        made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.keys[role]}"
        return made

    def close(self) -> None:
        """End all that is open."""
        self.given["switch"].close()
        self.board.close()
        self.store.close()
