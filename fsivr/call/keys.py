"""The keys that a caller presses: kept for the next question, and told as they are pressed."""

from __future__ import annotations

import logging
import re
from bisect import insort
from collections import deque
from collections.abc import Callable

import gevent
from gevent import getcurrent

from fsivr.call.channel import Described, number
from fsivr.call.session import Session
from fsivr.errors import Hangup
from fsivr.whose import about

log = logging.getLogger(__name__)

#: The keys of a telephone.
ALL = "0123456789*#ABCD"
KEYS = re.compile(r"[0-9*#A-D]+")

_MOST_KEPT = 256
_RECENT = 32


class Keypad:
    """What the caller keys, as the switch's DTMF events tell it.

    They come in the order in which the digits were taken, whatever took them (FACTS 4.1).
    """

    def __init__(self, session: Session) -> None:
        #: Whether keys are kept for the next question.
        self.kept = False
        #: Whether a sensitive question is being asked: what is keyed is not looked at.
        self.secret = False
        #: Who is told of each key.
        self.listener: Listener | None = None
        self._typed: list[tuple[int, str]] = []  # by the event's number
        self._settled = 0  # of what was keyed up to this event, all is accounted for
        self._recent: deque[int] = deque(maxlen=_RECENT)
        self._cancel = session.watch("DTMF", self._on_digit)

    def close(self) -> None:
        """Look at keys no longer."""
        self._cancel()

    def take(self, most: int, terminator: str) -> tuple[str, str]:
        """Up to so many of the keys that were typed ahead, and the terminator that ended them."""
        keyed = ""
        while self._typed and len(keyed) < most:
            _, key = self._typed.pop(0)
            if key in terminator:
                return keyed, key
            keyed += key
        return keyed, ""

    def settle(self, completion: Described | None, taken: str) -> None:
        """The switch collected these keys: of those pressed before its completion, the last ones are they."""
        at = _number(completion)
        earlier = [key for number, key in self._typed if number <= at]
        # An event may be late, or, of a secret's last key, there may be none.
        place = len(earlier)
        for key in reversed(taken):
            if key in earlier[:place]:
                place = max(at for at, known in enumerate(earlier[:place]) if known == key)
                del earlier[place]
        kept = [(at, key) for key in [*earlier, *taken]]
        self._typed = kept + [pair for pair in self._typed if pair[0] > at]
        self._settled = max(self._settled, at)

    def forget(self, completion: Described | None = None) -> None:
        """Forget what was keyed, up to the end of an application where one is given."""
        at = self._typed[-1][0] if completion is None and self._typed else _number(completion)
        self._typed = [pair for pair in self._typed if pair[0] > at]
        self._settled = max(self._settled, at)

    def use(self, key: str) -> None:
        """A key that was kept has had its effect."""
        for place in reversed(range(len(self._typed))):
            if self._typed[place][1] == key:
                del self._typed[place]
                return

    def _on_digit(self, event: Described) -> None:
        key, at = event.get("DTMF-Digit") or "", _number(event)
        if self.secret or len(key) != 1 or key not in ALL or at in self._recent:
            return
        self._recent.append(at)
        if self.listener is not None:
            self.listener.put(key)
        if self.kept and at > self._settled and len(self._typed) < _MOST_KEPT:
            insort(self._typed, (at, key))


class Listener:
    """Calls a function with each key, in order, on a greenlet that is there only while there are keys.

    :param name: the call, for the log.
    """

    def __init__(self, function: Callable[[str], object], session: Session, name: str) -> None:
        self._function = function
        self._name = name
        self._keys: deque[str] = deque()
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._cancel = session.when_over(self.close)

    def put(self, key: str) -> None:
        """A key was pressed."""
        self._keys.append(key)
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._run)

    def retire(self) -> None:
        """Nothing more will come: the keys that did are told still, unless it is the function that says so."""
        if self._greenlet is None or self._greenlet is getcurrent():
            self._keys.clear()
            self._cancel()

    def close(self) -> None:
        """Call it no more, and break off the call that is going on."""
        self._cancel()
        self._keys.clear()
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is not None and greenlet is not getcurrent():
            greenlet.kill(block=False)

    def _run(self) -> None:
        about(self._name)  # spawned by the hub
        try:
            while self._keys:
                try:
                    self._function(self._keys.popleft())
                except (Hangup, gevent.GreenletExit):
                    break
                except BaseException:  # a gevent.Timeout must not end what follows
                    log.exception("call %s: what on_digit calls failed", self._name)
        finally:
            self._greenlet = None


def _number(event: Described | None) -> int:
    """The number of an event, which counts up on the switch; 0 where it has none."""
    return 0 if event is None else number(event.get("Event-Sequence"))
