"""The API's HTTP server: gevent's, with an end to everything that a client could drag out."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from gevent import Timeout, socket
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer

from fsivr.api.handler import Handler
from fsivr.config import parse_address
from fsivr.errors import ConfigError

log = logging.getLogger(__name__)

_BACKLOG = 256


class Limits(NamedTuple):
    """What one client may take; times in seconds."""

    #: From a request's first byte to the end of its headers; and for a TLS handshake.
    head: float = 10.0
    #: Between two requests on a connection, and before the first.
    idle: float = 30.0
    #: For a body.
    body: float = 20.0
    #: For a piece of an answer, of up to 64 kB, to be taken.
    send: float = 30.0
    #: Connections at once; what comes then waits to be accepted.
    connections: int = 400
    #: Connections of one address at once; what comes then is closed.
    of_address: int = 200


class HttpServer(WSGIServer):
    """Serves a WSGI application on a listening socket.

    :param sock: see ``listening``.
    :param context: TLS; plain HTTP where None.
    """

    def __init__(
        self,
        sock: socket.socket,
        application: Callable[..., Iterable[bytes]],
        *,
        context: Any = None,
        limits: Limits | None = None,
    ) -> None:
        host, port = sock.getsockname()[:2]
        tls = {} if context is None else {"ssl_context": context}
        # Else the name of the machine would be looked up in the DNS, for as long as that takes.
        names = {"SERVER_NAME": host, "SERVER_PORT": str(port)}
        self.limits = limits or Limits()
        self._context = context
        pool = Pool(self.limits.connections)
        super().__init__(
            sock, application, spawn=pool, log=None, error_log=log, environ=names, handler_class=Handler, **tls
        )
        self.where: tuple[str, int] = (host, port)
        #: Whether connections end after the request they are at.
        self.draining = False
        self.resting: set[Any] = set()
        self._connections: Counter[str] = Counter()

    def handle(self, sock: Any, address: Any) -> None:
        """Answer the requests of a connection."""
        with self._counted(address) as welcome:
            if welcome:
                self._converse(sock, address)
            else:
                sock.close()

    def wrap_socket_and_handle(self, client_socket: Any, address: Any) -> None:
        """Answer the requests of a connection, once TLS is agreed on."""
        # The socket is this object's from here on, and closed with it, also where the handshake is cut off.
        wrapped = self._context.wrap_socket(client_socket, server_side=True, do_handshake_on_connect=False)
        with self._counted(address) as welcome:
            if welcome and self._agrees(wrapped):
                self._converse(wrapped, address)
            else:
                wrapped.close()

    def drain(self, seconds: float) -> None:
        """Take no more connections, let requests finish for so many seconds, and end."""
        self.draining = True
        self.close()
        for sock in list(self.resting):
            _shut(sock)
        assert self.pool is not None
        self.pool.join(timeout=seconds)
        self.pool.kill(timeout=1)

    def _agrees(self, sock: Any) -> bool:
        patience = Timeout(self.limits.head)
        try:
            with patience:
                sock.do_handshake()
            return True
        except Timeout as expired:
            if expired is not patience:
                raise
        except (OSError, ValueError):  # what came was no TLS, or no version and cipher of ours
            pass
        return False

    def _converse(self, sock: Any, address: Any) -> None:
        sock.settimeout(self.limits.send)
        try:
            self.handler_class(sock, address, self).handle()
        except OSError as error:
            log.debug("a connection from %s broke: %s", address[0], error)
        finally:
            sock.close()

    @contextmanager
    def _counted(self, address: Any) -> Iterator[bool]:
        host = str(address[0])
        self._connections[host] += 1
        try:
            yield self._connections[host] <= self.limits.of_address
        finally:
            self._connections[host] -= 1
            if not self._connections[host]:
                del self._connections[host]


def listening(address: str, setting: str) -> socket.socket:
    """A socket that listens.

    :param address: HOST:PORT.
    :param setting: which setting it is of, for what is said where it cannot be had.
    :raises ConfigError: it cannot.
    """
    host, port = parse_address(address)
    way_out = f"set another address with {setting}"
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"the API cannot listen on {address}: {error}; {way_out}") from None
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Those it accepts have it too. Without it each answer waits 40 ms for the client's delayed ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.bind(where)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise ConfigError(f"the API cannot listen on {address}: {error.strerror}; {way_out}") from None
    sock.setblocking(False)
    return sock


def _shut(sock: Any) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
