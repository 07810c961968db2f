"""Calls over the API: listed, told of, placed and hung up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from flask.testing import FlaskClient

from fsivr import ConfigError
from fsivr.api import placing
from fsivr.recordings import Archive
from fsivr.store import Store
from fsivr.store.rows import call_began
from tests.api.conftest import Client, Clock
from tests.api.stock import CALLS, HANDLER, LIVE, Board, audit, fill, given, settings_of
from tests.leaks import until
from tests.store.calls import ended, start
from tests.switch.switchboard import uuid_of

ORDER = {"to": "user/1000", "handler": HANDLER, "caller_id": "4930", "variables": {"order": "47, 11"}}


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    yield board
    board.close()


@pytest.fixture
def client(make: Client, board: Board, store: Store, tmp_path: Path) -> Iterator[FlaskClient]:
    fill(store, Archive.of(settings_of(board, tmp_path), store))
    what = given(board, store, tmp_path)
    yield make("operate", what, node="ivr-1")
    what["switch"].close()


def _call(client: FlaskClient, uuid: str) -> Any:
    return client.get(f"/api/v1/calls/{uuid}").json


# -- told of --------------------------------------------------------------------------------


def test_pages_follow_one_another(client: FlaskClient, store: Store) -> None:
    seen, after = [], ""
    while True:
        page = client.get(f"/api/v1/calls?limit=7{after}").json
        seen += [call["uuid"] for call in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
        store.write([ended(100 + len(seen))])  # what comes meanwhile is on none of them
    assert seen == [start(number).uuid for number in reversed(range(CALLS))]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("state=live", range(CALLS - LIVE, CALLS)),
        ("state=ended&cause=USER_BUSY", [0, 7, 14, 21]),
        ("caller=03", [3]),
        ("caller=03&dialled=4100&handler=apps.Balance&cause=NORMAL_CLEARING", [3]),
        ("handler=apps.Other", []),
        ("since=2023-11-14T22:13:22Z&until=2023-11-14T22:13:24Z", [2, 3]),
        ("since=2023-11-14T23:13:22%2B01:00&until=2023-11-14t22:13:23.000001z", [2, 3]),
    ],
)
def test_filters(client: FlaskClient, query: str, numbers: Any) -> None:
    found = client.get(f"/api/v1/calls?{query}").json["items"]
    assert [call["uuid"] for call in found] == [start(number).uuid for number in reversed(list(numbers))]


def test_one_call_with_its_timeline(client: FlaskClient) -> None:
    assert _call(client, start(3).uuid) == {
        "uuid": "uuid-000003",
        "state": "ended",
        "handler": "apps.Balance",
        "caller": "03",
        "dialled": "4100",
        "context": "public",
        "direction": "inbound",
        "started": "2023-11-14T22:13:23.000000Z",
        "answered": "2023-11-14T22:13:24.000000Z",
        "ended": "2023-11-14T22:13:28.000000Z",
        "hangup_cause": "NORMAL_CLEARING",
        "node": "ivr-1",
        "worker": "w1",
        "error": "",
        "timeline": [["play", 0.1, 2.5]],
    }
    assert client.get("/api/v1/calls/unknown").status_code == 404


# -- placed ---------------------------------------------------------------------------------


def _place(client: FlaskClient, **changes: Any) -> Any:
    return client.post("/api/v1/calls", json={**ORDER, **changes})


def test_a_placed_call_rings_and_is_answered(client: FlaskClient, board: Board, store: Store, clock: Clock) -> None:
    answer = _place(client, timeout=12.5, caller_name="Example <Ltd>")
    assert answer.status_code == 202
    uuid = answer.json["uuid"]
    assert answer.headers["Location"] == f"/api/v1/calls/{uuid}"
    assert _call(client, uuid) == {**answer.json, "timeline": []}
    assert (answer.json["state"], answer.json["answered"], answer.json["dialled"]) == ("live", None, "user/1000")
    until(lambda: board.placed)
    assert uuid_of(board.placed[0]) == uuid
    for text in ("originate_timeout=13", "caller_id_number=4930", "caller_id_name=Example Ltd", "order=47\\, 11"):
        assert text in board.placed[0]
    clock.pass_by(4)
    board.end(f"+OK {uuid}\n")
    until(lambda: _call(client, uuid)["answered"] == "2023-11-14T22:13:24.000000Z")
    assert _call(client, uuid)["state"] == "live"
    key = audit(store, "call.originate")[0][2]["key"]
    assert audit(store, "call.originate") == [
        ("operate 0", uuid, {"key": key, "to": "user/1000", "handler": HANDLER}),
    ]


@pytest.mark.parametrize(
    ("said", "cause", "error"),
    [("-ERR USER_BUSY\n", "USER_BUSY", ""), ("-ERR oops\n", "NORMAL_TEMPORARY_FAILURE", "oops")],
)
def test_one_that_nobody_answers_ends(client: FlaskClient, board: Board, said: str, cause: str, error: str) -> None:
    uuid = _place(client).json["uuid"]
    until(lambda: board.placed)
    board.end(said)
    until(lambda: _call(client, uuid)["state"] == "ended")
    found = _call(client, uuid)
    assert (found["hangup_cause"], found["answered"]) == (cause, None)
    assert error in found["error"]


def test_one_that_no_server_takes_is_ended(
    client: FlaskClient, board: Board, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing.Placing, "look", 0.01)
    taken, refused = (_place(client).json["uuid"] for _ in range(2))
    board.up = {taken, refused}
    until(lambda: len(board.placed) == 2)
    for number in range(2):
        board.end("+OK\n", number)
    until(lambda: all(_call(client, uuid)["answered"] for uuid in (taken, refused)))
    until(lambda: any(command == f"api uuid_exists {refused}" for command in board.commands))
    assert _call(client, refused)["state"] == "live"
    store.write([call_began(start(50, uuid=taken))])
    board.up = set()
    until(lambda: _call(client, refused)["error"] == "no server took the call")
    assert _call(client, taken)["state"] == "live"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"handler": "apps.Unknown"}, 409, "unknown_handler"),
        ({"handler": "os.system"}, 409, "unknown_handler"),
        ({"to": "user/1000,user/1001"}, 422, "invalid"),
        ({"to": "user/1000\n"}, 422, "invalid"),
        ({"to": "{a=b}user/1000"}, 422, "invalid"),
        ({"timeout": "30"}, 422, "invalid"),
        ({"timeout": True}, 422, "invalid"),
        ({"timeout": 601}, 422, "invalid"),
        ({"caller_id": "1 2"}, 422, "invalid"),
        ({"variables": {"fsivr_handler": "os:system"}}, 422, "invalid"),
        ({"variables": {"a b": "x"}}, 422, "invalid"),
        ({"variables": {"a": 1}}, 422, "invalid"),
        ({"variables": {"execute_on_answer": "system id"}}, 422, "invalid"),
        ({"variables": {"execute_on_answer_2": "system id"}}, 422, "invalid"),
        ({"variables": {"API_Hangup_Hook": "system id"}}, 422, "invalid"),
        ({"variables": {"exec_after_bridge_app": "system"}}, 422, "invalid"),
        ({"variables": {"bridge_pre_execute_aleg_app": "system"}}, 422, "invalid"),
        ({"variables": {"record_post_process_exec_api": "system:id"}}, 422, "invalid"),
        ({"variables": {"group_confirm_key": "exec"}}, 422, "invalid"),
        ({"variables": {"transfer_after_bridge": "1"}}, 422, "invalid"),
        ({"variables": {f"v{number}": "$" * 999 for number in range(9)}}, 422, "invalid"),
        ({"unknown": 1}, 422, "invalid"),
    ],
)
def test_a_wrong_order_is_refused(client: FlaskClient, board: Board, changes: Any, status: int, code: str) -> None:
    answer = _place(client, **changes)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    gevent.sleep(0)
    assert board.placed == []


def test_the_handlers_name_may_have_a_colon(client: FlaskClient) -> None:
    assert _place(client, handler="tests.switch.switchboard:Reminder").status_code == 202


def test_only_so_many_ring_at_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch, board: Board) -> None:
    found: placing.Placing = client.application.extensions["fsivr.placing"]
    monkeypatch.setattr(found, "_most", 2)
    assert [_place(client).status_code for _ in range(3)] == [202, 202, 429]
    until(lambda: len(board.placed) == 2)
    board.end("-ERR USER_BUSY\n")
    until(lambda: _place(client).status_code == 202)


def test_a_switch_that_is_gone_is_told(client: FlaskClient, board: Board, store: Store) -> None:
    board.close()
    answer = _place(client)
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "switch_unreachable")
    assert "Retry-After" in answer.headers
    assert client.delete(f"/api/v1/calls/{start(CALLS - 1).uuid}").status_code == 503
    assert audit(store, "call.originate") == []


def test_without_a_switch(make: Client, board: Board, store: Store, tmp_path: Path) -> None:
    what = given(board, store, tmp_path, switch=None)
    assert _place(make("operate", what)).status_code == 503
    assert _place(make("operate")).status_code == 409
    assert make("operate").delete("/api/v1/calls/x").status_code == 503


def test_a_server_that_the_switch_cannot_find(make: Client, board: Board, store: Store, tmp_path: Path) -> None:
    what = given(board, store, tmp_path)
    what["switch"]._listening = ("127.0.0.1", 0)
    answer = _place(make("operate", what))
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "not_configured")
    assert ConfigError.__name__ not in answer.text
    what["switch"].close()


def test_what_rang_when_an_api_was_killed_is_ended(client: FlaskClient, store: Store) -> None:
    rang = start(40, worker="api 127.0.0.1:8080", started=1_600_000_000.0)
    other = start(41, worker="api 127.0.0.1:8081", started=1_600_000_000.0)
    store.write([call_began(rang), call_began(other)])
    assert _call(client, rang.uuid)["state"] == "ended"
    assert _call(client, other.uuid)["state"] == "live"


# -- hung up --------------------------------------------------------------------------------


def test_a_call_is_hung_up_with_a_cause(client: FlaskClient, board: Board, store: Store) -> None:
    uuid = start(CALLS - 1).uuid
    board.up = {uuid}
    assert client.delete(f"/api/v1/calls/{uuid}?cause=CALL_REJECTED").status_code == 204
    assert board.killed == [f"api uuid_kill {uuid} CALL_REJECTED"]
    (who, what, detail) = audit(store, "call.hangup")[0]
    assert (who, what, detail["cause"]) == ("operate 0", uuid, "CALL_REJECTED")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (start(CALLS - 1).uuid, 404),  # live in the database alone
        ("unknown", 404),
        (start(0).uuid, 409),
        ("a%20b", 404),
        ("a%0Aapi%20shutdown", 404),
        (f"{start(CALLS - 1).uuid}?cause=NONE", 422),
        (f"{start(CALLS - 1).uuid}?cause=NO%0ASUCH", 422),
    ],
)
def test_what_cannot_be_hung_up(client: FlaskClient, board: Board, store: Store, path: str, status: int) -> None:
    assert client.delete(f"/api/v1/calls/{path}").status_code == status
    assert all(command.count("\n") == 0 for command in board.killed)
    assert audit(store, "call.hangup") == []


def test_a_refusal_of_the_switch_is_told(client: FlaskClient, board: Board) -> None:
    board.refuses = "-ERR not now\n"
    answer = client.delete(f"/api/v1/calls/{start(CALLS - 1).uuid}")
    assert (answer.status_code, answer.json["error"]["code"]) == (502, "switch_refused")


def test_who_may_only_read_may_not(make: Client, board: Board, store: Store, tmp_path: Path) -> None:
    reader = make("read", given(board, store, tmp_path))
    assert reader.get("/api/v1/calls").status_code == 200
    assert _place(reader).status_code == 403
    assert reader.delete("/api/v1/calls/x").status_code == 403


def test_a_server_that_stops_places_no_more_calls(client: FlaskClient, board: Board, store: Store) -> None:
    placing.drain(client.application)
    answer = _place(client)
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "draining")
    assert "Retry-After" in answer.headers
    assert board.placed == []
    assert audit(store, "call.originate") == []
