"""The keeper of a serving process: disks that are full or slow, queues that are, and a stop in the middle."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import gevent
import pytest

from fsivr.errors import RecordingError
from fsivr.recordings import Keeper, Sidecar, keeper, reconcile
from fsivr.recordings.wav import header
from fsivr.store import Journal
from tests.leaks import until
from tests.recordings.serving import Kept
from tests.recordings.test_reconcile import STARTED

_SOUND = header(16000, 1) + bytes(16000)


class Recording:
    """A keeper, and recordings of a second for it."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.journal = Journal(kept.settings.database)
        self.journal.start()
        self.keeper = Keeper(kept.folders, self.journal, node="ivr-1", every=0.05)
        self.keeper.start()

    def begin(self, number: int) -> Sidecar:
        """One that goes on."""
        id = f"20261124T135551.123Z-{number:012x}"
        ticket = Sidecar(id=id, call="c", started=STARTED, state="recording", node="ivr-1", channels=1)
        self.keeper.begin(id, lambda owner: replace(ticket, owner=owner))
        self.kept.folders.spooled(id).write_bytes(_SOUND)
        return ticket

    def end(self, ticket: Sidecar) -> bool:
        """Whether its file was moved when it had ended."""
        told: list[bool] = []
        ended = replace(ticket, stopped=STARTED + timedelta(seconds=1), duration=1.0)
        self.keeper.end(ticket.id, lambda owner: replace(ended, owner=owner), told.append)
        assert until(lambda: bool(told), 10)
        return told[0]

    def close(self, timeout: float = 10.0) -> None:
        self.keeper.close(timeout)
        self.journal.close(10)


@pytest.fixture
def recording(kept: Kept) -> Iterator[Recording]:
    made = Recording(kept)
    yield made
    made.close()


def states(kept: Kept) -> list[str]:
    return [Sidecar.load(path).state for path in kept.folders.sidecars()]


def once(function: Callable[..., Any], error: OSError, times: int = 1) -> Callable[..., Any]:
    """A function that fails so many times before it works."""
    left = [times]

    def run(*arguments: Any, **options: Any) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise error
        return function(*arguments, **options)

    return run


FULL = OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_lets_nothing_be_recorded_that_nobody_knows_of(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sidecar, "save", once(Sidecar.save, FULL))
    with pytest.raises(RecordingError, match="No space left"):
        recording.begin(1)
    assert recording.end(recording.begin(1))


def test_a_disk_that_is_full_for_a_while_is_tried_again(
    recording: Recording, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sidecar cannot be written, nor the ticket that says so; the next minute they can."""
    ticket = recording.begin(1)
    monkeypatch.setattr(Sidecar, "save", once(Sidecar.save, FULL, 3))
    assert recording.end(ticket)
    assert until(lambda: states(kept) == ["sealed"], 20)
    recording.close()
    kept.check()


def test_a_file_that_cannot_be_moved_is_moved_later(
    recording: Recording, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = recording.begin(1)
    monkeypatch.setattr(keeper, "move", once(keeper.move, OSError(errno.EIO, "Input/output error")))
    assert not recording.end(ticket)
    assert until(lambda: states(kept) == ["sealed"], 20)


def test_what_the_queue_does_not_take_is_sealed_all_the_same(
    recording: Recording, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "BOUND", 0)
    for number in range(3):
        assert recording.end(recording.begin(number))
    assert until(lambda: states(kept) == ["sealed"] * 3, 20)


def test_a_stop_does_not_wait_for_a_slow_disk_and_loses_nothing(
    recording: Recording, kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seal, slow, begun = keeper.seal, threading.Event(), []

    def seals(*arguments: Any) -> Sidecar:
        begun.append(arguments)
        while not slow.is_set():
            gevent.sleep(0.01)
        return seal(*arguments)

    monkeypatch.setattr(keeper, "seal", seals)
    for number in range(3):
        assert recording.end(recording.begin(number))
    assert until(lambda: bool(begun), 10)
    with caplog.at_level(logging.WARNING):
        recording.close(0.1)
    assert "3 recordings are left to be sealed by the next server" in caplog.text
    assert states(kept) == []
    slow.set()
    assert until(lambda: len(states(kept)) == 1, 10)  # the one that was at it

    def reconciled() -> bool:
        reconcile(kept.archive, settle=0.0)
        return len(states(kept)) == 3

    assert until(reconciled, 10)  # once the lock of the first one is given back
    assert states(kept) == ["sealed"] * 3
    kept.check()


def test_a_wait_for_the_disk_ends(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_PATIENCE", 0.05)
    monkeypatch.setattr(Sidecar, "save", lambda sidecar, path: gevent.sleep(1))
    with pytest.raises(RecordingError, match="has not taken it"):
        recording.begin(1)


def test_what_is_asked_of_one_recording_is_done_in_order(recording: Recording, kept: Kept) -> None:
    """A ticket that was waited for in vain is removed when the verb is left, and not before it is written."""
    ticket = Sidecar(id=f"20261124T135551.123Z-{7:012x}", call="c", started=STARTED, state="recording")
    begins = gevent.spawn(recording.keeper.begin, ticket.id, lambda owner: replace(ticket, owner=owner))
    gevent.sleep(0)
    begins.kill()
    recording.keeper.drop(ticket.id, lambda owner: ticket)
    recording.close()
    assert list(kept.folders.tickets()) == []
