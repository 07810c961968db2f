"""Call: the conversation a handler holds, from the dialplan to the hangup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from fsivr.call.asking import Asking
from fsivr.call.connecting import Connecting
from fsivr.call.gathering import Gathering
from fsivr.call.listening import Listening
from fsivr.call.placing import Dialler, Placing
from fsivr.call.recorder import Recorder
from fsivr.call.session import Session
from fsivr.call.spool import Spool
from fsivr.call.timing import Timing
from fsivr.prompts import PromptLibrary


class HandOver(BaseException):
    """The call goes to another handler, and does not come back."""

    def __init__(self, handler: type[Any]) -> None:
        super().__init__(handler.__qualname__)
        self.handler = handler


class Call(Listening, Recorder, Connecting, Gathering, Placing, Timing, Asking):
    """One call. Its verbs block until done and return what happened.

    Every verb raises ``Hangup`` as soon as the call is over, and
    ``fsivr.ReplyTimeout`` when the switch has not finished it in time.
    """

    def __init__(
        self,
        session: Session,
        library: PromptLibrary | None = None,
        spool: Spool | None = None,
        dialler: Callable[[], Dialler] | None = None,
    ) -> None:
        super().__init__(session, library)
        self._spool = spool or Spool()
        self._dialler = dialler
        #: The handlers that hold the call or held it, the first one first; each one's ``on_hangup`` will be called.
        self.handlers: list[Any] = []

    def invoke(self, handler: type[Any]) -> Any:
        """What the ``run`` of another handler returned, once it is done with this call.

        Its ``on_hangup`` is called at the end of the call, as this one's.

        :param handler: a ``Handler`` class.
        :raises Exception: whatever left its ``run``.
        """
        return self._held_by(handler).run(self)

    def hand_over(self, handler: type[Any]) -> NoReturn:
        """Leave the call to another handler for good; does not return.

        :param handler: a ``Handler`` class.
        """
        _checked(handler, "hand_over")
        raise HandOver(handler)

    def _held_by(self, handler: type[Any]) -> Any:
        held = _checked(handler, "invoke")()
        self.handlers.append(held)
        return held


def _checked(handler: type[Any], verb: str) -> type[Any]:
    if not isinstance(handler, type) or not callable(getattr(handler, "run", None)):
        raise TypeError(f"{verb} takes a Handler class, not {handler!r}")
    return handler
