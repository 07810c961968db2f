"""An application that runs on while others are executed inside it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from fsivr.esl.messages import Event
from fsivr.esl.waits import Completion

log = logging.getLogger(__name__)

_PLAYED = "FILE PLAYED"
# An application that ends sooner is not repeated (switch_ivr.c, switch_ivr_parse_event).
_SHORTEST_ROUND = 500


class Running(Completion):
    """A repeated application, as background music; what is executed meanwhile nests in it (FACTS 3.4).

    :param repeat: has the next round's end given to it; the switch names every round alike (FACTS 3.1).
    :param interrupt: tells the switch to end what runs.
    :param over: whether the call is over.
    :param limit: seconds that the switch has to end it.
    """

    __slots__ = ("_ended", "_interrupt", "_limit", "_over", "_repeat")

    def __init__(
        self,
        what: str,
        event_uuid: bytes,
        *,
        repeat: Callable[[Running], None],
        interrupt: Callable[[], None],
        over: Callable[[], bool],
        limit: float,
    ) -> None:
        super().__init__(what, [event_uuid])
        self._repeat = repeat
        self._interrupt = interrupt
        self._over = over
        self._limit = limit
        self._ended = False

    def take_event(self, event_uuid: bytes, event: Event) -> None:
        """One round has ended; what cannot be played is not repeated."""
        if self._ended or event.get("Application-Response") != _PLAYED or _milliseconds(event) < _SHORTEST_ROUND:
            self._ended = True
            self._finish()
        else:
            self._repeat(self)

    def stop(self) -> None:
        """End it, and wait until the switch has; does nothing where it has ended by itself."""
        if self._ended or self._over():
            return
        self._ended = True
        self._interrupt()
        if not self.wait(self._limit):
            log.warning("the switch did not end %s within %g s", self.what, self._limit)


def _milliseconds(event: Event) -> int:
    text = event.get("variable_playback_ms") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else _SHORTEST_ROUND
