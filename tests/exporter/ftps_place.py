"""FTPSPlace: an empty folder of a real FTP server, for the conformance tests."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fsivr.exporter.target import Target
from tests.exporter.certificates import Authority
from tests.exporter.ftpd import PROXIED, Ftpd, Vsftpd
from tests.exporter.place import Place
from tests.exporter.proxy import Proxy
from tests.exporter.users import PASSWORD, owned


class FTPSPlace(Place):
    """A folder below the home of the server's user."""

    factory = "fsivr.exporter.ftps:FTPSTarget"
    refused = "does not let us in.*user and the password are right"
    impostor = "certificate that is not good.*Nothing was sent"
    long = 6 * 1024 * 1024
    huge = 120 * 1024 * 1024

    def __init__(self, server: Ftpd, name: str, folder: Path) -> None:
        self._server = server
        self._name = name
        self._folder = folder
        self.root = server.home / name
        self.root.mkdir()
        if isinstance(server, Vsftpd):
            owned(self.root)
        self.port = server.port
        self.secrets = (PASSWORD, "wrong-" + PASSWORD)

    def arguments(self, *, port: int | None = None, timeout: float | None = None) -> dict[str, Any]:
        return {
            "name": "ftps",
            "host": "127.0.0.1" if port is None else PROXIED,
            "port": port or self.port,
            "user": self._server.user,
            "password": PASSWORD,
            "folder": self._name,
            "ca": str(self._server.authority.bundle),
            **({} if timeout is None else {"timeout": timeout}),
        }

    def proxy(self, kind: type[Proxy] = Proxy) -> Proxy:
        return kind(self.port, host=PROXIED, also=self._server.passive)

    def denied_arguments(self) -> dict[str, Any]:
        return self.arguments() | {"password": "wrong-" + PASSWORD}

    def started(self, **options: Any) -> contextlib.AbstractContextManager[Target]:
        """A target whose server was started in another way."""
        return self._made_of(self._started(**options))

    @contextlib.contextmanager
    def _started(self, *, timeout: float | None = None, **options: Any) -> Iterator[dict[str, Any]]:
        self._server.stop()
        try:
            self._server.start(**options)
            yield self.arguments(timeout=timeout)
        finally:
            self._server.stop()
            self._server.start()

    def other_arguments(self) -> contextlib.AbstractContextManager[dict[str, Any]]:
        return self._started(certificate=Authority(self._folder, "other").server())

    @contextlib.contextmanager
    def liar_arguments(self) -> Iterator[dict[str, Any]]:
        if not isinstance(self._server, Vsftpd):
            with self._started(disk="liar") as arguments:
                yield arguments
            return
        liar = Ftpd()
        try:
            liar.stop()
            liar.start(disk="liar")
            where = {"port": liar.port, "ca": str(liar.authority.bundle)}
            yield {name: value for name, value in (self.arguments() | where).items() if name != "folder"}
        finally:
            liar.close()

    def full_arguments(self) -> contextlib.AbstractContextManager[dict[str, Any]] | None:
        if isinstance(self._server, Vsftpd):
            small = str(self._server.folder / "small")
            return contextlib.nullcontext(self.arguments() | {"folder": small})
        return self._started(disk="small", timeout=4)

    def files(self) -> dict[str, bytes]:
        return {key: path.read_bytes() for key, path in self._kept() if not key.endswith(".part")}

    def rubbish(self) -> list[str]:
        return [key for key, _ in self._kept() if key.endswith(".part")]

    def store(self, key: str, data: bytes) -> None:
        (self.root / key).parent.mkdir(parents=True, exist_ok=True)
        (self.root / key).write_bytes(data)

    def remove(self, key: str) -> None:
        (self.root / key).unlink()

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.root)

    def _kept(self) -> list[tuple[str, Path]]:
        return [(str(path.relative_to(self.root)), path) for path in sorted(self.root.rglob("*")) if path.is_file()]
