"""The API as it is served: its address, its TLS, and the way to that from plain HTTP."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

import gevent

from fsivr.api.http import HttpServer, Limits, listening
from fsivr.api.redirect import redirecting
from fsivr.api.tls import Certificate
from fsivr.config import Settings
from fsivr.errors import ConfigError

#: Seconds that requests have to finish when the API stops.
LAST = 5.0
#: Seconds between two looks whether the certificate was renewed.
RENEWED_EVERY = 60.0


class Serving:
    """The servers of an application; they listen as soon as this is made.

    :param settings: ``api_listen``, ``api_certificate``, ``api_certificate_key``, ``api_redirect_from``.
    :param limits: of each connection.
    :param renewed_every: seconds between two looks whether the certificate was renewed.
    :raises ConfigError: an address cannot be had, or the certificate is wrong.
    """

    def __init__(
        self,
        settings: Settings,
        application: Callable[..., Iterable[bytes]],
        *,
        limits: Limits | None = None,
        renewed_every: float = RENEWED_EVERY,
    ) -> None:
        certificate = _certificate(settings)
        self._limits = limits
        self._servers: list[HttpServer] = []
        self._renewing: gevent.Greenlet[..., None] | None = None
        context = None if certificate is None else certificate.context
        main = self._serve(
            settings.api_listen, "FSIVR_API_LISTEN, 'fsivr serve --api' or 'fsivr api --listen'", application, context
        )
        host, port = main.where
        usual = _usual(certificate, host)
        #: Where the API is.
        self.url = f"{'http' if certificate is None else 'https'}://{f'[{usual}]' if ':' in usual else usual}:{port}"
        #: Where plain HTTP is led to TLS; None where it is not.
        self.redirects_from: tuple[str, int] | None = None
        if settings.api_redirect_from and certificate is not None:
            lead = redirecting(certificate.names, port, usual)
            try:
                side = self._serve(settings.api_redirect_from, "FSIVR_API_REDIRECT_FROM", lead, None)
            except ConfigError:
                self.stop(0)
                raise
            self.redirects_from = side.where
        if certificate is not None:
            self._renewing = gevent.spawn(_renew, certificate, renewed_every)

    def stop(self, seconds: float = LAST) -> None:
        """Take no more requests, and let those under way finish for so many seconds."""
        if self._renewing is not None:
            self._renewing.kill()
        for server in self._servers:
            server.close()
        for server in self._servers:
            server.drain(seconds)

    def _serve(self, address: str, setting: str, application: Any, context: Any) -> HttpServer:
        server = HttpServer(listening(address, setting), application, context=context, limits=self._limits)
        server.start()
        self._servers.append(server)
        return server


def _renew(certificate: Certificate, seconds: float) -> None:
    while True:
        gevent.sleep(seconds)
        certificate.renew()


def _certificate(settings: Settings) -> Certificate | None:
    if settings.api_certificate:
        return Certificate(settings.api_certificate, settings.api_certificate_key)
    for name in ("api_certificate_key", "api_redirect_from"):
        if getattr(settings, name):
            raise ConfigError(f"setting {name} is of use with a certificate alone: set api_certificate too")
    return None


def _usual(certificate: Certificate | None, host: str) -> str:
    """The host that is told to those who ask where the API is."""
    names = () if certificate is None else certificate.names
    known = next((name for name in names if not name.startswith("*")), "")
    if known:
        return known
    return socket.gethostname() if host in ("0.0.0.0", "::") else host


def check_address(settings: Settings) -> None:
    """Make sure that there is an address to serve the API on.

    :raises ConfigError: there is none.
    """
    if not settings.api_listen:
        raise ConfigError("setting api_listen is empty, so there is no API: give --listen HOST:PORT")
