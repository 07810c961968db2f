"""What every request is checked for before a resource sees it."""

from __future__ import annotations

import json
import math
import re
import secrets
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask, Response, g, request

from fsivr.api.errors import Problem

#: The most bytes of a body.
MOST_BODY = 65_536
#: How deep objects and lists of a body may stand in each other.
MOST_DEPTH = 20

_PARAMETER = re.compile(r"<(?:[^:<>]*:)?([^<>]*)>")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def begin() -> None:
    """Name the request, and refuse what is no text.

    :raises Problem: the address has bytes that are not UTF-8, or a NUL, or the body is too large.
    """
    g.request_id = secrets.token_hex(8)
    path: str = request.environ.get("PATH_INFO", "")
    query: str = request.environ.get("QUERY_STRING", "")
    _check_bytes(path.encode("latin-1", "replace"), "path")
    _check_bytes(unquote_to_bytes(query.encode("latin-1", "replace")), "query")
    if (request.content_length or 0) > MOST_BODY:
        raise _too_large()


def finish(response: Response) -> Response:
    """The response with the headers that all have."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = g.get("request_id", "")
    return response


class Checks:
    """Checks a request against what the document of the API says of its operation.

    :param app: whose requests.
    :param paths: those of the document.
    """

    def __init__(self, app: Flask, paths: dict[str, Any]) -> None:
        self._operations: dict[tuple[str, str], tuple[frozenset[str], bool]] = {}
        for rule in app.url_map.iter_rules():
            described = paths.get(_PARAMETER.sub(r"{\1}", rule.rule), {})
            shared = described.get("parameters", [])
            for method in rule.methods or ():
                operation = described.get("get" if method == "HEAD" else method.lower(), {})
                parameters = [*shared, *operation.get("parameters", [])]
                names = frozenset(one["name"] for one in parameters if one.get("in") == "query")
                self._operations[rule.rule, method] = names, "requestBody" in operation

    def __call__(self) -> None:
        """Nothing, where the request may go on.

        :raises Problem: it may not.
        """
        if request.url_rule is None:
            return
        names, has_body = self._operations[request.url_rule.rule, request.method]
        _check_query(names)
        if has_body:
            _check_body()


def _check_query(allowed: frozenset[str]) -> None:
    wrong: dict[str, list[str]] = {}
    for name in request.args:
        if name not in allowed:
            wrong[name[:80]] = ["there is no such parameter"]
        elif len(request.args.getlist(name)) > 1:
            wrong[name] = ["it is given more than once"]
    if wrong:
        raise Problem(422, details={"query": wrong, "allowed": sorted(allowed)})


def _check_body() -> None:
    data = request.get_data(cache=True)
    if len(data) > MOST_BODY:
        raise _too_large()
    if data and request.mimetype != "application/json":
        raise Problem(415)
    if not data:
        return
    try:
        body = json.loads(data.decode(), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except RecursionError:
        raise _unreadable("it is too deep") from None
    except ValueError:  # of UTF-8 too
        raise _unreadable("it is no JSON in UTF-8") from None
    _check_value(body)


def _check_value(body: Any) -> None:
    level = [body]
    for _ in range(MOST_DEPTH):
        inside: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inside += [*value.keys(), *value.values()]
            elif isinstance(value, list):
                inside += value
            elif isinstance(value, str):
                if "\0" in value or not _is_text(value):
                    raise _unreadable("a text has a NUL or half a letter")
            elif isinstance(value, float) and not math.isfinite(value):
                raise _unreadable("a number is too large")
        if not inside:
            return
        level = inside
    raise _unreadable("it is too deep")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _check_bytes(data: bytes, where: str) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Problem(400, f"the {where} is not UTF-8") from None
    if "\0" in text:
        raise Problem(400, f"the {where} has a NUL")


def _unreadable(why: str) -> Problem:
    return Problem(400, f"the body cannot be read: {why}", details={"json": [why]})


def _too_large() -> Problem:
    return Problem(413, details={"bytes": MOST_BODY}, headers={"Connection": "close"})
