"""A group of calls: placed at a pace, so many at once, each reported as it is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, cast

import gevent
from gevent.lock import Semaphore
from gevent.queue import Queue

from fsivr.call.dialled import Dial, Dialled, DialResult
from fsivr.call.placing import Dialler, DialOptions
from fsivr.errors import ESLError

# How often a call that is up is asked after, in seconds. An event of its end would have to be
# subscribed for all channels, or filtered on this connection, and be missed with it.
_ASK = 1.0
_END = object()


class Clocked(Dialler, Protocol):
    """What places calls, and knows the time."""

    def now(self) -> float:
        """Seconds of a clock that never goes back."""

    def rest(self, seconds: float) -> None:
        """Wait."""


class Group:
    """Calls to be placed; iterate over it once.

    :param limit: seconds after which a call is taken for ended, where the switch cannot be asked.
    """

    def __init__(
        self,
        switch: Clocked,
        calls: Iterable[str | Dial],
        handler: type[Any] | None,
        concurrency: int,
        per_second: float,
        limit: float,
        options: DialOptions,
    ) -> None:
        if not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 1:
            raise ValueError(f"concurrency is a whole number from 1 on, not {concurrency!r}")
        if not 0 < per_second <= 1000:
            raise ValueError(f"per_second is a number above 0 and up to 1000, not {per_second!r}")
        if isinstance(calls, str):
            raise TypeError(f"calls is several destinations, as ['user/1000'], not the one {calls[:80]!r}")
        unknown = set(options) - DialOptions.__optional_keys__
        if unknown:
            raise TypeError(f"dial_many has no option {', '.join(sorted(unknown))}")
        self._switch = switch
        self._calls = iter(calls)
        self._handler = handler
        self._gap = 1 / per_second
        self._limit = limit
        self._options = options
        self._slots = Semaphore(concurrency)
        self._known: Queue[object] = Queue()
        self._under_way: set[gevent.Greenlet[..., None]] = set()

    def __iter__(self) -> Iterator[Dialled]:
        placing = gevent.spawn(self._place)
        try:
            while (one := self._known.get()) is not _END:
                if isinstance(one, BaseException):
                    raise one
                yield cast(Dialled, one)
        finally:
            placing.kill()
            gevent.killall(list(self._under_way))

    def _place(self) -> None:
        """Take one call after the other, when there is a slot for it and its time has come."""
        switch = self._switch
        try:
            due = switch.now()
            while True:
                self._slots.acquire()
                wait = due - switch.now()
                if wait > 0:
                    switch.rest(wait)
                one = next(self._calls, None)
                if one is None:
                    break
                due = max(due, switch.now()) + self._gap
                greenlet = gevent.spawn(self._see_through, one)
                self._under_way.add(greenlet)
                greenlet.link(self._under_way.discard)
            gevent.joinall(list(self._under_way))
        except Exception as error:  # noqa: BLE001  of the iterable: for who iterates
            self._known.put(error)
        self._known.put(_END)

    def _see_through(self, one: str | Dial) -> None:
        """Place one call, report it, and keep its slot until it has ended."""
        try:
            dialled = self._dialled(one)
            self._known.put(dialled)
            if dialled.answered:
                self._await_end(dialled.uuid)
        finally:
            self._slots.release()

    def _dialled(self, one: str | Dial) -> Dialled:
        to = one.to if isinstance(one, Dial) else one
        try:
            dial = one if isinstance(one, Dial) else Dial(to=one)
            handler = dial.handler or self._handler
            if handler is None:
                raise TypeError("neither the group nor this call of it has a handler")
            own = {name: getattr(dial, name) for name in DialOptions.__optional_keys__}
            given = {name: value for name, value in own.items() if value is not None}
            options = cast(DialOptions, {**self._options, **given})
            return self._switch.originate(dial.to, handler, **options)
        except Exception as error:  # noqa: BLE001  one failure must not stop the others
            cause = error.hangup_cause if isinstance(error, ESLError) else None
            return Dialled(str(to), DialResult.FAILED, cause, error=error)

    def _await_end(self, call_uuid: str) -> None:
        until = self._switch.now() + self._limit
        while self._switch.now() < until:
            self._switch.rest(_ASK)
            try:
                if self._switch.api("uuid_exists", call_uuid).strip() != "true":
                    return
            except ESLError:
                continue  # asked again, when the switch can be reached
