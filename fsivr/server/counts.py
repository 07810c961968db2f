"""What a server counts of itself from its start on; one small object, told once a second."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fsivr.call.timeline import Notes
from fsivr.causes import HangupCause
from fsivr.durations import OTHER, Durations
from fsivr.server.refusal import Reason
from fsivr.server.watchdog import Block

#: What is asked of the switch on a call's connection; anything else is counted as other.
COMMANDS = (
    *("connect", "execute", "conference", "fifo", "module_exists", "sched_api", "strmicroepoch"),
    *("uuid_exists", "uuid_getvar", "uuid_record", "uuid_setvar"),
)
#: What a call's timeline tells of.
VERBS = (
    *("answer", "ask", "bridge", "conference", "confirm", "consent", "deadline", "detect_machine", "dial_many"),
    *("execute", "flush", "hand_over", "hangup", "interruptible", "invoke", "listen", "menu", "music", "on_digit"),
    *("api", "originate", "park", "play", "queue", "record", "recording", "serve_queue", "set_variable", "sleep"),
    *("transfer", "unpark"),
)
# Seconds. A reply is due at once, a verb takes as long as the caller is heard or listens.
_OF_REPLIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_OF_VERBS = (0.01, 0.05, 0.25, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0)
# Lines of code that are told apart: each is a series of its own in the metrics.
_MOST_PLACES = 20
_MOST_WHERE = 200


class Counts:
    """All that a server counts."""

    def __init__(self) -> None:
        #: Calls that handlers took, and handlers that would not leave a finished one.
        self.taken = self.abandoned = 0
        #: Calls refused, by why.
        self.refused: dict[Reason, int] = dict.fromkeys(Reason, 0)
        #: Calls that ended, by their cause; those that were refused are not among them.
        self.causes: Counter[HangupCause] = Counter()
        #: How long the switch took to answer commands.
        self.replies = Durations(COMMANDS, _OF_REPLIES)
        #: How long verbs took.
        self.verbs = Durations(VERBS, _OF_VERBS)
        self._places: dict[str, list[float]] = {}

    def ended(self, cause: HangupCause | None) -> None:
        """A call is over."""
        self.causes[HangupCause.NONE if cause is None else cause] += 1

    def blocked(self, block: Block) -> None:
        """The loop stood still."""
        where = block.where[-_MOST_WHERE:]
        if where not in self._places and len(self._places) >= _MOST_PLACES:
            where = OTHER
        place = self._places.setdefault(where, [0, 0.0])
        place[0] += 1
        place[1] += block.seconds

    def noted(self, notes: Notes) -> None:
        """A call's timeline is whole."""
        took = self.verbs.took
        for note in notes.first:
            took(note[0], note[2] - note[1])
        for note in notes.last or ():
            took(note[0], note[2] - note[1])

    def told(self) -> dict[str, Any]:
        """All of it, for JSON; ``fsivr.api.counted`` reads it."""
        return {
            "refused": {reason.value: many for reason, many in self.refused.items()},
            "causes": {cause.name: many for cause, many in self.causes.items()},
            "blocked": {where: [many, round(seconds, 3)] for where, (many, seconds) in self._places.items()},
            "replies": self.replies.told(),
            "verbs": self.verbs.told(),
        }
