"""Handler: a call, written as a class."""

from __future__ import annotations

from abc import ABC, abstractmethod

from fsivr.call import Call


class Handler(ABC):
    """What happens in a call: subclass it, write ``run``, put it in the dialplan.

    Each call gets an instance of its own, made without arguments, on a greenlet
    of its own.
    """

    @abstractmethod
    def run(self, call: Call) -> object:
        """Hold the conversation. When it returns, the call is hung up; what it returns is for ``call.invoke``."""

    def on_error(self, call: Call, error: BaseException) -> None:  # noqa: B027
        """Called with an error that left ``run``, while the call may still be up.

        A place to apologise to the caller. The call then ends with the error's
        ``hangup_cause``, and ``on_hangup`` is called.
        """

    def on_hangup(self, call: Call) -> None:  # noqa: B027
        """Called once when the call is over, however it ended.

        ``call.hangup_cause`` says why; the channel's last description is still
        there to read, and every verb raises ``Hangup``.
        """
