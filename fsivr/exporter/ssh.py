"""connect: a transport to an SSH server that showed a key known for it, and that let us in."""

from __future__ import annotations

import dataclasses
import logging
import socket
from pathlib import Path

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from fsivr.errors import PermanentError, TransientError
from fsivr.exporter.known_hosts import HostKey, HostKeys, fingerprints, known_hosts
from fsivr.exporter.limit import Limit
from fsivr.exporter.login import Login
from fsivr.exporter.partial import plain

# With no handler of the program's, what paramiko logs would go to its standard error; and below
# a warning its lines quote whatever a server sends.
_LOG = logging.getLogger("paramiko")
_LOG.addHandler(logging.NullHandler())
if _LOG.level == logging.NOTSET:
    _LOG.setLevel(logging.WARNING)

_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
_DIGESTS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
_KEEPALIVE = 15


@dataclasses.dataclass(frozen=True)
class Server:
    """Where an SSH server is, and how it is known.

    :param known_hosts: a file as ssh's; or ``fingerprints``, each ``SHA256:…``. One of them is needed.
    :param timeout: for the connection, its key exchange and our authentication, seconds each.
    """

    host: str
    port: int = 22
    known_hosts: Path | None = None
    fingerprints: tuple[str, ...] = ()
    timeout: float = 15.0

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def host_keys(self) -> HostKeys:
        """The keys that it may show.

        :raises PermanentError: none is known, or where they are cannot be read.
        """
        of_file = known_hosts(self.known_hosts, self.host, self.port) if self.known_hosts else HostKeys(frozenset())
        return of_file._replace(fingerprints=fingerprints(self.fingerprints).fingerprints)


def connect(server: Server, login: Login) -> paramiko.Transport:
    """An authenticated transport to a server that proved who it is.

    :raises PermanentError: its key is not known, or it refused us.
    :raises TransientError: it cannot be reached, or did not answer in time.
    """
    transport = _verified(server)
    try:
        login.authenticate(transport, where=f"{server}, asked to let in {login.user},")
    except BaseException:
        transport.close()
        raise
    transport.set_keepalive(_KEEPALIVE)
    return transport


def _verified(server: Server) -> paramiko.Transport:
    allowed = server.host_keys()
    shown: list[HostKey] = []
    for algorithms in [*allowed.algorithms(_offered()), ()]:
        # The last round, with any algorithm, is to tell which key there is; it is never gone on with.
        try:
            transport = _start(server, algorithms)
        except IncompatiblePeer as error:
            if algorithms:
                continue
            raise PermanentError(f"{server} has no algorithm of SSH that we have: {plain(error)}") from None
        key = transport.get_remote_server_key()
        shown.append(HostKey(key.get_name(), key.asbytes()))
        if algorithms and allowed.accepts(shown[-1]):
            return transport
        transport.close()
        if shown[-1].blob in allowed.revoked or (allowed.known and not allowed.fingerprints):
            break
    raise _not_known(server, allowed, shown)


def _not_known(server: Server, allowed: HostKeys, shown: list[HostKey]) -> PermanentError:
    given = ", ".join(dict.fromkeys(f"{key.type} {key.fingerprint}" for key in shown))
    place = server.known_hosts or "the setting"
    if any(key.blob in allowed.revoked for key in shown):
        return PermanentError(f"{server} shows a host key that {place} says is revoked: {given}")
    if not allowed.known and not allowed.fingerprints:
        return PermanentError(
            f"no host key is known for {server}; it shows {given}. Compare that with `ssh-keygen -lf` of its "
            f"/etc/ssh/ssh_host_*_key.pub on the server itself, and if it is the same add it to {place}"
        )
    known = ", ".join(sorted(allowed.fingerprints | {key.fingerprint for key in allowed.known}))
    return PermanentError(
        f"{server} shows another host key than is known for it: {given}, known: {known}. Either it was given a new "
        f"key (ask who runs it; then change {place}), or it is not that server. Nothing was sent to it"
    )


def _offered() -> tuple[str, ...]:
    names: tuple[str, ...] = paramiko.Transport._preferred_keys  # type: ignore[attr-defined] # its stubs lack it
    return names


def _start(server: Server, algorithms: tuple[str, ...]) -> paramiko.Transport:
    """Connect and exchange keys, with these algorithms for the host's key; with all for none."""
    try:
        connection = socket.create_connection((server.host, server.port), timeout=server.timeout)
    except OSError as error:
        raise TransientError(f"{server} cannot be reached: {error.strerror or error}") from None
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(connection)
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = server.timeout
    transport.channel_timeout = server.timeout
    options = transport.get_security_options()
    options.ciphers, options.digests = _CIPHERS, _DIGESTS
    if algorithms:
        options.key_types = algorithms
    limit = Limit(server.timeout, transport.close)
    try:
        with limit:
            transport.start_client(timeout=server.timeout)
            transport.get_remote_server_key()  # which there is none of where the time was up
    except IncompatiblePeer:
        transport.close()
        raise
    except Exception as error:
        transport.close()
        said = f"gave no answer for {server.timeout:g} s" if limit.reached else plain(error)
        raise TransientError(f"{server} does not speak SSH, or not in time: {said}") from None
    finally:
        limit.close()
    return transport
