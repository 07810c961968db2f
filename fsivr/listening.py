"""The socket that the switch connects to, alone on its address or one of several there."""

from __future__ import annotations

import socket as blocking
from typing import Any

from gevent import socket

from fsivr.config import Settings
from fsivr.errors import ConfigError

_BACKLOG = 1024


def listening(settings: Settings) -> socket.socket:
    """A socket that listens on ``listen``, which nobody else does.

    :raises ConfigError: it cannot.
    """
    family, address = _found(settings)
    return _made(settings, family, address, shared=False)


def listening_together(settings: Settings, count: int) -> list[socket.socket]:
    """So many sockets that listen on ``listen``; the kernel spreads what arrives over them.

    :raises ConfigError: they cannot, or another one listens there.
    """
    family, address = _found(settings)
    # Another of the same user could share the address, and take calls of ours.
    _made(settings, family, address, shared=False).close()
    made: list[socket.socket] = []
    try:
        for _ in range(count):
            made.append(_made(settings, family, address, shared=True))
            address = made[0].getsockname()
    except ConfigError:
        for sock in made:
            sock.close()
        raise
    return made


def written(address: tuple[str, int]) -> str:
    """An address as HOST:PORT, an IPv6 host in brackets."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _found(settings: Settings) -> tuple[int, Any]:
    try:
        host, port = settings.listen_address
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"cannot listen on {settings.listen}: {why}") from None
    return family, address


def _made(settings: Settings, family: int, address: Any, *, shared: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, blocking.SO_REUSEPORT, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise ConfigError(
            f"cannot listen on {settings.listen}: {error.strerror}; set another address with --listen or FSIVR_LISTEN"
        ) from None
    return sock
