"""The switch as a call's handler has it: calls that it places, while this one is up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypedDict, TypeVar, Unpack

import gevent

from fsivr.call.dialled import Dial, Dialled
from fsivr.call.line import Line
from fsivr.call.session import Session
from fsivr.call.timing import Interruptible
from fsivr.errors import ConfigError, Hangup

_T = TypeVar("_T")


class DialOptions(TypedDict, total=False):
    """How a call is placed; see ``Switch.originate``."""

    timeout: float
    caller_id: str
    caller_name: str
    variables: Mapping[str, str] | None
    detect_machine: bool


class Dialler(Protocol):
    """What places calls."""

    def originate(self, to: str, handler: type[Any], **options: Unpack[DialOptions]) -> Dialled:
        """See ``Switch.originate``."""

    def dial_many(
        self,
        calls: Iterable[str | Dial],
        handler: type[Any] | None = None,
        *,
        concurrency: int = 10,
        per_second: float = 1.0,
        **options: Unpack[DialOptions],
    ) -> Iterator[Dialled]:
        """See ``Switch.dial_many``."""

    def api(self, command: str, argument: str = "") -> str:
        """See ``Switch.api``."""


class CallsSwitch:
    """The switch for one call's handler: what it waits for ends when the call does, with ``Hangup``."""

    def __init__(self, switch: Dialler, session: Session) -> None:
        #: The switch itself, whose waits do not end with this call: for what is to be done when it is over.
        self.shared = switch
        self._session = session

    def originate(self, to: str, handler: type[Any], **options: Unpack[DialOptions]) -> Dialled:
        """As ``Switch.originate``; when this call ends, what rings is hung up."""
        return self._while_up(lambda: self.shared.originate(to, handler, **options))

    def dial_many(
        self,
        calls: Iterable[str | Dial],
        handler: type[Any] | None = None,
        *,
        concurrency: int = 10,
        per_second: float = 1.0,
        **options: Unpack[DialOptions],
    ) -> Iterator[Dialled]:
        """As ``Switch.dial_many``; when this call ends, no more are placed."""
        dialled = self.shared.dial_many(calls, handler, concurrency=concurrency, per_second=per_second, **options)
        return self._each(dialled)

    def api(self, command: str, argument: str = "") -> str:
        """As ``Switch.api``."""
        return self._while_up(lambda: self.shared.api(command, argument))

    def _each(self, dialled: Iterator[Dialled]) -> Iterator[Dialled]:
        try:
            while (one := self._while_up(lambda: next(dialled, None))) is not None:
                yield one
        finally:
            getattr(dialled, "close", lambda: None)()

    def _while_up(self, order: Callable[[], _T]) -> _T:
        """What an order comes to; meanwhile the call is asked after as in any long verb."""
        came: list[_T] = []
        failed: list[BaseException] = []

        def wait() -> None:
            try:
                came.append(order())
            except Exception as error:  # noqa: BLE001  raised again below, where it belongs
                failed.append(error)

        session = self._session
        greenlet: gevent.Greenlet[[], None] | None = None
        try:
            with Interruptible(session):
                greenlet = gevent.spawn(wait)
                greenlet.join(session.limits.probe)
                while not greenlet.dead:
                    session.api("uuid_exists", session.uuid)
                    greenlet.join(session.limits.probe)
        except Hangup:
            session.refresh()  # raises what every verb raises, with what broke
            raise
        finally:
            if greenlet is not None:
                greenlet.kill()
        for error in failed:
            raise error
        return came[0]


class Placing(Line):
    """A call whose handler can place others."""

    _dialler: Callable[[], Dialler] | None = None

    @property
    def switch(self) -> CallsSwitch:
        """The switch, to place other calls with; connected when it is first used.

        :raises ConfigError: the call has no server that knows where the switch is.
        """
        if self._dialler is None:
            raise ConfigError(
                "this call has no switch to place calls with: a server gives it one, of the settings "
                "switch_address and switch_password"
            )
        return CallsSwitch(self._dialler(), self._session)
