"""A simulated switch with a real server in the same process for it to call."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any, Unpack

import gevent

from fsivr.call.dialled import Dial, Dialled
from fsivr.call.placing import DialOptions
from fsivr.config import Settings
from fsivr.dialplan import Dialplan, Extension, load_dialplan
from fsivr.prompts import PromptLibrary
from fsivr.server import Server
from fsivr.simulator import Caller, Switch
from fsivr.testing.placing import Order, PlacingServer

# Real seconds that handlers may take to come to their end after a test.
_LAST = 5.0


class ServedSwitch(Switch):
    """The ``switch`` of a test: its calls reach this project's handlers over real sockets.

    :param settings: the server's.
    :param dialplan_name: the dialplan that answers, as ``apps:dialplan``.
    """

    def __init__(self, settings: Settings, dialplan_name: str) -> None:
        library = PromptLibrary.of(settings)
        super().__init__(("127.0.0.1", 0), library=library)
        self.settings = settings
        self._dialplan_name = dialplan_name
        self._dialplan: Dialplan | None = None
        self._servers: list[tuple[Dialplan, PlacingServer]] = []
        self._errors = _Errors()
        self.explain = self._errors.of
        logging.getLogger("fsivr").addHandler(self._errors)

    @property
    def dialplan(self) -> Dialplan:
        """The dialplan that calls go through; may be set to another."""
        if self._dialplan is None:
            self._dialplan = load_dialplan(self._dialplan_name)
        return self._dialplan

    @dialplan.setter
    def dialplan(self, dialplan: Dialplan) -> None:
        self._dialplan = dialplan

    @property
    def server(self) -> Server:
        """The server behind the dialplan, started when it is first asked for."""
        return self._serve(self.dialplan)

    @property
    def blocks(self) -> list[str]:
        """Where handlers kept all calls waiting for too long, in words."""
        found = [block for _, server in self._servers for block in server.blocks if block.within]
        return [f"for {block.seconds:.2f} s at {block.where}" for block in found]

    def call(
        self,
        number: str = "1000",
        *,
        handler: type[Any] | None = None,
        dialplan: Dialplan | None = None,
        **options: Any,
    ) -> Caller:
        """A caller who dials ``number``; use it in a ``with`` block.

        :param handler: the class that answers, instead of the dialplan's.
        :param dialplan: the dialplan that answers, instead of the switch's.
        :param options: see ``fsivr.simulator.Switch.call``.
        """
        if handler is not None:
            dialplan = self._for_handler(handler)
        self.address = self._serve(dialplan or self.dialplan).address
        return super().call(number, **options)

    def originate(
        self, to: str, handler: type[Any], *, dialplan: Dialplan | None = None, **options: Unpack[DialOptions]
    ) -> Dialled:
        """What came of calling somebody, as ``fsivr.Switch.originate`` says it; time passes meanwhile.

        :param dialplan: the dialplan that is served, instead of one with the handler alone.
        """
        placing = self._serve(dialplan or self._for_handler(handler)).switch
        return Order(self).wait(lambda: placing.originate(to, handler, **options))

    def dial_many(
        self,
        calls: Iterable[str | Dial],
        handler: type[Any] | None = None,
        *,
        dialplan: Dialplan | None = None,
        concurrency: int = 10,
        per_second: float = 1.0,
        **options: Unpack[DialOptions],
    ) -> Iterator[Dialled]:
        """What came of each call of a group, as ``fsivr.Switch.dial_many`` says it; time passes meanwhile.

        :param dialplan: the dialplan that is served, instead of one with the handler alone.
        """
        served = dialplan or (self.dialplan if handler is None else self._for_handler(handler))
        placing = self._serve(served).switch
        group = placing.dial_many(calls, handler, concurrency=concurrency, per_second=per_second, **options)
        return self._each(group)

    def _each(self, group: Iterator[Dialled]) -> Iterator[Dialled]:
        try:
            while (one := Order(self).wait(lambda: next(group, None))) is not None:
                yield one
        finally:
            getattr(group, "close", lambda: None)()

    def close(self) -> list[str]:
        """Stop the servers; what they should not have had any more, in words."""
        for caller in self.callers:
            caller.leaves()
        deadline = time.monotonic() + _LAST
        while any(server.ports_in_use for _, server in self._servers) and time.monotonic() < deadline:
            gevent.sleep(0.005)
        left: list[str] = []
        for _, server in self._servers:
            calls = [f"{call.destination} ({call.uuid})" for call in server.calls]
            left += [f"a call to {call}, whose handler has not ended" for call in calls]
            if server.ports_in_use > len(calls):
                left.append(f"{server.ports_in_use - len(calls)} ports in use")
            if server.abandoned:
                left.append(f"{server.abandoned} handlers that would not leave their finished call")
        for _, server in self._servers:
            server.leave_switch()
        self.stop()
        for _, server in self._servers:
            server.stop(0)
        logging.getLogger("fsivr").removeHandler(self._errors)
        return left

    def _for_handler(self, handler: type[Any]) -> Dialplan:
        for dialplan, _ in self._servers:
            only = list(dialplan)
            if len(only) == 1 and only[0].handler is handler and only[0].number == _ANY:
                return dialplan
        return Dialplan([Extension(_ANY, handler)])

    def _serve(self, dialplan: Dialplan) -> PlacingServer:
        for known, server in self._servers:
            if known is dialplan:
                return server
        settings = self.settings
        if settings.source("switch_address") == "default":
            settings = dataclasses.replace(settings, switch_address="{}:{}".format(*self.inbound.address))
        if settings.source("lag_limit") == "default":  # a machine that is slow must not fail a test
            settings = dataclasses.replace(settings, lag_limit=0.0)
        server = PlacingServer(self, dialplan, settings)
        server.start()
        self._servers.append((dialplan, server))
        return server


#: The number of a dialplan with one handler: any.
_ANY = r".*"


class _Errors(logging.Handler):
    """Remembers the errors that handlers ended with, for the message of a failure."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._told: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            self._told.append((record.getMessage(), f"{type(error).__name__}: {error}"))

    def of(self, uuid: str) -> str:
        """What the handler of a call ended with; "" where nothing is known."""
        return next((f"its handler ended with {error}" for message, error in self._told if uuid in message), "")
