"""The status, whether calls are taken, and the metrics."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import Any

import gevent
import pytest
from gevent.event import Event
from peewee import OperationalError
from prometheus_client.parser import text_string_to_metric_families

from fsivr.api.watch import FRESH, SwitchWatch
from fsivr.config import Settings
from fsivr.errors import ConnectionLost
from fsivr.simulator import Switch as SimulatedSwitch
from fsivr.store import Store, exported, recorded
from fsivr.store.workers import LATELY, WorkerState, worker_seen
from fsivr.switch import Switch
from tests.api.conftest import Client, Clock

NOW = 1_700_000_000.0


def worker(**changes: Any) -> WorkerState:
    """A worker that was seen now."""
    where = "0.0.0.0:8084"
    usual = WorkerState("ivr-1", where, 7, "0.1.0", where, NOW - 60, NOW, None, 3, 120, 9, 50, 2, 1, False, 4, 0)
    return usual._replace(**changes)


def _recording(number: int, state: str, size: int, days_ago: float) -> Any:
    began = datetime.fromtimestamp(NOW, UTC) - timedelta(days=days_ago)
    return recorded(id=f"r{number}", call="c", path="p", state=state, started=began, bytes=size, node="ivr-1")


@pytest.fixture
def busy(store: Store) -> Store:
    """Two nodes, recordings in several states, and an export."""
    second = worker(node="ivr-2", ports_in_use=10, capacity=60, peak=20, draining=True)
    recordings = [
        _recording(1, "exported", 1000, 5),
        _recording(2, "sealed", 200, 2),
        _recording(3, "degraded", 30, 1),
        _recording(4, "purged", 4, 20),
        _recording(5, "failed", 0, 1),
    ]
    run = {"id": "e1", "started": NOW - 100, "ended": NOW - 90, "state": "done", "target": "s3", "recordings": 1}
    store.write([worker_seen(worker()), worker_seen(second), *recordings, exported(**run, bytes=1000)])
    return store


def test_the_status_of_nodes_that_share_a_database_is_one(make: Client, busy: Store) -> None:
    status = make("read", node="ivr-1").get("/api/v1/status").json
    assert (status["version"], status["node"]) == (metadata.version("fsivr"), "ivr-1")
    assert status["time"] == "2023-11-14T22:13:20+00:00"
    assert (status["ports_in_use"], status["capacity"], status["peak"], status["draining"]) == (13, 180, 29, False)
    first, second = status["workers"]
    assert first == {
        "node": "ivr-1",
        "worker": "0.0.0.0:8084",
        "listen": "0.0.0.0:8084",
        "pid": 7,
        "version": "0.1.0",
        "uptime": 60.0,
        "seen": "2023-11-14T22:13:20+00:00",
        "ports_in_use": 3,
        "capacity": 120,
        "peak": 9,
        "calls": 50,
        "refused": 2,
        "abandoned": 1,
        "draining": False,
        "rows_waiting": 4,
        "rows_dropped": 0,
    }
    assert (second["node"], second["draining"]) == ("ivr-2", True)


def test_the_status_tells_of_recordings_disk_and_export(make: Client, busy: Store) -> None:
    status = make("read", node="ivr-1").get("/api/v1/status").json
    assert status["recordings"] == {
        "count": 3,
        "bytes": 1230,
        "by_state": {"exported": 1, "sealed": 1, "degraded": 1, "purged": 1, "failed": 1},
        "waiting_for_export": 2,
        "bytes_waiting_for_export": 230,
        "oldest_waiting": "2023-11-12T22:13:20+00:00",
    }
    disk = status["disk"]
    assert 0 < disk["free"] <= disk["total"]
    # 1230 bytes in the last week, before which there was a recording already.
    assert disk["days_left"] == pytest.approx(disk["free"] / (1230 / 7), rel=0.01)
    assert status["last_export"]["id"] == "e1"
    assert status["last_export"]["ended"] == "2023-11-14T22:11:50+00:00"


def test_the_status_of_an_empty_system(make: Client, clock: Clock) -> None:
    client = make("read")
    clock.pass_by(30)
    status = client.get("/api/v1/status").json
    assert (status["workers"], status["last_export"], status["uptime"]) == ([], None, 30.0)
    assert (status["draining"], status["capacity"], status["disk"]["days_left"]) == (False, 0, None)
    assert status["recordings"]["oldest_waiting"] is None
    assert status["switch"]["reachable"] is False


def test_whether_calls_are_taken(make: Client, store: Store, clock: Clock) -> None:
    client = make()

    def reasons() -> list[str]:
        clock.pass_by(1)
        answer = client.get("/health/ready")
        assert answer.status_code == (200 if answer.json == {"status": "ready"} else 503)
        return [] if answer.status_code == 200 else answer.json["error"]["details"]["reasons"]

    assert reasons() == ["no worker that takes calls was seen in the last 10 seconds"]
    store.write([worker_seen(worker(draining=True))])
    assert reasons() == ["every worker is draining"]
    store.write([worker_seen(worker(node="ivr-2"))])
    assert reasons() == []
    clock.pass_by(LATELY)
    assert reasons() == ["no worker that takes calls was seen in the last 10 seconds"]
    with store.database.connection_context():
        store.database.execute_sql("DROP TABLE workers")
    assert reasons() == ["the database cannot be reached"]


def test_many_who_ask_ask_the_database_once(make: Client, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    client, asked = make(), []

    def workers(now: float) -> list[Any]:
        asked.append(now)
        gevent.sleep(0.01)
        raise OperationalError("it is gone")

    monkeypatch.setattr(store, "workers", workers)
    answers = [gevent.spawn(client.application.test_client().get, "/health/ready") for _ in range(20)]
    gevent.joinall(answers, raise_error=True)
    assert {answer.value.status_code for answer in answers} == {503}
    assert answers[0].value.headers["Retry-After"] == "5"
    assert len(asked) == 1


def _metrics(client: Any) -> dict[str, dict[tuple[str, ...], float]]:
    answer = client.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels[name] for name in sorted(sample.labels))] = (
                sample.value
            )
    return found


def test_the_metrics_tell_what_the_status_does(make: Client, busy: Store) -> None:
    found = _metrics(make("read", node="ivr-1"))
    nodes = [("0.0.0.0:8084", name, "0.0.0.0:8084") for name in ("ivr-1", "ivr-2")]
    assert found["fsivr_ports_in_use"] == dict(zip(nodes, (3, 10), strict=True))
    assert found["fsivr_calls_total"] == dict(zip(nodes, (50, 50), strict=True))
    assert found["fsivr_draining"] == dict(zip(nodes, (0, 1), strict=True))
    assert found["fsivr_calls_live"] == {(): 13}
    assert found["fsivr_recordings"][("sealed",)] == 1
    assert found["fsivr_recordings_bytes"][("exported",)] == 1000
    assert found["fsivr_recordings_waiting"] == {(): 2}
    assert found["fsivr_recordings_waiting_oldest_seconds"] == {(): 2 * 86_400}
    assert found["fsivr_export_last_age_seconds"] == {(): 90}
    assert found["fsivr_export_last_ok"] == {(): 1}
    assert found["fsivr_switch_up"] == {(): 0}
    assert found["fsivr_database_up"] == {(): 1}
    assert found["fsivr_info"] == {("ivr-1", metadata.version("fsivr")): 1}


def test_workers_of_one_address_share_its_ports(make: Client, store: Store) -> None:
    def of(number: int, **changes: Any) -> Any:
        return worker_seen(worker(worker=f"0.0.0.0:8084/{number}-{number}", **changes))

    store.write([of(1, draining=True, capacity=90), of(2), of(3), worker_seen(worker(node="ivr-2", capacity=60))])
    client = make("read")
    status = client.get("/api/v1/status").json
    assert (status["capacity"], status["ports_in_use"], len(status["workers"])) == (180, 12, 4)
    assert _metrics(client)["fsivr_ports"] == {("0.0.0.0:8084", "ivr-1"): 120, ("0.0.0.0:8084", "ivr-2"): 60}


def test_no_caller_makes_a_label(make: Client) -> None:
    client = make("read")
    for path in ("/nothing/4930123", "/another", "/health/live?x=4930123", "/health/live"):
        client.get(path)
    client.open("/health/live", method="BREW")
    counted = _metrics(client)["fsivr_api_requests_total"]
    assert Counter({labels: int(count) for labels, count in counted.items()}) == Counter(
        {
            ("GET", "none", "404"): 2,
            ("GET", "/health/live", "422"): 1,
            ("GET", "/health/live", "200"): 1,
            ("other", "none", "405"): 1,
        }
    )


def test_the_metrics_are_told_without_a_database(make: Client, store: Store, clock: Clock) -> None:
    client = make(api_open_on_loopback=True)
    with store.database.connection_context():
        store.database.execute_sql("DROP TABLE workers")
    assert _metrics(client)["fsivr_database_up"] == {(): 0}


class Slow(Switch):
    """A switch that answers when it is told to."""

    def __init__(self) -> None:
        super().__init__(Settings.defaults())
        self.asked = 0
        self.answers = Event()
        self.error: Exception | None = None

    def api(self, command: str, argument: str = "") -> str:
        self.asked += 1
        self.answers.wait()
        if self.error is not None:
            raise self.error
        return "FreeSWITCH (Version 1.10.12 -release 64bit) is ready\n3 session(s) - peak 8, last 5min 4\n"


def test_a_switch_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr("fsivr.api.watch.PATIENCE", 0.01)
    switch = Slow()
    watch = SwitchWatch(switch, clock)
    states = [watch.look() for _ in range(3)]
    assert [state.reachable for state in states] == [False] * 3
    assert "has not answered" in states[0].error
    assert switch.asked == 1
    switch.answers.set()
    gevent.sleep(0)
    state = watch.look()
    assert (state.reachable, state.version, state.sessions, state.peak) == (True, "1.10.12 -release 64bit", 3, 8)
    switch.error = ConnectionLost("it is gone")
    assert watch.look().reachable
    clock.pass_by(FRESH)
    assert watch.look().error == "it is gone"
    assert switch.asked == 2


@pytest.fixture
def simulated() -> Iterator[SimulatedSwitch]:
    switch = SimulatedSwitch(("127.0.0.1", 9))
    yield switch
    switch.stop()


def test_a_switch_is_asked_over_its_event_socket(simulated: SimulatedSwitch) -> None:
    host, port = simulated.inbound.address
    settings = dataclasses.replace(Settings.defaults(), switch_address=f"{host}:{port}")
    with Switch(settings) as switch:
        state = SwitchWatch(switch).look()
    assert (state.reachable, state.sessions) == (True, 0)
    assert state.version is not None
    assert state.version.startswith("1.11.3-dev")
