"""``fsivr export`` to real servers that fail: how it ends, what it says, and that the next one brings all."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fsivr.cli import run
from fsivr.exporter import exporting
from fsivr.exporter.run import Order, Run
from fsivr.exporter.targets import Recipe
from fsivr.recordings import Sidecar
from tests.exporter.commanded import HURRIED, commanded, settings
from tests.exporter.exporting import NAME
from tests.exporter.ftps_place import FTPSPlace
from tests.exporter.killing import archive_of
from tests.exporter.place import Place
from tests.exporter.proxy import Proxy
from tests.exporter.s3place import S3Place
from tests.exporter.servers import all_is_there, arguments, filled, kind, place
from tests.exporter.sftp_place import SFTPPlace

__all__ = ["kind", "place"]

#: What gives the arguments of a target whose server is spoilt inside the block.
Spoilt = Callable[[Place], contextlib.AbstractContextManager[dict[str, Any]]]

COUNT = 3
SIZE = 100_000
#: Longer than what the small server has room for.
TOO_LONG = 2_500_000
#: Seconds that a server which says nothing is waited for.
TIMEOUT = 0.5


@contextlib.contextmanager
def refused(place: Place) -> Iterator[dict[str, Any]]:
    yield place.denied_arguments()


@contextlib.contextmanager
def gone(place: Place) -> Iterator[dict[str, Any]]:
    """Nothing listens any more."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    yield place.arguments(timeout=TIMEOUT) | place.arguments(port=port)


@contextlib.contextmanager
def silent(place: Place) -> Iterator[dict[str, Any]]:
    """It takes connections and says nothing."""
    with place.proxy() as proxy:
        proxy.stall()
        yield place.arguments(port=proxy.port, timeout=TIMEOUT)


@contextlib.contextmanager
def full(place: Place) -> Iterator[dict[str, Any]]:
    found = place.full_arguments()
    if found is None:
        pytest.skip("a server with a small disk takes root to make")
    with found as given:
        # Only that of FTPS lets us wait.
        yield given | ({"timeout": 1.0} if "timeout" in given else {})


#: What spoils the server; by the kind of target, the exit code and what is said.
FAULTS: dict[str, tuple[Spoilt, dict[str, tuple[int, str]]]] = {
    "refused": (
        refused,
        {
            "s3": (4, S3Place.refused),
            "sftp": (4, SFTPPlace.refused),
            "ftps": (4, FTPSPlace.refused),
        },
    ),
    "another key or certificate": (
        lambda place: place.other_arguments(),
        {
            "s3": (4, S3Place.impostor),
            "sftp": (4, SFTPPlace.impostor),
            "ftps": (4, FTPSPlace.impostor),
        },
    ),
    "keeps nothing, or zeros": (
        lambda place: place.liar_arguments(),
        {
            "s3": (1, r"\.wav is not there"),
            "sftp": (1, r"\.wav has SHA-256 .* not "),
            "ftps": (1, r"\.wav has SHA-256 .* not "),
        },
    ),
    # SeaweedFS and pyftpdlib do not say that they are full.
    "full": (
        full,
        {
            "s3": (1, r"nothing has arrived there for too long; last: .*InternalError"),
            "sftp": (4, r"its disk is full; make room there"),
            "ftps": (1, r"nothing has arrived there for too long; last: .*gave no answer for 1 s"),
        },
    ),
    "gone": (
        gone,
        {
            "s3": (1, r"Could not connect"),
            "sftp": (1, r"cannot be reached: Connection refused"),
            "ftps": (1, r"cannot be reached: Connection refused"),
        },
    ),
    "silent": (
        silent,
        {
            "s3": (1, r"Read timeout"),
            "sftp": (1, r"not in time: gave no answer for 0.5 s"),
            "ftps": (1, r"gave no answer for 0.5 s"),
        },
    ),
}


#: Runs ``fsivr export`` with settings and arguments: the exit code, and what was printed.
Export = Callable[..., tuple[int, str]]


@pytest.fixture
def export(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Export:
    monkeypatch.setattr(exporting, "Order", HURRIED)

    def exported(config: Path, *command: str) -> tuple[int, str]:
        code, told = run(["export", *command, "--config", str(config)]), capsys.readouterr()
        return code, told.out + told.err

    return exported


def states(folder: Path) -> list[str]:
    """The states of all recordings, in the sidecars; rows have the same."""
    archive = archive_of(folder)
    sidecars = [Sidecar.load(path) for path in archive.folders.sidecars()]
    for sidecar in sidecars:
        row = archive.store.recording(sidecar.id)
        assert row is not None
        assert (row.state, bool(sidecar.arrivals)) == (sidecar.state, sidecar.state == "exported")
    archive.store.close()
    return sorted(sidecar.state for sidecar in sidecars)


def arrivals(folder: Path) -> int:
    """How many of the recordings arrived, as their sidecars have it."""
    archive = archive_of(folder)
    archive.store.close()
    return sum(bool(Sidecar.load(path).arrivals) for path in archive.folders.sidecars())


def bring_the_rest(folder: Path, kind: str, place: Place) -> None:
    """The next run, to a server that is well again."""
    recipe = Recipe(NAME, kind, arguments(place))
    archive = archive_of(folder)
    report = Run(NAME, recipe, archive=archive, order=Order(targets=frozenset({NAME}), concurrency=2)).run()
    archive.store.close()
    assert report.state == "done", report.document()


def last_run(folder: Path) -> tuple[str, int]:
    """The state of the newest run, and what arrived by it, as the database has it."""
    archive = archive_of(folder)
    run = archive.store.exports(limit=1).items[0]
    archive.store.close()
    return run.state, run.recordings


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_in_the_right_state(export: Export, place: Place, kind: str, tmp_path: Path, fault: str) -> None:
    folder = tmp_path / "kept"
    filled(folder, COUNT, 0, size=TOO_LONG if fault == "full" else SIZE)
    spoilt, expected = FAULTS[fault]
    code, said = expected[kind]
    with spoilt(place) as given:
        found, told = export(settings(folder, kind, given))
    assert (found, last_run(folder)) == (code, ("failed", 0)), told
    assert re.search(said, told), told
    assert f"{COUNT} recordings remain" in told
    assert states(folder) == ["sealed"] * COUNT
    assert not [secret for secret in place.secrets if secret in told]
    bring_the_rest(folder, kind, place)
    all_is_there(folder, place, COUNT)


class Flipping(Proxy):
    """Changes one bit on the way to the server, once, in the midst of what is sent."""

    flipped = False

    def _up(self, data: bytes) -> bytes:
        data = super()._up(data)
        # So much at once is of a recording, and the end of it is not the head of a request.
        if not self.flipped and self.up > SIZE and len(data) > 8000:
            self.flipped = True
            return data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]
        return data


def test_a_bit_that_changes_on_the_way_is_found_and_sent_again(
    export: Export, place: Place, kind: str, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    filled(folder, COUNT, 0, size=SIZE)
    with place.proxy(Flipping) as proxy:
        found, told = export(settings(folder, kind, place.arguments(port=proxy.port)))
        assert proxy.flipped
    assert (found, last_run(folder)) == (0, ("done", COUNT)), told
    all_is_there(folder, place, COUNT)


# A run ends in the same way, whatever its target is; that each waits for a slow one is for the conformance tests.
@pytest.mark.parametrize("place", ["sftp"], indirect=True)
def test_a_slow_server_and_a_signal_leave_the_rest_for_the_next(place: Place, kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    filled(folder, 16, 0, size=60_000)
    with place.proxy() as proxy:
        proxy.rate = 400_000
        process = commanded(settings(folder, kind, place.arguments(port=proxy.port, timeout=20.0)))
        until = time.monotonic() + 60
        while not arrivals(folder):
            assert time.monotonic() < until and process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=60)
    assert "Traceback" not in told
    found = process.returncode
    arrived = arrivals(folder)
    assert states(folder).count("exported") == arrived
    assert 0 < arrived < 16
    assert (found, last_run(folder)) == (130, ("partial", arrived)), told
    assert f"{16 - arrived} recordings remain" in told
    assert "it was told to stop" in told
    bring_the_rest(folder, kind, place)
    all_is_there(folder, place, 16)


def test_a_wrong_byte_there_is_told_by_verify(export: Export, place: Place, kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    filled(folder, COUNT, 0)
    config = settings(folder, kind, arguments(place))
    assert export(config)[0] == 0
    assert export(config, "verify", NAME)[0] == 0
    damaged, gone, *_ = (key for key in sorted(place.files()) if key.endswith(".wav"))
    place.damage(damaged)
    place.remove(gone)
    code, told = export(config, "verify", NAME)
    assert code == 1
    assert re.search(f"changed.*{re.escape(damaged)}", told), told
    assert re.search(f"missing.*{re.escape(gone)}", told), told
