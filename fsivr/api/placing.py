"""Calls that the API places: each is on its way when the request is answered, and its outcome is its row's."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import gevent
from flask import Flask, current_app

from fsivr.api.errors import RETRY_AFTER, Problem
from fsivr.api.given import Given
from fsivr.call.dialled import Dialled
from fsivr.dialplan import Dialplan
from fsivr.errors import ConfigError, ESLError, FsivrError
from fsivr.store import Row, Store, audited, call_began, is_gone
from fsivr.store.rows import CallStart, call_answered, call_unanswered, calls_lost
from fsivr.switch import Switch

log = logging.getLogger(__name__)

#: How many calls may ring at once.
MOST = 100
_NAME = "fsivr.placing"
_LATER = {"Retry-After": str(RETRY_AFTER)}
# Seconds between two tries to write what came of a call, and for how long.
_PAUSE, _PATIENCE = 1.0, 120.0


class Placing:
    """The calls that one API places.

    A row tells of each from its order on. The server that takes an answered call goes on with it; the
    end of one that nobody answered is written here.

    :param most: how many may ring at once.
    """

    #: Seconds between two looks whether a server has an answered call.
    look = 5.0

    def __init__(self, given: Given, *, most: int = MOST) -> None:
        self._store: Store = given.store
        self._clock = given.clock
        self._most = most
        self._limit = given.settings.call_limit
        self._node, self._worker = given.settings.node_name, f"api {given.settings.api_listen}"
        self._ringing: set[gevent.Greenlet[..., None]] = set()
        self._tidied = False
        #: Whether no more calls are placed, as the server that would take them ends.
        self.draining = False

    def place(
        self, switch: Switch, handler: type[Any], *, to: str, by: str, key: str, **options: Any
    ) -> dict[str, Any]:
        """The row of a call that rings now.

        :param by: the name of who places it; ``key`` the id of the key.
        :param options: those of ``Switch.originate``.
        :raises Problem: the server ends, too many ring, or the switch cannot be told where the server is.
        :raises ValueError: something in the order is wrong.
        :raises ESLError: the switch cannot be reached.
        """
        if self.draining:
            raise Problem(503, "the server is stopping, and places no more calls", code="draining", headers=_LATER)
        if len(self._ringing) >= self._most:
            raise Problem(429, f"{self._most} calls ring already", code="too_many_calls", headers={"Retry-After": "5"})
        call_uuid = str(uuid.uuid4())
        try:
            order = switch.ordered(to, handler, call_uuid=call_uuid, **options)
        except ConfigError as error:
            raise Problem(409, str(error), code="not_configured") from None
        name = f"{handler.__module__}.{handler.__qualname__}"
        caller = options.get("caller_id", "")
        start = CallStart(call_uuid, name, caller, to, "", "outbound", self._clock(), self._node, self._worker)
        self.tidy()
        note = audited(by, "call.originate", call_uuid, at=start.started, key=key, to=to, handler=name)
        self._store.write([call_began(start), note])
        greenlet = gevent.spawn(self._see_through, switch, start, order)
        self._ringing.add(greenlet)
        greenlet.link(self._ringing.discard)
        return {**start._asdict(), "started": datetime.fromtimestamp(start.started, UTC)}

    def tidy(self) -> None:
        """End the rows of calls that rang when an earlier API of this name was killed; once."""
        if not self._tidied:
            self._store.write([calls_lost(self._node, self._worker, self._clock())])
            self._tidied = True

    def _see_through(self, switch: Switch, start: CallStart, order: Callable[[], Dialled]) -> None:
        try:
            dialled = order()
        except Exception as error:  # noqa: BLE001  it is told in the call's row
            cause = error.hangup_cause.name if isinstance(error, ESLError) else ""
            # Of any other error its text may hold what is nobody's business.
            what = str(error) if isinstance(error, FsivrError) else type(error).__name__
            log.error("call %s could not be placed: %s", start.uuid, what)
            self._tell(call_unanswered(start, self._clock(), cause, what))
            return
        if dialled.answered:
            self._tell(call_answered(start.uuid, self._clock()))
            gevent.spawn(self._watch, switch, start)
        else:
            why = dialled.hangup_cause
            self._tell(call_unanswered(start, self._clock(), "" if why is None else why.name, ""))

    def _watch(self, switch: Switch, start: CallStart) -> None:
        """End the row of a call that was answered and that no server took: each was full, or ended meanwhile."""
        until = self._clock() + self._limit
        while self._clock() < until:
            gevent.sleep(self.look)
            try:
                row = self._store.call(start.uuid)
                if row is None or row.ended is not None or row.worker != self._worker:
                    return
                if switch.api("uuid_exists", start.uuid).strip() == "true":
                    continue
            except Exception as error:
                if not (is_gone(error) or isinstance(error, ESLError)):
                    raise
                continue  # looked at again, when both can be asked
            self._tell(call_unanswered(start, self._clock(), "", "no server took the call"))
            return

    def _tell(self, row: Row) -> None:
        tries = int(_PATIENCE / _PAUSE)
        for left in reversed(range(tries)):
            try:
                self._store.write([row])
                return
            except Exception as error:
                if not is_gone(error) or not left:
                    log.error("what came of call %s could not be written: %s", row.key, type(error).__name__)
                    return
                gevent.sleep(_PAUSE)


def attach(app: Flask, given: Given) -> None:
    """Have an application place calls."""
    app.extensions[_NAME] = Placing(given)


def drain(app: Flask) -> None:
    """Have an application place no more calls: each gets 503."""
    found: Placing = app.extensions[_NAME]
    found.draining = True


def placing() -> Placing:
    """What places the calls of the application that answers the current request."""
    found: Placing = current_app.extensions[_NAME]
    return found


def handler_of(dialplan: Dialplan, name: str) -> type[Any] | None:
    """The handler that stands in the dialplan under a name: ``apps.balance.Balance``, or with a colon.

    The name is looked up, and nothing is imported by it.
    """
    if ":" in name:
        return dialplan.handler(name)
    parts = name.split(".")
    for at in range(len(parts) - 1, 0, -1):
        found = dialplan.handler(f"{'.'.join(parts[:at])}:{'.'.join(parts[at:])}")
        if found is not None:
            return found
    return None


def options_of(order: Mapping[str, Any]) -> dict[str, Any]:
    """The options of ``Switch.originate`` that an order has."""
    return {name: order[name] for name in ("timeout", "caller_id", "caller_name", "variables") if name in order}
