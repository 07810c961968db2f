"""What the server writes of each call."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fsivr import Call, Dialplan, Extension, Handler, PromptError
from fsivr.config import Settings
from fsivr.server import Server
from fsivr.simulator import Switch
from fsivr.store import Journal, Store
from fsivr.store.rows import calls_lost
from tests.leaks import until
from tests.store.calls import began


class Answering(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        call.play("welcome")


class Failing(Handler):
    def run(self, call: Call) -> None:
        if call.destination == "2000":
            raise PromptError("no such file")
        raise ValueError("customer 4711")


class HandingOver(Handler):
    def run(self, call: Call) -> None:
        call.hand_over(Answering)


class Looking(Handler):
    """Looks at its own row while it holds the call."""

    journal: Journal
    store: Store
    seen: list[tuple[str, str, bool]]

    def run(self, call: Call) -> None:
        assert self.journal.flush(30)
        row = self.store.call(call.uuid)
        assert row is not None
        self.seen.append((row.handler, row.hangup_cause, row.ended is None))


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/fsivr.db"


def _called(handler: type[Handler], journal: Journal, numbers: tuple[str, ...]) -> None:
    """Have calls to a handler, each to its end, and stop the server."""
    server = Server(Dialplan([Extension(".*", handler)]), Settings.defaults(listen="127.0.0.1:0"), store=journal)
    server.start()
    switch = Switch(server.address)
    try:
        for number in numbers:
            with switch.call(number, caller_number="0123"):
                pass
    finally:
        switch.stop()
        server.stop(1)


def test_a_call_is_live_and_then_ended(address: str) -> None:
    Looking.journal, Looking.store, Looking.seen = Journal(address), Store(address), []
    _called(Looking, Looking.journal, ("1000",))
    name = f"{Looking.__module__}.Looking"
    assert Looking.seen == [(name, "", True)]
    (call,) = Looking.store.calls().items
    assert (call.handler, call.dialled, call.context, call.direction) == (name, "1000", "public", "inbound")
    assert (call.hangup_cause, call.answered, call.error) == ("NORMAL_CLEARING", None, "")
    assert call.ended >= call.started
    found = Looking.store.call(call.uuid)
    assert found is not None
    assert found.timeline == "[]"
    Looking.store.close()


@pytest.mark.parametrize(("handler", "answered"), [(Answering, True), (HandingOver, True), (Failing, False)])
def test_what_is_kept_of_an_ended_call(address: str, handler: type[Handler], answered: bool) -> None:
    _called(handler, Journal(address), ("1000", "2000"))
    store = Store(address)
    calls = store.calls().items
    assert [call.dialled for call in calls] == ["2000", "1000"]
    assert [call.answered is not None for call in calls] == [answered] * 2
    last = "Answering" if handler is HandingOver else handler.__name__
    assert {call.handler.rpartition(".")[2] for call in calls} == {last}
    # A program's own error may tell of a customer: its name alone is kept.
    assert [call.error for call in calls] == (
        ["PromptError: no such file", "ValueError"] if handler is Failing else ["", ""]
    )
    assert store.calls(state="live").items == []
    store.close()


def test_calls_that_a_server_of_this_name_left_live_are_ended(address: str) -> None:
    store = Store(address)
    store.migrate()
    store.write([began(1, node=socket.gethostname(), worker="127.0.0.1:8084"), began(2, node="other")])
    assert calls_lost("a", "b", 1).key == "lost a b"
    server = Server(
        Dialplan([Extension("1", Answering)]),
        Settings.defaults(listen="127.0.0.1:0"),
        store=Journal(address),
        worker="127.0.0.1:8084",
    )
    server.start()
    server.stop(0)
    assert [call.uuid for call in store.calls(state="live").items] == ["uuid-000002"]
    store.close()


def test_servers_on_ports_that_were_free_leave_each_others_calls_alone(address: str) -> None:
    settings, dialplan = Settings.defaults(listen="127.0.0.1:0"), Dialplan([Extension("1", Answering)])
    servers = [Server(dialplan, settings, store=Journal(address), worker=settings.listen) for _ in range(2)]
    servers[0].start()
    store = Store(address)
    store.write([began(1, node=socket.gethostname(), worker=settings.listen)])
    assert until(store.workers)
    (first,) = (each.worker for each in store.workers())
    store.write([began(2, node=socket.gethostname(), worker=first)])
    servers[1].start()
    for server in servers:
        server.stop(0)
    assert [call.uuid for call in store.calls(state="live").items] == ["uuid-000002", "uuid-000001"]
    store.close()


def test_calls_go_on_without_a_database(tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path}/nowhere/fsivr.db")
    journal_close = journal.close
    journal.close = lambda timeout: journal_close(0)  # type: ignore[method-assign]
    _called(Answering, journal, ("1000", "2000"))
    # Two calls, and of the server itself that it is, that it ended, and what is to be forgotten of others.
    assert journal.dropped == 4
