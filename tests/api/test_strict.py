"""What every request is checked for, whatever resource it is for."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from fsivr.api.access import needs, public
from fsivr.api.errors import Problem
from fsivr.api.strict import MOST_BODY, MOST_DEPTH
from fsivr.store import Role
from tests.api.conftest import Client

things = Blueprint("things", __name__, url_prefix="/things", description="Things of the tests")


class QuerySchema(Schema):
    limit = fields.Integer(validate=validate.Range(1, 1000), load_default=100)


class BodySchema(Schema):
    to = fields.String(required=True)
    more = fields.Raw()


@things.route("/<string:name>")
@public
@things.arguments(QuerySchema, location="query")
@things.response(200)
def look(query: dict[str, Any], name: str) -> dict[str, Any]:
    """Look at a thing."""
    if name == "broken":
        raise RuntimeError("a secret: 4711")
    if name == "refused":
        raise Problem(409, "<script>", code="busy", details={"by": "\r\nX: y"})
    return {"limit": query["limit"], "name": name}


@things.route("", methods=["POST"])
@needs(Role.OPERATE)
@things.arguments(BodySchema)
@things.response(201)
def make_thing(body: dict[str, Any]) -> dict[str, Any]:
    """Make a thing."""
    return {"to": body["to"]}


@pytest.fixture
def client(make: Client, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr("fsivr.api.app.BLUEPRINTS", (things,))
    return make("operate")


@pytest.mark.parametrize(
    ("query", "status", "details"),
    [
        ("limit=5", 200, None),
        ("limit=0", 422, {"query": {"limit": ["Must be greater than or equal to 1 and less than or equal to 1000."]}}),
        ("limit=-1", 422, None),
        ("limit=" + "9" * 5000, 422, None),
        ("limit=1e3", 422, None),
        ("limit=x", 422, {"query": {"limit": ["Not a valid integer."]}}),
        ("limit=1&limit=2", 422, {"query": {"limit": ["it is given more than once"]}, "allowed": ["limit"]}),
        ("Limit=1", 422, {"query": {"Limit": ["there is no such parameter"]}, "allowed": ["limit"]}),
        ("x" * 500 + "=1", 422, {"query": {"x" * 80: ["there is no such parameter"]}, "allowed": ["limit"]}),
        ("limit=%00", 400, None),
        ("limit=%ff", 400, None),
    ],
)
def test_a_query(client: FlaskClient, query: str, status: int, details: Any) -> None:
    answer = client.get(f"/things/a?{query}")
    assert answer.status_code == status
    if details is not None:
        assert answer.json["error"]["details"] == details


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"to": "a"}', 201),
        (b'{"to": "\xc3\xa9"}', 201),
        (b"", 422),
        (b"{}", 422),
        (b"[]", 422),
        (b'"to"', 422),
        (b'{"to": 1}', 422),
        (b'{"to": "a", "other": 1}', 422),
        (b'{"to": "a"', 400),
        (b'{"to": "a"}x', 400),
        (b'{"to": "a", "to": "b"}', 400),
        (b'{"to": "a\\u0000"}', 400),
        (b'{"to": "\\ud800"}', 400),
        (b'{"to": "a", "\\ud800": 1}', 400),
        (b'{"to": "\xff"}', 400),
        (b'{"to": NaN}', 400),
        (b'{"to": "a", "more": 1e999}', 400),
        (b'{"to": "a", "more": ' + b"9" * 5000 + b"}", 400),
        (b'{"to": "a", "more": ' + b"[" * (MOST_DEPTH - 2) + b"]" * (MOST_DEPTH - 2) + b"}", 201),
        (b'{"to": "a", "more": ' + b"[" * MOST_DEPTH + b"]" * MOST_DEPTH + b"}", 400),
        (b"[" * 60_000, 400),
        (b'{"to": "' + b"a" * MOST_BODY + b'"}', 413),
    ],
)
def test_a_body(client: FlaskClient, body: bytes, status: int) -> None:
    answer = client.post("/things", data=body, content_type="application/json")
    assert answer.status_code == status, answer.json
    if status >= 400:
        assert answer.json["error"]["code"] in ("bad_request", "invalid", "too_large")


def test_a_chunked_body_is_no_way_around_the_limit(client: FlaskClient) -> None:
    body = json.dumps({"to": "a" * MOST_BODY}).encode()
    how = {"input_stream": io.BytesIO(body), "environ_overrides": {"wsgi.input_terminated": True}}
    answer = client.post("/things", content_type="application/json", **how)
    assert answer.status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_is_not_json_by_its_own_account(client: FlaskClient, kind: str) -> None:
    answer = client.post("/things", data=b'{"to": "a"}', content_type=kind)
    assert (answer.status_code, answer.json["error"]["code"]) == (415, "unsupported_media_type")


def test_what_goes_wrong_here_is_told_to_the_log_alone(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/things/broken")
    assert answer.status_code == 500
    assert answer.json["error"]["code"] == "internal"
    assert b"4711" not in answer.data
    (record,) = caplog.records
    assert answer.json["error"]["request"] in record.getMessage()
    assert record.exc_info is not None
    assert "4711" in str(record.exc_info[1])


def test_a_problem_of_a_resource_stays_json(client: FlaskClient) -> None:
    answer = client.get("/things/refused")
    assert (answer.status_code, answer.content_type) == (409, "application/json")
    error = answer.json["error"]
    assert (error["code"], error["message"], error["details"]) == ("busy", "<script>", {"by": "\r\nX: y"})
    assert "X" not in answer.headers


def test_a_database_that_is_gone_is_told_with_the_time_to_try_again(make: Client, store: Any) -> None:
    client = make("read")
    with store.database.connection_context():
        store.database.execute_sql("DROP TABLE api_keys")
    answer = client.get("/api/v1/status")
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "database_unreachable")
    assert answer.headers["Retry-After"] == "5"


def test_a_view_that_says_nothing_of_who_may_use_it_is_a_mistake(make: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    forgetful = Blueprint("forgetful", __name__)

    @forgetful.route("/forgotten")
    def forgotten() -> str:
        return ""

    monkeypatch.setattr("fsivr.api.app.BLUEPRINTS", (forgetful,))
    with pytest.raises(RuntimeError, match="/forgotten says of nobody"):
        make()
