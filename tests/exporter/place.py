"""Place: what the conformance tests ask of a kind of target's server, and of its tests."""

from __future__ import annotations

import hashlib
import importlib
import json
import random
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

from fsivr.exporter.target import Target
from tests.exporter.proxy import Proxy

ROOT = Path(__file__).parent.parent.parent


class Place(ABC):
    """A real server with an empty place of one test, seen from its own side too."""

    #: Of the target's class: "module:name".
    factory: ClassVar[str]
    #: The bytes of a file that takes long enough to be interrupted, in several pieces where the target has such.
    long: ClassVar[int] = 24 * 1024 * 1024
    #: The bytes of a file that would be noticed if it were kept in memory.
    huge: ClassVar[int] = 300 * 1024 * 1024
    #: Whether a put goes on where an earlier one was interrupted.
    resumes: ClassVar[bool] = True
    #: What the message of a refused password or key must say, as a regular expression.
    refused: ClassVar[str]
    #: What the message of another certificate or host key must say, as a regular expression.
    impostor: ClassVar[str]

    #: The port of the server.
    port: int
    #: No message, log or repr may hold them.
    secrets: tuple[str, ...]

    @abstractmethod
    def arguments(self, *, port: int | None = None, timeout: float | None = None) -> dict[str, Any]:
        """The keyword arguments of the target's class, as JSON can hold them.

        :param port: to connect to, that of a proxy, if not the server's.
        :param timeout: seconds that it waits for the server, if not its default.
        """

    @abstractmethod
    def denied_arguments(self) -> dict[str, Any]:
        """Those with a wrong password or key."""

    @abstractmethod
    def other_arguments(self) -> AbstractContextManager[dict[str, Any]]:
        """Those where the server's certificate or host key is not the one that is trusted."""

    @abstractmethod
    def liar_arguments(self) -> AbstractContextManager[dict[str, Any]]:
        """Those of a server that says that all went well, and keeps nothing."""

    @abstractmethod
    def full_arguments(self) -> AbstractContextManager[dict[str, Any]] | None:
        """Those of a server that has no room for 2 MB; None where that cannot be had."""

    @abstractmethod
    def files(self) -> dict[str, bytes]:
        """The whole files that the server keeps in this place, by key; not by the target's code."""

    @abstractmethod
    def rubbish(self) -> list[str]:
        """What the server keeps of half-brought files in this place."""

    @abstractmethod
    def store(self, key: str, data: bytes) -> None:
        """Put a file in this place, or other bytes into one that is there; not by the target's code."""

    @abstractmethod
    def remove(self, key: str) -> None:
        """Remove a file, behind the target's back."""

    @abstractmethod
    def stop(self) -> None:
        """Kill the server with its clients connected."""

    @abstractmethod
    def start(self) -> None:
        """Start it again, on the same port, with what it keeps."""

    def proxy(self, kind: type[Proxy] = Proxy) -> Proxy:
        """A proxy before the server: give its ``port`` to ``target``."""
        return kind(self.port)

    def target(self, *, port: int | None = None, timeout: float | None = None) -> Target:
        """A target of this place."""
        return made(self.factory, self.arguments(port=port, timeout=timeout))

    def denied(self) -> Target:
        """A target with a wrong password or key."""
        return made(self.factory, self.denied_arguments())

    def other_server(self) -> AbstractContextManager[Target]:
        """A target whose server's certificate or host key is not the one that is trusted."""
        return self._made_of(self.other_arguments())

    def liar(self) -> AbstractContextManager[Target]:
        """A target whose server says that all went well, and keeps nothing."""
        return self._made_of(self.liar_arguments())

    def full(self) -> AbstractContextManager[Target] | None:
        """A target whose server has no room for 2 MB; None where that cannot be had."""
        arguments = self.full_arguments()
        return None if arguments is None else self._made_of(arguments)

    @contextmanager
    def _made_of(self, arguments: AbstractContextManager[dict[str, Any]]) -> Iterator[Target]:
        with arguments as given:
            yield made(self.factory, given)

    def damage(self, key: str) -> None:
        """Change one bit of a file, behind the target's back."""
        data = bytearray(self.files()[key])
        data[len(data) // 2] ^= 1
        self.store(key, bytes(data))

    def child(self, local: Path, key: str, *, port: int | None = None) -> subprocess.Popen[str]:
        """A process of its own that puts a file; it prints the bytes that its memory grew by, at most."""
        task = {
            "factory": self.factory,
            "arguments": self.arguments(port=port),
            "local": str(local),
            "key": key,
            "sha256": sha256(local),
        }
        command = [sys.executable, "-m", "tests.exporter.child", json.dumps(task)]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def made(factory: str, arguments: Mapping[str, Any]) -> Target:
    """A target, by the name of its class."""
    module, _, name = factory.partition(":")
    target: Target = getattr(importlib.import_module(module), name)(**arguments)
    return target


def some(folder: Path, size: int, *, seed: int = 0, name: str = "") -> Path:
    """A file of so many bytes that no compression shortens, the same ones for a seed."""
    path = folder / (name or f"{seed}-{size}.wav")
    path.write_bytes(random.Random(f"{seed} {size}").randbytes(size))
    return path


def sha256(local: Path) -> str:
    """What a sidecar says of a file."""
    with local.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
