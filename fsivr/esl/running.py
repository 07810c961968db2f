"""An application that runs on while others are executed inside it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from fsivr.esl.messages import Event
from fsivr.esl.waits import Alarm, Completion

log = logging.getLogger(__name__)

_PLAYED = "FILE PLAYED"
_FAILED = ("FILE NOT FOUND", "PLAYBACK ERROR")
# An application that ends sooner is not repeated (switch_ivr.c, switch_ivr_parse_event).
_SHORTEST_ROUND = 500
# The switch ends an application within a tick of 20 ms.
_SOON = 0.5


class Running(Completion):
    """A repeated application, as background music; what is executed meanwhile nests in it (FACTS 3.4).

    :param once: whether it is run once, so that its first end is its last.
    :param registry: where ends are looked up by id; the switch names every round alike (FACTS 3.1).
    :param interrupt: tells the switch to end what runs.
    :param looping: asks the switch whether it is repeating something.
    :param over: whether the call is over.
    :param limit: seconds that the switch has to end it.
    """

    __slots__ = (
        "_breaking",
        "_doubtful",
        "_ended",
        "_gone",
        "_id",
        "_interrupt",
        "_limit",
        "_looping",
        "_once",
        "_over",
        "_registry",
        "_said",
    )

    def __init__(
        self,
        what: str,
        event_uuid: bytes,
        *,
        once: bool,
        registry: dict[bytes, Completion],
        interrupt: Callable[[], None],
        looping: Callable[[], bool],
        over: Callable[[], bool],
        limit: float,
    ) -> None:
        super().__init__(what, [event_uuid])
        self._id = event_uuid
        self._once = once
        self._registry = registry
        self._interrupt = interrupt
        self._looping = looping
        self._over = over
        self._limit = limit
        self._breaking = self._doubtful = self._ended = self._gone = False
        self._said = ""
        registry[event_uuid] = self

    def take_event(self, event_uuid: bytes, event: Event) -> None:
        """One round has ended; what cannot be played is not repeated."""
        if self._gone:
            return
        self._said = event.get("Application-Response") or ""
        if self._once or self._said in _FAILED:
            self._ended = True
            self._finish()
        elif self._breaking:
            self._finish()
        else:
            # A round is as long as what ran inside it, too, which its own time does not tell:
            # whether a short one is repeated is known only when its next round ends.
            self._doubtful = self._said != _PLAYED or _milliseconds(event) < _SHORTEST_ROUND
            self._registry[self._id] = self

    def broken(self) -> None:
        """The switch was told to end whatever runs in the call, this too, and to drop what waits: nothing may come."""
        self._breaking = self._doubtful = True

    def lost(self) -> None:
        """The call was taken from where this ran."""
        self._ended = self._gone = True
        self._said = ""

    def stop(self) -> str:
        """End it, and wait until the switch has; what the switch said of its last round, ``""`` for nothing.

        :raises Hangup: the call ended meanwhile.
        """
        alarm = Alarm(self._limit)
        round_ended = False
        while not (self._ended or self._over()):
            if not self.finished:
                self._breaking = True
                self._interrupt()
            if self.wait(min(self._limit, _SOON)):
                round_ended = True
                self._look_again()
            elif self._doubtful:
                self._ended = True
            elif round_ended:  # the switch tells of a round's end before it is done with the loop
                self._ended = not self._looping()
            if not self._ended and alarm.left <= 0:
                log.warning("the switch did not end %s within %g s", self.what, self._limit)
                self._ended = True
        self._registry.pop(self._id, None)
        return self._said

    def _look_again(self) -> None:
        """See whether the round that ended was the last.

        It may have ended by itself as it was told to end, and the next have begun: what is
        executed then would undo the order (``switch_core_session_exec`` clears ``CF_BREAK``).
        """
        self.finished = False
        self._registry[self._id] = self
        self._ended = not self._looping()


def _milliseconds(event: Event) -> int:
    text = event.get("variable_playback_ms") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else _SHORTEST_ROUND
