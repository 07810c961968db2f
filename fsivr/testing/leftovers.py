"""What a test could leave behind: greenlets that run on, sockets that stay open."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator

import gevent
from gevent.socket import socket as GeventSocket

# Real seconds that what is ending may take.
_PATIENCE = 1.0


class Leftovers:
    """The greenlets and sockets there are at one time.

    :param known: their ids; the things are held so that no id is used again.
    """

    def __init__(self, known: list[object]) -> None:
        self._known = {id(thing): thing for thing in known}

    @classmethod
    def now(cls) -> Leftovers:
        """What there is now."""
        return cls(list(_live()))

    def since(self) -> list[str]:
        """What has come since and does not go, in words."""
        deadline = time.monotonic() + _PATIENCE
        while left := [thing for thing in _live() if id(thing) not in self._known]:
            if time.monotonic() > deadline:
                return sorted(_name(thing) for thing in left)
            del left
            gc.collect()
            gevent.sleep(0.01)
        return []


def _live() -> Iterator[object]:
    here = gevent.getcurrent()
    for thing in gc.get_objects():
        kind = type(thing)  # isinstance would wake lazy proxies
        if issubclass(kind, gevent.Greenlet):
            if not thing.dead and thing is not here and (thing.started or thing.gr_frame is not None):
                yield thing
        elif issubclass(kind, GeventSocket) and thing.fileno() != -1:
            yield thing


def _name(thing: object) -> str:
    if isinstance(thing, gevent.Greenlet):
        return f"a greenlet: {thing!r}"
    return f"a socket: {thing!r}"
