"""How the requests of a connection are read: each part within its time, and nothing that could be read in two ways."""

from __future__ import annotations

import json
import logging
import re
from http.client import HTTPException
from typing import Any

from gevent import Timeout
from gevent.pywsgi import Input, WSGIHandler

log = logging.getLogger(__name__)

_MOST_LINE = 8192
_MOST_HEADER = 16_384
# What is read of a body that nobody wanted, so that the answer is not lost with the connection.
_LEFT_BYTES, _LEFT_SECONDS = 262_144, 2.0
_REASONS = {
    400: ("Bad Request", "bad_request", "the request cannot be read"),
    408: ("Request Timeout", "too_slow", "the request did not come in time"),
    414: ("URI Too Long", "too_large", "the address is too long"),
    431: ("Request Header Fields Too Large", "too_large", "the headers are too large, or too many"),
}


class Handler(WSGIHandler):
    """Reads requests, each part of them within its time, and refuses what two readers may read differently."""

    #: The ``HttpServer``.
    server: Any

    def handle_one_request(self) -> Any:
        """What the loop over a connection's requests is told: see gevent's."""
        if self.rfile.closed or self.server.draining or not self._begins():
            return None
        patience = Timeout(self.server.limits.head)
        try:
            with patience:
                line = self.rfile.readline(_MOST_LINE + 1)
                if len(line) > _MOST_LINE:
                    return _refusal(414)
                self.read_request(line.decode("latin-1"))
        except Timeout as expired:
            if expired is not patience:
                raise
            return _refusal(408)
        except OSError:
            return None
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, it is the client's
            return self._handle_client_error(error)
        self.environ = self.get_environ()
        self.application = self.server.application
        self.handle_one_response()
        return None if self.close_connection or self.rfile.closed else True

    def get_environ(self) -> Any:
        """The request as WSGI has it, with a body that comes within its time."""
        environ = super().get_environ()
        waits = self.socket if environ.get("HTTP_EXPECT") == "100-continue" else None
        chunked = "transfer-encoding" in self.headers
        self.wsgi_input = _Body(self, self.server.limits.body, socket=waits, chunked_input=chunked)
        environ.update({"wsgi.input": self.wsgi_input, "wsgi.input_terminated": True})
        return environ

    def _begins(self) -> bool:
        """Whether a first byte of a request comes in time."""
        patience = Timeout(self.server.limits.idle)
        self.server.resting.add(self.socket)
        try:
            with patience:
                return bool(self.rfile.peek(1))
        except Timeout as expired:
            if expired is not patience:
                raise
            return False
        except OSError:
            return False
        finally:
            self.server.resting.discard(self.socket)

    def MessageClass(self, *args: Any) -> Any:  # noqa: N802  gevent's name
        """The headers, before gevent takes any of them away.

        :raises ValueError: a proxy before us may have read them otherwise.
        """
        headers: Any = super().MessageClass(*args)
        self._check(headers)
        return headers

    def _check(self, headers: Any) -> None:
        if headers.status:  # which gevent refuses
            return
        lengths = headers.get_all("content-length", [])
        encodings = headers.get_all("transfer-encoding", [])
        if len(lengths) > 1 or not all(re.fullmatch(r"[0-9]{1,18}", text, re.ASCII) for text in lengths):
            raise ValueError("Content-Length")
        if encodings and (lengths or [text.lower() for text in encodings] != ["chunked"]):
            raise ValueError("Transfer-Encoding")
        if self.request_version not in ("HTTP/1.0", "HTTP/1.1") or headers.defects:
            raise ValueError("HTTP")
        if len(headers.get_all("host", [])) != 1 and self.request_version == "HTTP/1.1":
            raise ValueError("Host")
        if sum(len(name) + len(value) for name, value in headers.items()) > _MOST_HEADER:
            raise _TooLarge

    def _handle_client_error(self, ex: Exception) -> Any:
        log.debug("a request from %s cannot be read: %s", self.client_address[0], type(ex).__name__)
        # Too many headers are an HTTPException of http.client's; too long a one gevent makes a status of them.
        return _refusal(431 if isinstance(ex, (HTTPException, _TooLarge)) or self.headers.status else 400)

    def _log_error(self, t: Any, v: Any, tb: Any) -> None:
        if issubclass(t, Exception):
            log.error("an answer to %s broke", self.client_address[0], exc_info=(t, v, tb))


class _TooLarge(Exception):
    """The headers of a request are."""


class _Body(Input):
    """A body that comes within its time; what nobody reads of it ends the connection."""

    _chunked_input_error: bool

    def __init__(self, handler: Any, seconds: float, **options: Any) -> None:
        super().__init__(handler.rfile, handler.content_length, **options)
        self._handler = handler
        self._until: float | None = None
        self._seconds = seconds

    def read(self, length: int | None = None) -> bytes:
        patience = Timeout(self._seconds)
        try:
            with patience:
                data: bytes = super().read(length)
                return data
        except Timeout as expired:
            if expired is not patience:
                raise
            self._handler.close_connection = True
            raise TimeoutError("the body did not come in time") from None

    def _discard(self) -> None:
        if not self.chunked_input and self.position >= (self.content_length or 0):
            return
        if self._chunked_input_error or self.socket is not None:  # the client was never told to send it
            self._handler.close_connection = True
            return
        self._seconds = min(self._seconds, _LEFT_SECONDS)
        for _ in range(_LEFT_BYTES // 16_384):
            if not self.read(16_384):
                return
        self._handler.close_connection = True


def _refusal(status: int) -> tuple[str, bytes]:
    """An answer to what never became a request, in the shape of all errors."""
    reason, code, message = _REASONS[status]
    body = json.dumps({"error": {"code": code, "message": message, "details": {}, "request": ""}}).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return str(status), head.encode() + body
