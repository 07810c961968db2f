"""An API that is really served, on a free port, and what is said to it byte by byte."""

from __future__ import annotations

import json
import socket as plain
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gevent import socket, ssl


class Said(NamedTuple):
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def asked(address: tuple[str, int], *pieces: bytes, context: ssl.SSLContext | None = None) -> list[Said]:
    """All that a server answers to these bytes until it closes the connection."""
    with connected(address, context) as sock:
        for piece in pieces:
            sock.sendall(piece)
        return answers(sock)


def connected(address: tuple[str, int], context: ssl.SSLContext | None = None) -> Any:
    """A connection to a server, over TLS where a context is given."""
    sock = socket.create_connection(address, timeout=30)
    sock.setsockopt(plain.IPPROTO_TCP, plain.TCP_NODELAY, 1)
    return sock if context is None else context.wrap_socket(sock, server_hostname="localhost")


def answers(sock: Any) -> list[Said]:
    """All answers until the end of the connection."""
    data = b""
    try:
        while piece := sock.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        headers = dict(text.split(": ", 1) for text in rest)
        length = int(headers.get("Content-Length", 0))
        found.append(Said(int(line.split(" ")[1]), headers, data[:length]))
        data = data[length:]
    return found


def get(path: str, *headers: str, method: str = "GET", close: bool = True) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers, *["Connection: close"] * close]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Pair(NamedTuple):
    """The files of a certificate and its key."""

    certificate: str
    key: str

    @property
    def trusted(self) -> ssl.SSLContext:
        """A client's TLS that trusts it."""
        return ssl.create_default_context(cafile=self.certificate)


def certificate(folder: Path, name: str = "tls", *, days: float = 90, password: bytes = b"") -> Pair:
    """A certificate for localhost, signed by itself, that is good for so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.DNSName("*.example.net"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pair = Pair(str(folder / f"{name}.pem"), str(folder / f"{name}.key"))
    Path(pair.certificate).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    kind = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    Path(pair.key).write_bytes(key.private_bytes(serialization.Encoding.PEM, form, kind))
    return pair
