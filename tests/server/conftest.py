"""A server for each test, and a check that nothing is left of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from fsivr import Dialplan, Extension
from fsivr.config import Settings
from fsivr.server import Server
from tests.leaks import left, nothing_more_than
from tests.server.serving import LONG, Serve, Serving


@pytest.fixture
def serve() -> Iterator[Serve]:
    before, made = left(), []

    def make(handler: type[Any] | Dialplan, **settings: Any) -> Serving:
        dialplan = handler if isinstance(handler, Dialplan) else Dialplan([Extension(".*", handler)])
        # The smallest values that settings allow are still too long for a test.
        checked = dataclasses.replace(Settings.defaults(listen="127.0.0.1:0"), **{**LONG, **settings})
        made.append(Serving(Server(dialplan, checked)))
        return made[-1]

    yield make
    for serving in made:
        for peer in serving.peers:
            peer.close()
        assert serving.idle()
        serving.server.stop(0)
        assert serving.server.calls == []
    nothing_more_than(before)
