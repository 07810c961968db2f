"""Recordings over the API: listed, told of, held, released and deleted."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fsivr.recordings import Archive, Sidecar
from fsivr.store import Store
from tests.api.conftest import Client
from tests.api.stock import ELSEWHERE, EXPORTED, FAILED, HELD, PURGED, RUNNING, SEALED, Board, audit, fill, settings_of
from tests.recordings.kept import id_of

ALL = [id_of(number) for number in reversed(range(7))]


@pytest.fixture
def archive(store: Store, tmp_path: Path) -> Iterator[Archive]:
    board = Board()
    archive = Archive.of(settings_of(board, tmp_path), store)
    fill(store, archive)
    yield archive
    board.close()


@pytest.fixture
def clients(make: Client, archive: Archive) -> dict[str, FlaskClient]:
    return {role: make(role, {"archive": archive}, node="ivr-1") for role in ("read", "operate", "admin")}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ALL),
        ("held=true", [HELD]),
        ("held=false&state=sealed", [ELSEWHERE, SEALED]),
        ("call=uuid-000001", [SEALED]),
        ("handler=apps.Balance&state=purged", [PURGED]),
        ("since=2026-03-01T12:01:00Z&until=2026-03-01T12:03:00Z", [EXPORTED, HELD]),
        ("call='%20OR%201=1%20--", []),
    ],
)
def test_filters(clients: dict[str, FlaskClient], query: str, found: list[str]) -> None:
    items = clients["read"].get(f"/api/v1/recordings?{query}").json["items"]
    assert [one["id"] for one in items] == found


def test_pages_follow_one_another(clients: dict[str, FlaskClient]) -> None:
    first = clients["read"].get("/api/v1/recordings?limit=4").json
    second = clients["read"].get(f"/api/v1/recordings?limit=4&after={first['next']}").json
    assert [one["id"] for one in first["items"] + second["items"]] == ALL
    assert second["next"] is None


def test_one_has_all_that_its_sidecar_tells(clients: dict[str, FlaskClient], archive: Archive) -> None:
    told = clients["read"].get(f"/api/v1/recordings/{HELD}").json
    sidecar = archive.sidecar(HELD).document()
    for name in sidecar.keys() - {"version", "owner", "hold", "started", "consent", "exported"}:
        assert told[name] == sidecar[name], name
    assert told["started"] == "2026-03-01T12:01:00.000000Z"
    assert (told["hold"]["reason"], told["hold"]["by"]) == ("complaint", "legal")
    assert told["links"] == {
        "self": f"/api/v1/recordings/{HELD}",
        "audio": f"/api/v1/recordings/{HELD}/audio",
        "call": "/api/v1/calls/call-1",
    }
    exported = clients["read"].get(f"/api/v1/recordings/{EXPORTED}").json
    assert exported["exported"] == {"at": "2026-03-02T12:00:00.000000Z", "export": "export-1"}
    for id in (PURGED, FAILED, RUNNING):
        assert clients["read"].get(f"/api/v1/recordings/{id}").json["links"]["audio"] is None


def test_a_hold_and_its_release(clients: dict[str, FlaskClient], archive: Archive, store: Store) -> None:
    where = f"/api/v1/recordings/{SEALED}/hold"
    answer = clients["operate"].put(where, json={"reason": " complaint\r\nSet-Cookie: x\u2028 4711"})
    assert answer.status_code == 200
    assert answer.json["hold"]["reason"] == "complaint Set-Cookie: x 4711"
    hold = archive.sidecar(SEALED).hold
    assert hold is not None
    assert hold.by == answer.json["hold"]["by"]
    assert clients["operate"].delete(where).status_code == 403
    assert clients["admin"].delete(where).json["hold"] is None
    assert archive.sidecar(SEALED).hold is None
    assert clients["admin"].delete(where).status_code == 409
    assert [subject for _, subject, _ in audit(store, "recording.hold")] == [HELD, SEALED]
    assert [subject for _, subject, _ in audit(store, "recording.release")] == [SEALED]


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": " \n"}, {"reason": 1}, {"reason": "x" * 501}, [], None]
)
def test_a_hold_has_a_reason(clients: dict[str, FlaskClient], body: Any) -> None:
    assert clients["operate"].put(f"/api/v1/recordings/{SEALED}/hold", json=body).status_code in (400, 422)


@pytest.mark.parametrize(
    ("id", "query", "status", "code"),
    [
        (EXPORTED, "", 204, ""),
        (SEALED, "", 409, "kept"),
        (SEALED, "?unexported=true", 204, ""),
        (HELD, "?unexported=true", 409, "kept"),
        (RUNNING, "?unexported=true", 409, "conflict"),
        (PURGED, "", 409, "conflict"),
        (ELSEWHERE, "", 409, "elsewhere"),
        (id_of(9), "", 404, "not_found"),
        (SEALED, "?unexported=yes", 422, "invalid"),
    ],
)
def test_deleting(
    clients: dict[str, FlaskClient], archive: Archive, id: str, query: str, status: int, code: str
) -> None:
    there = archive.folders.place(id).exists()
    answer = clients["admin"].delete(f"/api/v1/recordings/{id}{query}")
    assert answer.status_code == status
    assert archive.folders.place(id).exists() == (there and status != 204)
    if status == 204:
        assert clients["read"].get(f"/api/v1/recordings/{id}").json["state"] == "purged"
    else:
        assert answer.json["error"]["code"] == code


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_does_not_do_it_is_told(
    clients: dict[str, FlaskClient], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def failing(*_: Any) -> None:
        raise OSError(number, os.strerror(number), "/srv/recordings/x.json")

    monkeypatch.setattr(Sidecar, "save", failing)
    answer = clients["admin"].put(f"/api/v1/recordings/{SEALED}/hold", json={"reason": "court"})
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "disk_failed")
    assert os.strerror(number) in answer.json["error"]["message"]
    assert "/srv" not in answer.text


def test_who_may_not(clients: dict[str, FlaskClient]) -> None:
    for role in ("read", "operate"):
        assert clients[role].delete(f"/api/v1/recordings/{EXPORTED}").status_code == 403
    assert clients["read"].put(f"/api/v1/recordings/{SEALED}/hold", json={"reason": "x"}).status_code == 403


def test_without_the_files(make: Client, archive: Archive) -> None:
    answer = make("admin").get(f"/api/v1/recordings/{SEALED}/audio")
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "no_archive")
