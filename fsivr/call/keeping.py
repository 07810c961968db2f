"""Keeping: what a call tells of its recordings to whoever keeps them; nobody does where no keeper is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from fsivr.call.recording import Handling, Recording, Take
from fsivr.call.spool import day_path

if TYPE_CHECKING:
    from fsivr.call.recorder import Recorder

# Seconds that a verb waits to see its file moved; it is moved later where the disk is slow.
_MOVING = 5.0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a recording beside what a handler sees."""

    #: The call's uuid, which is that of the recorded leg.
    call: str
    #: The class of the handler that held the call last, with its module.
    handler: str
    caller: str
    dialled: str
    #: The class that says how long it is kept.
    retention: str
    #: The name of a ``HangupCause``; "" while the call is up.
    hangup_cause: str
    #: When it ended, by the switch's clock; None where nobody saw it.
    stopped: datetime | None
    #: Why there is no file; "" where there should be one.
    why_lost: str


class Keeper(Protocol):
    """Who keeps recordings; all but ``begin`` is called on the hub too, and waits for nothing."""

    def begin(self, recording: Recording, known: Circumstances) -> None:
        """Have it on the disk that there will be a recording, before there is one.

        :raises RecordingError: that cannot be.
        """

    def began(self, recording: Recording, known: Circumstances) -> None:
        """The switch records."""

    def end(self, recording: Recording, known: Circumstances, moved: Callable[[bool], None]) -> None:
        """The switch has closed its file, which goes to its day's folder.

        :param moved: called on the hub with whether it is there.
        """

    def leave(self, recording: Recording, known: Circumstances) -> None:
        """Nobody saw its end, and nobody of this call will: the switch may still write."""

    def drop(self, recording: Recording, known: Circumstances) -> None:
        """It never began, as far as is known."""


def begin(call: Recorder, take: Take, retention: str) -> None:
    """Tell the keeper that there will be a recording, and for how long it is kept.

    :raises RecordingError: it cannot be kept.
    """
    if call._spool.keeper is not None:
        take.handling = Handling(retention)
        call._spool.keeper.begin(take.recording(over=False), _known(call, take))


def on_event(call: Recorder, take: Take) -> None:
    """The switch has told something of it; on the hub."""
    keeper = call._spool.keeper
    handling = take.handling
    if keeper is None or handling is None or handling.handed:
        return
    if take.ended.is_set():
        if not handling.in_verb:
            _end(call, take, handling)
    elif not handling.told:
        handling.told = True
        keeper.began(take.recording(over=False), _known(call, take))


def let_go(call: Recorder, take: Take, *, wait: bool) -> None:
    """The verb or block is left: hand over what has ended; what has not is when the switch says so.

    :param wait: whether it is waited for that the file is at its place.
    """
    handling = take.handling
    if handling is None or handling.handed:
        return
    handling.in_verb = False
    if take.ended.is_set():
        _end(call, take, handling)
        if wait:
            handling.moved.wait(_MOVING)
    elif not take.asked:
        _drop(call, take, handling)


def forsake(call: Recorder) -> None:
    """The call is over, and nothing more will be heard of its recordings: hand over those that are left."""
    for take in call._takes:
        handling = take.handling
        if handling is None or handling.handed:
            continue
        if take.ended.is_set():
            _end(call, take, handling)
        elif take.exists:
            handling.handed = True
            assert call._spool.keeper is not None
            call._spool.keeper.leave(take.recording(over=True), _known(call, take))
        else:
            _drop(call, take, handling)


def _end(call: Recorder, take: Take, handling: Handling) -> None:
    handling.handed = True
    # There it will be: a slow disk is no reason to give a path that will not last.
    spooled, take.place = take.place, day_path(call._spool.folder, take.id)

    def on_moved(here: bool) -> None:
        if not here:
            take.place = spooled
        handling.moved.set()

    assert call._spool.keeper is not None
    call._spool.keeper.end(take.recording(over=call.over), _known(call, take), on_moved)


def _drop(call: Recorder, take: Take, handling: Handling) -> None:
    handling.handed = True
    assert call._spool.keeper is not None
    call._spool.keeper.drop(take.recording(over=call.over), _known(call, take))


def _known(call: Recorder, take: Take) -> Circumstances:
    handlers = getattr(call, "handlers", ())
    handler = type(handlers[-1]) if handlers else None
    cause = call.hangup_cause
    return Circumstances(
        call.uuid,
        "" if handler is None else f"{handler.__module__}.{handler.__qualname__}",
        call.caller,
        call.destination,
        "" if take.handling is None else take.handling.retention,
        "" if cause is None else cause.name,
        take.stopped,
        "the switch threw it away, for no sound was in it" if take.discarded else "",
    )
