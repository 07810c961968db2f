"""OngoingRecording: a recording that goes on while the handler does other things."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from gevent.event import Event

from fsivr.call.channel import number
from fsivr.call.recording import Recording, Take
from fsivr.call.session import Session
from fsivr.call.spool import order
from fsivr.errors import CommandRefused, Hangup, RecordingError

# Seconds that the switch has to close the file and say so.
_CLOSING = 5.0
# The switch writes 25 frames behind by default, and what is unmasked then was said half a
# second before (FACTS 7.14).
_FRAMES_BEHIND = 1


class OngoingRecording:
    """A recording under way: what ``with call.recording()`` gives."""

    def __init__(self, session: Session, take: Take) -> None:
        self._session = session
        self._take = take
        self._depth = 0
        self._asked = False
        self._since: dict[str, int] = {}

    @property
    def id(self) -> str:
        """Made up for it; part of the file's name."""
        return self._take.id

    @property
    def path(self) -> str:
        """The file, as the switch sees it."""
        return self._take.place

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return not (self._take.ended.is_set() or self._session.over)

    @property
    def result(self) -> Recording:
        """What is known of it by now; all there is once its block has been left."""
        return self._take.recording(over=self._session.over)

    def pause(self) -> None:
        """Leave out what follows: the file goes on where it was after ``resume``.

        :raises RecordingError: it is over.
        """
        self._begin("pause")

    def resume(self) -> None:
        """Record again after ``pause``.

        :raises RecordingError: it is over.
        """
        self._end("pause", "resume")

    def mask(self) -> None:
        """Put silence in place of what follows.

        :raises RecordingError: it is over.
        """
        self._asked = True
        self._begin("mask")

    def unmask(self) -> None:
        """Record what follows again after ``mask``.

        :raises RecordingError: it is over.
        """
        self._asked = False
        if not self._depth:
            self._end("mask", "unmask")

    @contextmanager
    def masked(self) -> Iterator[None]:
        """A ``with`` block of which the recording holds silence.

        :raises RecordingError: it is over.
        """
        self._depth += 1
        try:
            self._begin("mask")
            yield
        finally:
            self._depth -= 1
            if not (self._depth or self._asked) and self.active:
                self._end("mask", "unmask")

    # -- how it works ---------------------------------------------------------------------

    def start(self, *, stereo: bool) -> None:
        """Have the switch begin it.

        :raises RecordingError: it cannot.
        """
        self._session.post(
            "uuid_setvar_multi",
            f"{self._session.uuid} RECORD_STEREO={str(stereo).lower()};RECORD_MIN_SEC=0;"
            f"RECORD_PRE_BUFFER_FRAMES={_FRAMES_BEHIND}",
        )
        try:
            order(self._session, "start", self._take.path)
        except Hangup as hangup:
            self._take.unknown = hangup.error is not None
            raise

    def finish(self) -> None:
        """Have the switch end it, and see the file closed; raises nothing, also where the call is over."""
        lost = False
        if self.active:
            try:
                self._session.api("uuid_record", f"{self._session.uuid} stop {self._take.path}")
            except CommandRefused:
                pass  # it has ended by itself
            except Hangup as hangup:
                lost = hangup.error is not None
        if not lost:
            self._await_end()
        for what in list(self._since):
            self._left_out(what, inf)
        self._take.measure()

    def _await_end(self) -> None:
        """See ``RECORD_STOP`` come in, which is sent after the hangup and before the call's last event (FACTS 7.2)."""
        woken = Event()
        forget = self._session.when_over(woken.set)
        self._take.ended.rawlink(lambda ended: woken.set())
        try:
            if not self._session.over:
                woken.wait(_CLOSING)
        finally:
            forget()
        if self._session.over and not self._take.ended.is_set():
            self._session.await_end(_CLOSING)

    def _begin(self, what: str) -> None:
        self._check()
        if what in self._since:
            return
        # Before it is asked for: where the wait for the answer is broken off, it is to be taken back.
        self._since[what] = now(self._session)
        try:
            order(self._session, what, self._take.path)
        except RecordingError:
            del self._since[what]
            raise

    def _end(self, what: str, action: str) -> None:
        self._check()
        if what in self._since:
            order(self._session, action, self._take.path)
            self._left_out(what, now(self._session))

    def _left_out(self, what: str, until: float) -> None:
        self._take.leave_out(self._since.pop(what), until, masked=what == "mask")

    def _check(self) -> None:
        if self._take.ended.is_set():
            raise RecordingError(f"the recording {self.path} is over")


def now(session: Session) -> int:
    """The time by the switch's clock, in microseconds since the epoch (mod_dptools.c, strmicroepoch)."""
    return number(session.api("strmicroepoch").strip()) or time.time_ns() // 1000
