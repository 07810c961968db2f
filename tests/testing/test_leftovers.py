"""What a test left behind is found and named."""

from __future__ import annotations

import socket

import gevent

from fsivr.testing.leftovers import Leftovers


def test_what_was_there_before_is_not_left_over() -> None:
    known = socket.socket()
    before = Leftovers.now()
    assert before.since() == []
    known.close()


def test_what_ends_by_itself_is_not_left_over() -> None:
    before = Leftovers.now()
    gevent.spawn(gevent.sleep, 0.01)
    assert before.since() == []


def test_what_stays_is_named() -> None:
    before = Leftovers.now()
    kept, running = socket.socket(), gevent.spawn(gevent.sleep, 60)
    try:
        left = before.since()
    finally:
        kept.close()
        running.kill()
    assert len(left) == 2
    assert left[0].startswith("a greenlet: <Greenlet") and "sleep(60)" in left[0]
    assert left[1].startswith("a socket: <")
