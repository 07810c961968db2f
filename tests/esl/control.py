"""What the tests of the outbound session share: its limits, its verbs, a switch that plays all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fsivr.esl.orders import Limits
from tests.esl.peer import OK, Peer, complete
from tests.esl.switch_rules import Packet

#: Longer than any test may take: where a test ends, it was not because a limit of these ran out.
LONG = Limits(reply=60.0, probe=60.0, verb=60.0)


SHORT = Limits(reply=0.05, probe=0.05, verb=60.0)

Open = Callable[..., tuple[Any, Peer]]

WAITS: dict[str, Callable[[Any], Any]] = {
    "execute": lambda session: session.execute("playback", "a.wav"),
    "execute_all": lambda session: session.execute_all([("playback", "a.wav"), ("playback", "b.wav")]),
    "api": lambda session: session.api("status"),
    "set_variable": lambda session: session.set_variable("a", "b"),
    "fetch_variable": lambda session: session.fetch_variable("a"),
}


def plays(peer: Peer, packet: Packet) -> Any:
    """Every application ends at once."""
    return OK + complete(packet) if packet.get("execute-app-name") else NotImplemented


def raised_by(function: Callable[[], Any]) -> BaseException:
    try:
        function()
    except BaseException as error:
        return error
    pytest.fail("it raised nothing")
