"""A server with a store behind the simulated switch, and what it keeps of calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fsivr import Call, Dialplan, Extension, Handler
from fsivr.server.history import History
from fsivr.simulator import Caller
from fsivr.store import Journal, Store
from fsivr.store.rows import Row
from tests.leaks import until


class Kept:
    """Calls whose rows can be looked at.

    :param switch: the fixture's.
    """

    def __init__(self, switch: Any, folder: Path, dialplan: Dialplan | None = None) -> None:
        self.address = f"sqlite:///{folder}/fsivr.db"
        self.journal = Journal(self.address)
        self.rows: list[Row] = []
        put = self.journal.put

        def putting(row: Row) -> None:
            self.rows.append(row)
            put(row)

        self.journal.put = putting  # type: ignore[method-assign]
        self.journal.start()
        self.store = Store(self.address)
        self.switch = switch
        self._run: Callable[[Call], Any] = lambda call: None
        kept = self

        class Running(Handler):
            def run(self, call: Call) -> None:
                kept._run(call)

        switch.dialplan = dialplan or Dialplan([Extension("[0-9]+", Running)])
        switch.server._history = History(self.journal, node="here")  # closed with its server, by the fixture

    def call(
        self, run: Callable[[Call], Any], act: Callable[[Caller], Any] = lambda caller: None, number: str = "1000"
    ) -> Any:
        """The row of a call."""
        self._run = run
        with self.switch.call(number) as caller:
            act(caller)
            caller.join(300)
            caller.hangs_up()
        return self.row(caller.uuid)

    def row(self, uuid: str, *, ended: bool = True) -> Any:
        """The row of a call, once its end is written."""
        found: list[Any] = []

        def is_there() -> bool:
            assert self.journal.flush(30)
            found[:] = [self.store.call(uuid)]
            return found != [None] and (found[0].ended is not None or not ended)

        assert until(is_there, 10)
        return found[0]

    def timeline(self, run: Callable[[Call], Any], act: Callable[[Caller], Any] = lambda caller: None) -> list[Any]:
        """The entries of a call, without times and ids."""
        return without_times(json.loads(self.call(run, act).timeline))

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def without_times(entries: list[Any]) -> list[Any]:
    """The entries, of which the times and ids were there."""
    for entry in entries:
        assert 0 <= entry.pop("at") < 60
        assert 0 <= entry.pop("seconds") < 60
        if isinstance(entry.get("result"), dict):
            for name in ("id", "uuid"):
                entry["result"].pop(name, None)
            if "completion" in entry["result"]:  # up to a second more than was asked for
                assert 0 <= entry["result"].pop("duration") < 5
    return entries
