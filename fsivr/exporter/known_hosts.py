"""HostKeys: the keys that a host may show, from a known_hosts file or from fingerprints."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fsivr.errors import PermanentError

#: What a line's type of key is negotiated as: an RSA key signs with SHA-2 (RFC 8332), and no longer with SHA-1.
_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


class HostKey(NamedTuple):
    """A public key of a host: its type, as ``ssh-ed25519``, and its bytes as they go over the wire."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` prints it: ``SHA256:…``."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


class HostKeys(NamedTuple):
    """The keys that one host at one port may show, and those that it never may."""

    known: frozenset[HostKey]
    revoked: frozenset[bytes] = frozenset()
    fingerprints: frozenset[str] = frozenset()

    def accepts(self, key: HostKey) -> bool:
        """Whether it is one that is known for the host, and none that was revoked."""
        return key.blob not in self.revoked and (key in self.known or key.fingerprint in self.fingerprints)

    def algorithms(self, offered: tuple[str, ...]) -> list[tuple[str, ...]]:
        """What to negotiate, in turn: with known keys their own alone; a fingerprint may be of a key of any type."""
        known = {name for key in self.known for name in _ALGORITHMS.get(key.type, (key.type,))}
        rounds = [tuple(name for name in offered if name in known)] if known else []
        if self.fingerprints:
            kinds: dict[str, tuple[str, ...]] = {}
            for name in offered:
                kind = name.split("-")[0] if name.startswith("rsa-") else name
                kinds[kind] = (*kinds.get(kind, ()), name)
            rounds += kinds.values()
        return [names for names in rounds if names]


def fingerprints(given: tuple[str, ...]) -> HostKeys:
    """The keys that have these fingerprints, each ``SHA256:`` and 43 characters of base64.

    :raises PermanentError: one is no such text.
    """
    wrong = [text for text in given if not _FINGERPRINT.fullmatch(text.rstrip("="))]
    if wrong:
        raise PermanentError(
            f"{wrong[0]!r} is no fingerprint of a host key: allowed is SHA256: and 43 characters, "
            "as `ssh-keygen -lf KEY.pub` prints it on the server"
        )
    return HostKeys(frozenset(), fingerprints=frozenset(text.rstrip("=") for text in given))


def known_hosts(path: Path, host: str, port: int) -> HostKeys:
    """The keys that a known_hosts file has for a host at a port.

    Lines are as sshd(8) has them: names, patterns with ``*``, ``?`` and ``!``, hashed names, ``[host]:port``,
    ``@revoked``. A line without a port is for port 22 alone. Certificates (``@cert-authority``) are not used.

    :raises PermanentError: it cannot be read, or a ``@revoked`` line of it has no meaning.
    """
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError as error:
        raise PermanentError(
            f"the known_hosts file {path} cannot be read ({error.strerror}): make it with "
            f"`ssh-keyscan -p {port} {host}` and compare its keys with those on the server"
        ) from None
    name = host.lower() if port == 22 else f"[{host.lower()}]:{port}"
    known, revoked = set(), set()
    for marker, names, key in _entries(lines, path):
        if _matches(names, name):
            if marker == "@revoked":
                revoked.add(key.blob)
            elif not marker:
                known.add(key)
    return HostKeys(frozenset(known), frozenset(revoked))


def _entries(lines: list[str], path: Path) -> Iterator[tuple[str, str, HostKey]]:
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        marker = fields.pop(0) if fields[0].startswith("@") else ""
        key = _key(fields)
        if key is not None:
            yield marker, fields[0], key
        elif marker == "@revoked":  # to pass over it would be to trust that key
            raise PermanentError(f"line {number} of {path} says @revoked of what is no host key: mend or remove it")


def _key(fields: list[str]) -> HostKey | None:
    if len(fields) < 3:
        return None
    try:
        blob = base64.b64decode(fields[2], validate=True)
        (length,) = struct.unpack_from(">I", blob)
    except (binascii.Error, ValueError, struct.error):
        return None
    return HostKey(fields[1], blob) if blob[4 : 4 + length] == fields[1].encode() else None


def _matches(names: str, name: str) -> bool:
    found = False
    for pattern in names.split(","):
        if pattern.startswith("|"):
            found = found or _hashed(pattern, name)
        elif pattern.startswith("!"):
            if _like(pattern[1:], name):
                return False
        else:
            found = found or _like(pattern, name)
    return found


def _like(pattern: str, name: str) -> bool:
    # Only * and ? are special to ssh, while [ begins the name of a host with a port.
    return fnmatch.fnmatchcase(name, pattern.lower().replace("[", "[[]"))


def _hashed(pattern: str, name: str) -> bool:
    fields = pattern.split("|")
    if len(fields) != 4 or fields[1] != "1":
        return False
    try:
        salt, digest = base64.b64decode(fields[2], validate=True), base64.b64decode(fields[3], validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), digest)
