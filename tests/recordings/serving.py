"""A server that keeps recordings, a simulated switch that calls it, and what is on disk and in the database then."""

from __future__ import annotations

import hashlib
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsivr import Call, Dialplan, Extension, Handler
from fsivr.config import Settings
from fsivr.recordings import Archive, Folders, Sidecar
from fsivr.server import Server
from fsivr.simulator import Switch
from fsivr.store import Journal, Store


def settings_of(folder: Path, *, listen: str = "127.0.0.1:0") -> Settings:
    """Those of a server that keeps all in one folder."""
    return Settings.defaults(
        listen=listen,
        recordings_path=str(folder / "recordings"),
        database=f"sqlite:///{folder}/fsivr.db",
        node="ivr-1",
        retention=["default=365", "complaints=3650"],
    )


class Kept:
    """A folder of recordings with its database.

    :param folder: where both are.
    """

    def __init__(self, folder: Path) -> None:
        self.settings = settings_of(folder)
        self.folders = Folders(folder / "recordings")
        self.store = Store(self.settings.database)
        self.store.migrate()
        self.archive = Archive.of(self.settings, self.store)

    @contextmanager
    def serving(self, run: Callable[[Call], Any], *, root: str = "") -> Iterator[Switch]:
        """A switch whose calls a function answers; the server is stopped at the end of the block.

        :param root: where the switch's own disk is.
        """
        handler = type("InCall", (Handler,), {"run": lambda self, call: run(call)})
        self.journal = Journal(self.settings.database)
        self.server = server = Server(Dialplan([Extension(".*", handler)]), self.settings, store=self.journal)
        server.start()
        switch = Switch(server.address)
        switch.root = root
        try:
            yield switch
        finally:
            switch.stop()
            server.stop(5)

    @property
    def rows(self) -> list[Any]:
        """The rows of recordings, the newest first."""
        return self.store.recordings().items

    def only(self) -> Sidecar:
        """What is told of the only recording, which is true, as its row is."""
        (path,) = self.folders.sidecars()
        self.check()
        return Sidecar.load(path)

    def check(self) -> None:
        """See that all on disk is at its end: each file has a right header, a true sidecar and a row."""
        assert [
            path.name for path in self.folders.spool.rglob("*") if path.is_file() and ".locks" not in str(path)
        ] == []
        told = {path.stem for path in self.folders.sidecars()}
        sounds = {path.stem: path for path in self.folders.audios()}
        assert set(sounds) <= told
        assert {row.id: (row.state, row.sha256, row.bytes) for row in self.store.each_recording(node="ivr-1")} == {
            each.id: (each.state, each.sha256, each.bytes) for each in map(Sidecar.load, self.folders.sidecars())
        }
        for id, path in sounds.items():
            check_sound(path, Sidecar.load(self.folders.sidecar_of(id)))


def check_sound(path: Path, sidecar: Sidecar) -> None:
    """See that a file is what its sidecar says."""
    data = path.read_bytes()
    assert sidecar.state in ("sealed", "degraded")
    assert sidecar.sha256 == hashlib.sha256(data).hexdigest()
    assert sidecar.bytes == len(data)
    with wave.open(str(path)) as file:
        assert file.getnchannels() == sidecar.channels
        assert file.getframerate() == sidecar.rate
        assert file.getnframes() / file.getframerate() == sidecar.duration
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
