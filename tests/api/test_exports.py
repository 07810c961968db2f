"""Exports over the API: listed, told of, and begun."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from fsivr.api.exports import _report
from fsivr.errors import ExportError
from fsivr.recordings import Archive
from fsivr.store import Store
from tests.api.conftest import Client
from tests.api.stock import EXPORT, NO_TARGET, Board, Export, audit, fill, settings_of


@pytest.fixture
def reader(make: Client, store: Store, tmp_path: Path) -> FlaskClient:
    board = Board()
    fill(store, Archive.of(settings_of(board, tmp_path), store))
    board.close()
    return make("read")


def test_lists_and_filters(reader: FlaskClient) -> None:
    assert [one["id"] for one in reader.get("/api/v1/exports").json["items"]] == ["run-2", EXPORT]
    assert [one["id"] for one in reader.get("/api/v1/exports?state=done").json["items"]] == [EXPORT]
    first = reader.get("/api/v1/exports?limit=1").json
    assert [one["id"] for one in first["items"]] == ["run-2"]
    assert [one["id"] for one in reader.get(f"/api/v1/exports?after={first['next']}").json["items"]] == [EXPORT]


def test_one_run(reader: FlaskClient) -> None:
    assert reader.get(f"/api/v1/exports/{EXPORT}").json == {
        "id": EXPORT,
        "state": "done",
        "target": "archive",
        "started": "2023-11-14T22:13:20.000000Z",
        "ended": "2023-11-14T22:14:20.000000Z",
        "recordings": 1,
        "bytes": 2044,
        "failed": 0,
        "error": "",
        "node": "ivr-1",
        "report": None,
    }
    assert reader.get("/api/v1/exports/unknown").status_code == 404
    assert reader.get("/api/v1/exports/..%2F..").status_code == 404


@pytest.mark.parametrize(("text", "report"), [("", None), ('{"files": 3}', {"files": 3}), ("[]", None)])
def test_the_report_is_json(text: str, report: object) -> None:
    assert json.dumps(_report(text)) == json.dumps(report)


def test_a_run_is_begun(make: Client, store: Store) -> None:
    export = Export()
    answer = make("operate", {"export": export}).post("/api/v1/exports")
    assert (answer.status_code, answer.json) == (202, {"exports": [EXPORT]})
    assert export.by == ["operate 0"]
    assert [(who, what) for who, what, _ in audit(store, "export.run")] == [("operate 0", EXPORT)]


@pytest.mark.parametrize(
    ("export", "status", "code", "text"),
    [
        (NO_TARGET, 409, "not_configured", "[targets.NAME]"),
        (Export(ExportError("a run to 'archive' is under way")), 409, "export_under_way", "under way"),
        (None, 503, "no_export", "without the export"),
    ],
)
def test_why_none_is_begun(
    make: Client, store: Store, export: Export | None, status: int, code: str, text: str
) -> None:
    answer = make("operate", {"export": export}).post("/api/v1/exports")
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert text in answer.json["error"]["message"]
    assert audit(store, "export.run") == []


def test_who_may_only_read_may_not(make: Client) -> None:
    assert make("read", {"export": Export()}).post("/api/v1/exports").status_code == 403
