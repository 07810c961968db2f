"""Every error as one JSON shape, and as nothing else: no HTML, no traceback."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Mapping
from typing import Any

import flask_smorest
from flask import Flask, Response, g, jsonify
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException, InternalServerError

from fsivr.errors import (
    ArchiveError,
    CommandRefused,
    ESLError,
    RecordingElsewhere,
    RecordingKept,
    UnknownRecording,
)
from fsivr.store import is_gone

log = logging.getLogger(__name__)

#: Seconds after which a client may ask again, where the database or the switch is gone.
RETRY_AFTER = 5

# What is wrong with the disk, or with who may use it, and not with us.
_OF_DISKS = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.ESTALE, errno.ENOTCONN)
)

#: What is said of each status, where nothing better is known: a word for programs, a sentence for people.
_SAID = {
    400: ("bad_request", "the request cannot be read"),
    401: ("unauthorized", "an API key is needed: Authorization: Bearer fsivr_..."),
    403: ("forbidden", "this is not allowed"),
    404: ("not_found", "there is nothing here"),
    405: ("method_not_allowed", "this method is not allowed here; the header Allow has those that are"),
    406: ("not_acceptable", "this cannot be had in a form that the header Accept allows"),
    409: ("conflict", "this cannot be done in the state things are in"),
    410: ("gone", "it is no longer there"),
    412: ("precondition_failed", "a condition of the request does not hold"),
    413: ("too_large", "the body of the request is too large"),
    414: ("too_large", "the address is too long"),
    415: ("unsupported_media_type", "the body of the request is to be application/json"),
    416: ("range_not_satisfiable", "the header Range asks for what is not there"),
    422: ("invalid", "something in the request is not allowed; the details say what"),
    429: ("too_many_requests", "too many requests; the header Retry-After says when to try again, in seconds"),
    500: ("internal", "something went wrong here; the log of the API tells more under this request's id"),
    502: ("bad_gateway", "the switch refused it"),
    503: ("unavailable", "this cannot be done now; try again later"),
}


class ErrorBodySchema(Schema):
    """What is told of an error."""

    code = fields.String(required=True, metadata={"description": "What went wrong, in a word for programs."})
    message = fields.String(required=True, metadata={"description": "What went wrong, for people."})
    details = fields.Dict(keys=fields.String(), required=True, metadata={"description": "What it was that was wrong."})
    request = fields.String(required=True, metadata={"description": "The request's id, which the log has too."})


class ErrorSchema(Schema):
    """What every answer from 400 on has."""

    error = fields.Nested(ErrorBodySchema, required=True)


class Problem(Exception):
    """Raised by a resource: how the request ends.

    :param status: of HTTP, from 400 on.
    :param message: for people; text of a caller in it stays text.
    :param code: a word for programs; the one of the status where it is left out.
    :param details: what can be made into JSON.
    :param headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        code: str = "",
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        usual = _SAID.get(status, ("error", "it went wrong"))
        self.status = status
        self.message = message or usual[1]
        self.code = code or usual[0]
        self.details = dict(details or {})
        self.headers = dict(headers or {})
        super().__init__(self.message)


class JsonErrorsApi(flask_smorest.Api):
    """flask-smorest, with our errors instead of its own."""

    ERROR_SCHEMA = ErrorSchema

    def _register_error_handlers(self) -> None:
        app: Flask = self._app
        app.register_error_handler(Exception, answer)

    def _register_pagination_header(self) -> None:
        pass  # pages are told in the body


def answer(error: Exception) -> Response:
    """The answer that an error of any kind makes."""
    if isinstance(error, HTTPException) and (error.code is None or error.code < 400):
        found: Response = error.get_response()  # type: ignore[assignment]
        return found
    problem = _problem(error)
    body = {
        "code": problem.code,
        "message": problem.message,
        "details": problem.details,
        "request": g.get("request_id", ""),
    }
    response = jsonify({"error": body})
    response.status_code = problem.status
    response.headers.update(problem.headers)
    return response


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException) and not isinstance(error, InternalServerError):
        return _of_http(error)
    known = _of_ours(error)
    if known is not None:
        return known
    if is_gone(error):
        log.warning("request %s: the database cannot be used: %s", g.get("request_id", ""), type(error).__name__)
        return Problem(
            503,
            "the database cannot be reached",
            code="database_unreachable",
            headers={"Retry-After": str(RETRY_AFTER)},
        )
    if isinstance(error, OSError) and error.errno in _OF_DISKS:
        log.error("request %s: the disk of the recordings: %s", g.get("request_id", ""), error)
        why = os.strerror(error.errno)
        return Problem(503, f"the disk of the recordings does not do it: {why}", code="disk_failed")
    log.error("request %s failed", g.get("request_id", ""), exc_info=error)
    return Problem(500)


def _of_http(error: HTTPException) -> Problem:
    """What werkzeug or webargs raised; only what we know to be harmless of it is told."""
    status = error.code or 500
    data: Mapping[str, Any] = getattr(error, "data", None) or {}
    details = data.get("messages") or data.get("errors") or {}
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Content-Range", "Retry-After")}
    if "Allow" in headers:
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))  # it comes in any order
    return Problem(status, details=details if isinstance(details, Mapping) else {"request": details}, headers=headers)


def _of_ours(error: Exception) -> Problem | None:
    if isinstance(error, UnknownRecording):
        return Problem(404, str(error))
    if isinstance(error, RecordingKept):
        return Problem(409, str(error), code="kept")
    if isinstance(error, RecordingElsewhere):
        return Problem(409, str(error), code="elsewhere")
    if isinstance(error, ArchiveError):
        return Problem(409, str(error))
    if isinstance(error, CommandRefused):
        return Problem(502, str(error), code="switch_refused")
    if isinstance(error, ESLError):
        headers = {"Retry-After": str(RETRY_AFTER)}
        return Problem(503, f"the switch cannot be asked: {error}", code="switch_unreachable", headers=headers)
    return None
