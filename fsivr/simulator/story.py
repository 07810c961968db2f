"""The call in the words of its test: what happened when, and what a failure says about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

# So many moments of a long call are shown at its beginning, and as many at its end.
_SHOWN = 20


class CallFailed(AssertionError):
    """The call did not go the way its test says; the message tells the call so far."""


class Unheard(CallFailed):
    """The caller did not hear what the test expected."""


class Moment(NamedTuple):
    """One thing that happened in a call."""

    #: Seconds since the call began.
    time: float
    text: str

    def __str__(self) -> str:
        return f"{clock_text(self.time)}  {self.text}"


class Story:
    """What happened in a call, in order."""

    def __init__(self, title: str, now: Callable[[], float]) -> None:
        self.title = title
        self.moments: list[Moment] = []
        #: Called with each moment as it happens.
        self.listeners: list[Callable[[Moment], None]] = []
        self._now = now
        self._began = now()

    def begin(self) -> None:
        """Count time from now on."""
        self._began = self._now()

    def tell(self, text: str) -> int:
        """Add what happens now; its place in the story."""
        moment = Moment(self._now() - self._began, text)
        self.moments.append(moment)
        for listener in list(self.listeners):
            listener(moment)
        return len(self.moments) - 1

    def lines(self) -> list[str]:
        """The story, one line a moment: ``0:02.2  dials 123456``."""
        return [str(moment) for moment in self.moments]

    def failure(self, message: str, *, at: int | None = None, note: str = "") -> str:
        """A failure's message, with the call so far.

        :param at: the place of the moment that was wrong; it gets a mark and ``note``.
        """
        told = [message, "", f"The call so far ({self.title}):"]
        lines = self.lines()
        end = len(lines) if at is None else at
        for place, line in enumerate(lines):
            wrong = place == at
            if _SHOWN <= place < end - _SHOWN:
                if place == _SHOWN:
                    told.append(f"  ... {end - 2 * _SHOWN} more ...")
            else:
                told.append(f"{'>' if wrong else ' '} {line}{'   <-- ' + note if wrong and note else ''}")
        if at is None:
            told.append(f"> {clock_text(self._now() - self._began)}  {note}" if note else "")
        return "\n".join(told).rstrip()


def clock_text(seconds: float) -> str:
    """Seconds as minutes and seconds: ``1:02.5``."""
    tenths = round(max(0.0, seconds) * 10)
    return f"{tenths // 600}:{tenths % 600 // 10:02d}.{tenths % 10}"


def listed(words: list[str]) -> str:
    """Words as a sentence has them: ``'a', 'b' and 'c'``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
