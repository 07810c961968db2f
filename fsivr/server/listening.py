"""The socket that the switch connects to."""

from __future__ import annotations

from gevent import socket

from fsivr.config import Settings
from fsivr.errors import ConfigError
from fsivr.esl.transport import tune

_BACKLOG = 1024


def listening(settings: Settings) -> socket.socket:
    """A socket that listens; what it accepts inherits its options.

    :raises ConfigError: it cannot.
    """
    where = settings.listen
    try:
        host, port = settings.listen_address
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"cannot listen on {where}: {getattr(error, 'strerror', None) or error}") from None
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
        tune(sock)
    except OSError as error:
        sock.close()
        raise ConfigError(
            f"cannot listen on {where}: {error.strerror}; set another address with --listen or FSIVR_LISTEN"
        ) from None
    return sock
