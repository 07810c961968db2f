"""What a test could leave behind: greenlets, sockets, ports in use."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import gevent
from greenlet import greenlet


class Left(NamedTuple):
    """What is there now."""

    greenlets: list[str]
    sockets: int


def left() -> Left:
    """The live greenlets, by what they run, and how many sockets are open."""
    live = []
    for thing in gc.get_objects():
        if issubclass(type(thing), gevent.Greenlet):  # isinstance would ask proxies for their class
            if not thing.dead and thing.started:
                live.append(repr(thing))
        elif type(thing) is greenlet and thing.gr_frame is not None:
            where = thing.gr_frame.f_code.co_qualname
            if not where.startswith("_WorkerGreenlet"):  # a thread that looks up names, of gevent's pool
                live.append(f"greenlet in {where}")
    return Left(sorted(live), _sockets())


def nothing_more_than(before: Left, seconds: float = 5.0) -> None:
    """Fail unless all that came since has gone, or goes within so many seconds."""
    if _more(before) == Left([], 0):
        return
    gc.collect()  # what only a cycle still holds is not left behind
    until(lambda: _more(before) == Left([], 0), seconds)
    assert _more(before) == Left([], 0)


def until(condition: Callable[[], object], seconds: float = 5.0) -> bool:
    """Whether a condition came true within so many seconds; returns as soon as it does."""
    with gevent.Timeout(seconds, False):
        while not condition():
            gevent.sleep(0.005)
        return True
    return bool(condition())


def _more(before: Left) -> Left:
    now = left()
    more = Counter(_kind(one) for one in now.greenlets) - Counter(_kind(one) for one in before.greenlets)
    return Left(sorted(more.elements()), max(0, now.sockets - before.sockets))


def _kind(name: str) -> str:
    # Without the greenlet's number and address.
    return " ".join(word for word in name.split(" ") if "0x" not in word and "Greenlet-" not in word)


def _sockets() -> int:
    folder, count = "/proc/self/fd", 0
    for name in os.listdir(folder):
        try:
            count += os.readlink(f"{folder}/{name}").startswith("socket:")
        except OSError:  # it was the listing's own
            continue
    return count
