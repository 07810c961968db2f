"""What all of the API has in common: one shape of errors, the document, the headers."""

from __future__ import annotations

import pytest

from tests.api.conftest import Client

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/<script>", 404, "not_found"),
        ("GET", "/health//live", 404, "not_found"),
        ("GET", "/health/live/", 404, "not_found"),
        ("GET", "/../../etc/passwd", 404, "not_found"),
        ("POST", "/health/live", 405, "method_not_allowed"),
        ("TRACE", "/health/live", 405, "method_not_allowed"),
        ("OPTIONS", "/health/live", 405, "method_not_allowed"),
        ("GET", "/health/live?x=1", 422, "invalid"),
        ("GET", "/health/live?x=%ff", 400, "bad_request"),
        ("GET", "/health/live?x=%00", 400, "bad_request"),
        ("GET", "/health/live%00", 400, "bad_request"),
    ],
)
def test_every_error_has_one_shape(make: Client, method: str, path: str, status: int, code: str) -> None:
    answer = make().open(path, method=method)
    assert answer.status_code == status
    assert answer.content_type == "application/json"
    assert set(answer.json) == {"error"}
    assert set(answer.json["error"]) == {"code", "message", "details", "request"}
    assert answer.json["error"]["code"] == code
    assert answer.headers["X-Request-Id"] == answer.json["error"]["request"]
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    if status == 405:
        assert answer.headers["Allow"] == "GET, HEAD"


def test_the_document_tells_of_every_error_by_one_reference(make: Client) -> None:
    document = make().get("/api/openapi.json").json
    assert document["openapi"] == "3.1.0"
    operations = [one for path in document["paths"].values() for name, one in path.items() if name != "parameters"]
    assert operations
    for operation in operations:
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/DEFAULT_ERROR"}
        assert operation["summary"]


def test_it_lives(make: Client) -> None:
    assert make().get("/health/live").json == {"status": "live"}
