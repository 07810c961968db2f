"""Recording: what became of a recording, and what is known of one that is under way."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from gevent.event import Event

from fsivr.call.channel import Described, number

_HEADER, _SAMPLE = 44, 2  # bytes, of a WAV file of 16 bits


class CompletionCause(Enum):
    """Why a recording ended."""

    #: The caller pressed a key that ends it.
    TERMINATOR = "terminator"
    #: Nothing was heard for as long as was allowed.
    SILENCE = "silence"
    #: It was as long as it may be.
    LIMIT = "limit"
    #: The call ended.
    HANGUP = "hangup"
    #: It was stopped: the ``with`` block ended, or the handler's patience did.
    STOPPED = "stopped"
    #: The switch could not go on writing, as on a full disk.
    FAILED = "failed"
    #: The connection to the switch was lost, and with it what became of the recording.
    LOST = "lost"

    def __str__(self) -> str:
        return self.name


# With these the switch removes the file (switch_ivr_async.c, record_callback).
_DISCARDED = ("empty-file", "input-too-short")
#: Those after which the recording may lack what was said.
_CUT_OFF = (CompletionCause.LIMIT, CompletionCause.FAILED, CompletionCause.LOST)


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound file that was made of a call."""

    #: Made up for it; part of the file's name.
    id: str
    #: The file, as the switch sees it; where recordings are kept, in ``spool/`` until it has ended.
    path: str
    #: When it began, by the switch's clock.
    started: datetime
    #: Its length in seconds: 0.0 where no sound came from the caller, and while it is not known.
    duration: float
    #: Why it ended; None while it goes on.
    completion: CompletionCause | None
    #: Whether it may lack what was said: it met its limit, could not be written on, the connection
    #: was lost, or its file is on this machine and shorter than ``duration``.
    truncated: bool
    #: 1, or 2 where the caller and the other side have one each.
    channels: int
    #: When the caller was told of it or agreed to it; None where ``call.consent`` was not.
    consent: datetime | None
    #: What was masked in it, as seconds from its beginning; infinity where its end is not known.
    masked: tuple[tuple[float, float], ...] = ()


@dataclass(slots=True)
class Handling:
    """How far the keeper of a recording has it."""

    retention: str
    #: Whether its verb or block goes on.
    in_verb: bool = True
    #: Whether the keeper knows that it began.
    told: bool = False
    #: Whether the keeper has it.
    handed: bool = False
    #: Set when its file is where it stays.
    moved: Event = field(default_factory=Event)


class Take:
    """A recording under way, as the switch's events tell of it (FACTS 7.1, 7.2).

    :param limit: seconds that it may last; None where nothing limits it.
    """

    def __init__(self, id: str, path: str, channels: int, consent: datetime | None, limit: int | None = None) -> None:
        self.id = id
        #: The file that the switch writes.
        self.path = path
        #: Where it is to be found.
        self.place = path
        #: Set when the switch has said that it ended.
        self.ended = Event()
        #: Whether the connection broke before the switch could say that it began.
        self.unknown = False
        #: Whether the switch was asked to record.
        self.asked = False
        #: When it ended, by the switch's clock.
        self.stopped: datetime | None = None
        #: Whether the switch threw the file away.
        self.discarded = False
        #: How far its keeper has it; None where nobody keeps it.
        self.handling: Handling | None = None
        self._channels = channels
        self._consent = consent
        self._limit = limit
        self._asked = self._began = 0
        self._asked = time.time_ns() // 1000
        self._milliseconds = self._samples = 0
        self._completion: CompletionCause | None = None
        self._short = False
        self._masked: list[tuple[int, float]] = []
        self._paused: list[tuple[int, float]] = []

    @property
    def exists(self) -> bool:
        """Whether there is a file, or may be."""
        return bool(self._began) or self.ended.is_set() or self.unknown

    @property
    def completion(self) -> CompletionCause | None:
        """Why it ended; None while it goes on."""
        return self._completion

    # -- what the switch says: on the hub, must not block ------------------------------------

    def begin(self, event: Described) -> None:
        """``RECORD_START`` is here."""
        self._began = self._began or micros(event)

    def end(self, event: Described) -> None:
        """``RECORD_STOP`` is here, or the end of the application; the first one counts."""
        if self.ended.is_set():
            return
        self._milliseconds = number(event.get("variable_record_ms"))
        self._samples = number(event.get("variable_record_samples"))
        size = number(event.get("variable_record_file_size"))
        self._short = 0 < size < self._size
        self._completion = self._cause(event)
        self.stopped = moment(micros(event)) if micros(event) else datetime.now(UTC)
        self.discarded = event.get("Record-Completion-Cause") in _DISCARDED
        self.ended.set()

    def fail(self) -> None:
        """It could not be written to its end."""
        self._completion = CompletionCause.FAILED

    def _cause(self, event: Described) -> CompletionCause:
        if self._limit is None:
            if event.get("Record-Completion-Cause") == "uri-failure":
                return CompletionCause.FAILED
        elif event.get("variable_playback_terminator_used"):
            return CompletionCause.TERMINATOR
        elif event.get("variable_silence_hits_exhausted") == "true":
            return CompletionCause.SILENCE
        if event.get("Answer-State") == "hangup":
            return CompletionCause.HANGUP
        lasted = micros(event) - self._began if self._began else self._milliseconds * 1000
        if self._limit is not None and lasted >= self._limit * 1_000_000:
            return CompletionCause.LIMIT
        return CompletionCause.STOPPED

    # -- what the handler does ---------------------------------------------------------------

    def leave_out(self, since: int, until: float, *, masked: bool) -> None:
        """Between these moments it was masked, or paused.

        :param since: in microseconds of the switch's clock.
        :param until: so too; infinity for its end.
        """
        (self._masked if masked else self._paused).append((since, until))

    def measure(self) -> None:
        """Look at the file, where it is on this machine."""
        try:
            size = os.stat(self.place).st_size
        except OSError:
            return
        self._short = self._short or size < self._size

    def recording(self, *, over: bool) -> Recording:
        """What is known of it.

        :param over: whether nothing more will come of the call.
        """
        completion = self._completion
        if over and completion is None:
            completion = CompletionCause.LOST
        return Recording(
            self.id,
            self.place,
            moment(self._began or self._asked),
            self._milliseconds / 1000,
            completion,
            completion in _CUT_OFF or self._short,
            self._channels,
            self._consent,
            tuple((self._place(since), self._place(until)) for since, until in self._masked),
        )

    @property
    def _size(self) -> int:
        return _HEADER + self._samples * self._channels * _SAMPLE

    def _place(self, at: float) -> float:
        """The second of the file that a moment is at: what was paused is not in it."""
        paused = sum(max(0, min(until, at) - since) for since, until in self._paused)
        place = max(0, at - (self._began or self._asked) - paused) / 1_000_000
        return round(min(place, self._milliseconds / 1000) if self._completion is not None else place, 3)


def moment(at: int) -> datetime:
    """A moment in UTC, of microseconds since the epoch."""
    return datetime.fromtimestamp(at / 1_000_000, UTC)


def micros(event: Described) -> int:
    """When the switch sent an event, in microseconds since the epoch."""
    return number(event.get("Event-Date-Timestamp"))
