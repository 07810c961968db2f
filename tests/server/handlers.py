"""Handlers that remember what was called, and calls to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gevent.event import Event as Flag

from fsivr import (
    Call,
    Handler,
)
from tests.esl.peer import OK, UUID, Peer, api_response, complete, hangup
from tests.esl.switch_rules import Packet
from tests.leaks import left, nothing_more_than, until
from tests.server.serving import Serve, Serving


def plays(peer: Peer, packet: Packet) -> Any:
    """A switch that plays anything but "long" at once, and hangs up when it is told to."""
    if packet.get("execute-app-name"):
        return OK if "long" in (packet.get("execute-app-arg") or "") else OK + complete(packet)
    if "uuid_kill" in packet.command:
        return api_response("+OK\n") + hangup(packet.command.rpartition(" ")[2])
    return NotImplemented


def kills(peer: Peer) -> list[str]:
    """The causes that the switch was told to hang up with."""
    return [one.command.removeprefix(f"api uuid_kill {UUID} ") for one in peer.commands if "uuid_kill" in one.command]


class Watched(Handler):
    """Remembers what was called."""

    seen: list[Any]

    def on_error(self, call: Call, error: BaseException) -> None:
        self.seen.append(error)

    def on_hangup(self, call: Call) -> None:
        self.seen.append(call.hangup_cause)


def watched(run: Callable[[Call], Any], **methods: Any) -> type[Watched]:
    """A handler class with this ``run``."""
    return type("Watching", (Watched,), {"run": lambda self, call: run(call), "seen": [], **methods})


def talk(serve: Serve, run: Callable[[Call], Any], **settings: Any) -> tuple[Serving, Peer, list[Any]]:
    """A call to a handler, up to its end."""
    kind = watched(run)
    serving = serve(kind, **settings)
    peer = serving.call(plays)
    assert serving.settled()
    assert peer.wait_end(10)
    return serving, peer, kind.seen


def never_leaves(entered: Flag, release: Flag) -> Callable[[Call], None]:
    """A handler's run that swallows all and never comes to a verb again, until it is released."""

    def run(call: Call) -> None:
        call.answer()
        entered.set()
        while not release.is_set():
            try:  # noqa: SIM105
                release.wait(0.02)
            except BaseException:
                pass

    return run


def raising(error: BaseException) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        call.answer()
        raise error

    return run


# -- when the caller leaves ------------------------------------------------------------------------


def leaving(serve: Serve, run: Callable[[Call], Any], **settings: Any) -> tuple[Serving, Peer, list[Any]]:
    """A call whose caller hangs up while the handler is in its second prompt."""
    kind = watched(run)
    serving = serve(kind, **settings)
    before = left()
    peer = serving.call(plays)
    assert until(lambda: any("long" in (one.get("execute-app-arg") or "") for one in peer.executed))
    peer.send(hangup("ORIGINATOR_CANCEL"))
    assert serving.settled()
    assert peer.wait_end(10)
    peer.close()
    nothing_more_than(before)  # not even a handler that had to be left behind, which might call a hook again
    return serving, peer, kind.seen
