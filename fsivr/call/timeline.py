"""Timeline: what a call's handler did and what came of it, noted while the call goes on.

Notes are what is at hand, and are put into words only when they are written, by
``fsivr.call.wording``. A note holds no handler, no event and no secret.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import Any, NamedTuple

from fsivr.errors import FsivrError, Hangup

#: What stands for digits that are a secret: of a length that tells nothing.
MASK = "******"
#: So many notes are kept of a call's beginning, and so many of its end.
FIRST, LAST = 400, 100

_MOST_TRIES = 20
_MOST_KEYED = 128

#: The verb, when it began and ended, what it was given, what came of it, and the tries of a question.
Note = tuple[str, float, float, tuple[Any, ...], dict[str, Any], Any, tuple["Try", ...]]


class Try(NamedTuple):
    """One try of a question: what was keyed or said, what ended it, and whether it came from before the question."""

    said: str
    ended_by: str = ""
    silent: bool = False
    ahead: bool = False


class Failure(NamedTuple):
    """Why a verb did not return: an error by its class, with its text where it is fsivr's; or the end of the call.

    ``answered`` of a bridge, and ``result`` of a recording, tell what there was all the same.
    """

    error: str
    text: str = ""
    over: str = ""
    answered: bool = False
    result: Any = None


class Notes(NamedTuple):
    """The notes of a call, all of them."""

    began: float
    first: list[Note]
    last: deque[Note] | None
    left_out: int


class Timeline:
    """The notes of one call."""

    __slots__ = ("_began", "_first", "_last", "_left_out", "busy", "secret", "tries")

    def __init__(self) -> None:
        #: Whether a verb runs: those that it uses itself are not noted.
        self.busy = False
        #: Whether what is keyed now is a secret.
        self.secret = False
        #: The tries of the question that is asked.
        self.tries: tuple[Try, ...] = ()
        self._began = monotonic()
        self._first: list[Note] = []
        self._last: deque[Note] | None = None
        self._left_out = 0

    def note(self, note: Note) -> None:
        """A verb has come to its end."""
        if len(self._first) < FIRST:
            self._first.append(note)
            return
        if self._last is None:
            self._last = deque(maxlen=LAST)
        self._left_out += len(self._last) == LAST
        self._last.append(note)

    def tried(self, said: str, ended_by: str = "", *, silent: bool, ahead: bool = False) -> None:
        """A question was asked once; of a secret only that there was an answer is kept."""
        if len(self.tries) >= _MOST_TRIES:
            self.tries = self.tries[:-1]
        if self.secret:
            said, ended_by = "" if silent else MASK, ""
        self.tries = (*self.tries, Try(said[:_MOST_KEYED], ended_by, silent, ahead))

    def take(self) -> Notes:
        """All that was noted; what a handler does that goes on all the same is noted elsewhere, and lost."""
        notes = Notes(self._began, self._first, self._last, self._left_out)
        self._first, self._last = [], None
        return notes


def failure(error: BaseException) -> Failure:
    """What is kept of an error: never the error itself, whose traceback holds all that the handler knew."""
    if isinstance(error, Hangup):
        return Failure("" if error.error is None else type(error.error).__name__, over=error.cause.name)
    return Failure(type(error).__name__, str(error) if isinstance(error, FsivrError) else "")
