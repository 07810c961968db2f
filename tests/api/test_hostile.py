"""Requests that mean harm, or nothing: each gets a clear answer from 400 to 499."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.stock import CALLS, HANDLER, SEALED, Stage
from tests.call.conversations import HOSTILE, IDS
from tests.store.calls import ended

LISTS = ("/api/v1/calls", "/api/v1/recordings", "/api/v1/exports")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("api"))
    yield stage
    stage.close()


@pytest.fixture
def admin(stage: Stage) -> Iterator[FlaskClient]:
    yield stage.client("admin")
    assert stage.board.placed == []


def _is_clear(answer: Any) -> None:
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.content_type == "application/json"
    assert answer.json["error"]["message"]


@pytest.mark.parametrize("where", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=-1", "limit=1001", "limit=99999999999999999999", "limit=1e2", "limit=%2B5", "limit=1_0"),
        *("limit=%D9%A1", "limit=", "limit=1&limit=2", "offset=5", "page=2", "limit[]=1"),
        *("after=", "after=1", "after=-1.1", "after=1.'", "after=99999999999999999999.1", "after=1.1%0A", "after=../x"),
        *("since=yesterday", "since=2026-01-01", "since=2026-01-01T00:00:00", "since=2026-13-01T00:00:00Z"),
        *(
            "since=0",
            "until=2026-01-01T00:00:00%20Z",
            "until=2026-01-01T24:00:00%2B99:00",
            "since=2026-W01-1T00:00:00Z",
        ),
        *("state=none", "state=", "state=live%00", "state=%ff", "%ff=1", "%00=1", "state=ended%0d%0aX-Injected:%20yes"),
    ],
)
def test_a_wrong_query(admin: FlaskClient, where: str, query: str) -> None:
    answer = admin.get(f"{where}?{query}")
    _is_clear(answer)
    assert "X-Injected" not in answer.headers


def test_a_cursor_of_a_list_of_another_kind(admin: FlaskClient) -> None:
    _is_clear(admin.get("/api/v1/calls?after=1764000000000000.20261124T013000Z-0a1b2c3d"))


@pytest.mark.parametrize("name", ["caller", "dialled", "handler"])
@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_any_text_is_compared_and_nothing_else(admin: FlaskClient, stage: Stage, name: str, text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    if "\0" in text or len(text) > 1024:
        _is_clear(admin.get("/api/v1/calls", query_string={name: text}))
        return
    stage.store.write([ended(900, **{name: text})])
    found = admin.get("/api/v1/calls", query_string={name: text}).json["items"]
    assert [(call["uuid"], call[name]) for call in found] == [("uuid-000900", text)]
    assert len(admin.get("/api/v1/calls").json["items"]) == CALLS + 1


@pytest.mark.parametrize(
    "text", ["' OR '1'='1", "'; DROP TABLE calls; --", "%", "_", "*", "uuid-000001' --", "../../etc"]
)
@pytest.mark.parametrize("where", ["/api/v1/calls", "/api/v1/recordings", "/api/v1/exports"])
def test_no_text_is_sql_or_a_path(admin: FlaskClient, stage: Stage, where: str, text: str) -> None:
    _is_clear(admin.get(f"{where}/{text}"))
    if where != "/api/v1/exports":
        _is_clear(admin.delete(f"{where}/{text}"))
    assert len(stage.store.calls().items) >= CALLS


@pytest.mark.parametrize(
    "path", ["/../x", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "//etc/passwd", "/.", f"/{SEALED}/../x"]
)
def test_traversal(admin: FlaskClient, path: str) -> None:
    for rest in ("", "/audio"):
        _is_clear(admin.get(f"/api/v1/recordings{path}{rest}"))


@pytest.mark.parametrize("path", ["/api/v1/calls/\xff", "/api/v1/recordings/\xc3\x28/audio", "/api/v1/exports/a\0b"])
def test_a_path_that_is_no_text(admin: FlaskClient, path: str) -> None:
    # As a server hands it on: each byte a letter of Latin-1.
    answer = admin.get("/", environ_overrides={"PATH_INFO": path})
    _is_clear(answer)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b'{"to": "\xff"}', b'{"to": "user/1", "to": "user/2"}'),
        *(b'{"to": "user/\\u0000"}', b'{"to": "\\ud800"}', b'{"timeout": NaN}', b"[" * 5000, b'{"timeout": 1e999}'),
        b'{"to": "user/1000", "handler": "%s", "variables": {"a": "\\u0000"}}' % HANDLER.encode(),
    ],
)
@pytest.mark.parametrize(("method", "where"), [("POST", "/api/v1/calls"), ("PUT", f"/api/v1/recordings/{SEALED}/hold")])
def test_a_body_that_is_none(admin: FlaskClient, method: str, where: str, body: bytes) -> None:
    _is_clear(admin.open(where, method=method, data=body, content_type="application/json"))


@pytest.mark.parametrize(("method", "where"), [("POST", "/api/v1/calls"), ("PUT", f"/api/v1/recordings/{SEALED}/hold")])
def test_a_large_body(admin: FlaskClient, method: str, where: str) -> None:
    answer = admin.open(
        where, method=method, data=b'{"x": "' + b"a" * 1_000_000 + b'"}', content_type="application/json"
    )
    _is_clear(answer)
    assert answer.status_code == 413
    text = admin.open(where, method=method, data=b"to=user/1000", content_type="application/x-www-form-urlencoded")
    assert text.status_code == 415


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=1", "\u2028", "\x00", "\u00e9\u4e2d", "x" * 70_000])
def test_no_text_makes_a_header(admin: FlaskClient, value: str) -> None:
    for changes in ({"to": f"user/{value}"}, {"caller_id": value}, {"handler": f"a.{value}"}):
        answer = admin.post("/api/v1/calls", json={"to": "user/1000", "handler": HANDLER, **changes})
        _is_clear(answer)
        assert "Set-Cookie" not in answer.headers
