"""SFTPPlace: an empty folder of a real sshd, for the conformance tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.exporter.liar import Liar
from tests.exporter.place import Place
from tests.exporter.sshd import PASSPHRASE, Sshd, made_key
from tests.exporter.users import PASSWORD, own_users, owned


class SFTPPlace(Place):
    """A folder below the home of the server's user; its known hosts are those of the server at any port."""

    long = 6 * 1024 * 1024
    huge = 120 * 1024 * 1024
    factory = "fsivr.exporter.sftp:SFTPTarget"
    refused = "does not let us in.*authorized_keys"
    impostor = "another host key.*SHA256:.*known: SHA256:"

    def __init__(self, server: Sshd, name: str, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.root = server.home / name
        self.root.mkdir()
        owned(self.root)
        self.port = server.port
        self.secrets = (PASSWORD, PASSPHRASE, "wrong-" + PASSWORD)

    def arguments(self, *, port: int | None = None, timeout: float | None = None) -> dict[str, Any]:
        known = {
            "fingerprints": [self._server.host_key(kind).fingerprint for kind in ("ed25519",)],
            "key": str(self._server.keys["ed25519"]),
        }
        if port is None:
            known["known_hosts"] = str(self._server.known_hosts(self._folder / "known_hosts"))
            del known["fingerprints"]
        return {
            "name": "sftp",
            "host": "127.0.0.1",
            "port": port or self.port,
            "user": self._server.user,
            "folder": str(self.root),
            **known,
            **({} if timeout is None else {"timeout": timeout}),
        }

    def denied_arguments(self) -> dict[str, Any]:
        arguments = self.arguments()
        del arguments["key"]
        return {**arguments, "password": "wrong-" + PASSWORD}

    @contextlib.contextmanager
    def other_arguments(self) -> Iterator[dict[str, Any]]:
        other = made_key(self._folder / "other", "ed25519")
        self._server.stop()
        own, self._server.host_keys["ed25519"] = self._server.host_keys["ed25519"], other
        try:
            self._server.start(kinds=("ed25519",))
            yield self.arguments()
        finally:
            self._server.stop()
            self._server.host_keys["ed25519"] = own
            self._server.start()

    @contextlib.contextmanager
    def liar_arguments(self) -> Iterator[dict[str, Any]]:
        with Liar(self._server.host_keys["ed25519"]) as liar:
            arguments = self.arguments(port=liar.port)
            del arguments["folder"]
            yield arguments

    @contextlib.contextmanager
    def _small(self) -> Iterator[dict[str, Any]]:
        yield self.arguments() | {"folder": str(self._server.folder / "small")}

    def full_arguments(self) -> contextlib.AbstractContextManager[dict[str, Any]] | None:
        return self._small() if own_users() else None

    def files(self) -> dict[str, bytes]:
        return {key: path.read_bytes() for key, path in self._kept() if not key.endswith(".part")}

    def rubbish(self) -> list[str]:
        return [key for key, _ in self._kept() if key.endswith(".part")]

    def store(self, key: str, data: bytes) -> None:
        path = self.root / key
        for folder in reversed(path.relative_to(self.root).parents):
            (self.root / folder).mkdir(exist_ok=True)
            owned(self.root / folder)
        path.write_bytes(data)
        owned(path)

    def remove(self, key: str) -> None:
        (self.root / key).unlink()

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def _kept(self) -> list[tuple[str, Path]]:
        return [(str(path.relative_to(self.root)), path) for path in sorted(self.root.rglob("*")) if path.is_file()]
