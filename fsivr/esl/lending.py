"""Applications that take a call out of our hands, to somebody else, and are made to give it back."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any

from fsivr.causes import HangupCause
from fsivr.errors import ESLError, Hangup
from fsivr.esl import commands
from fsivr.esl.messages import Event
from fsivr.esl.orders import Limits, Orders
from fsivr.esl.waits import Completion

# Where the call goes after the talk (switch_ivr_bridge.c, transfer_after_bridge), and how many seconds it may
# be there without a word from us, for we may be gone; the switch deletes both as it uses them.
_RETURN = "transfer_after_bridge=park:inline park_timeout=30"
_RETURNED = "transfer_after_bridge=;park_timeout="
_BACK = b"the call's return"  # among the ids of applications, none of which has blanks


class Lending(Orders):
    """A call that can be lent to the switch: to a queue, or to who takes it from a parking place.

    Such an application is over when the caller is taken, and the ``socket``
    application with it: the channel goes on in other states, while this connection
    stays (mod_fifo.c, CS_HIBERNATE; switch_ivr_bridge.c, switch_ivr_uuid_bridge).
    After the talk it goes to the application ``park``, for seconds only, and from there,
    when we hear of it, to ``park`` once more, without a limit: that runs what is sent here
    as ``socket`` did, and ends, the call with it, when the connection does.
    """

    def __init__(self, client_address: Any, sock: socket.socket, limits: Limits | None = None) -> None:
        super().__init__(client_address, sock, limits)
        self._lent: Completion | None = None
        self._taken = False  # whether the channel has left the park it was in
        self._sent_for = False  # whether it has been told to come, to the park without a limit
        self._returns = False  # whether a park means that it is back
        self._since = -1  # the number of an event: what came about before it is past
        self._follows = False  # whether we hear of parks

    def lend(
        self, application: str, argument: str, *, timeout: float, taken: Callable[[Event], bool] | None = None
    ) -> tuple[Event, Event | None]:
        """The end of an application, and where it gave the call to somebody the event of its return.

        :param timeout: seconds that each of the two may take.
        :param taken: whether the application's end means that the caller was taken; left out for one that
            takes nobody away, and only must be got out of, wherever it is.
        :raises ReplyTimeout: it took longer; the call has been fetched back.
        """
        self._check()
        if not self._follows:
            self._follows = True
            self.watch("CHANNEL_PARK", self._on_park)
            self.watch("CHANNEL_UNPARK", self._on_unpark)
        if taken is not None:
            self._say_where_to_return()
        back = Completion(application, [_BACK])
        back.unanswered = 0
        self._completions[_BACK] = self._lent = back
        self._taken = self._sent_for = False
        self._returns = taken is not None
        try:
            end = self.execute(application, argument, timeout=timeout)
            if taken is None or not taken(end):
                return end, None
            for running in self._runs:
                running.lost()  # what played around it is no more, and did not fail
            if not back.wait(min(self.limits.reply, timeout)):
                self._await_long(back, timeout)
            return end, back.result()[0]
        except BaseException:
            if not self.over:
                self._fetch_back(back)
            raise
        finally:
            self._keep(was_lent=taken is not None)

    def _say_where_to_return(self) -> None:
        try:
            # As an application: the park that the call comes from may not have begun, and would use it up.
            self._since = _number(self.execute("multiset", _RETURN))
        except BaseException:
            if not self.over:
                self.post("uuid_setvar_multi", f"{self.uuid} {_RETURNED}")
            raise

    def _fetch_back(self, back: Completion) -> None:
        """Take the call out of whatever has it; what comes next must not run in there."""
        self._returns = True
        self._send_for()
        with contextlib.suppress(Hangup, ESLError):  # and no Timeout: it is of a deadline around this one
            back.wait(self.limits.reply)

    def _send_for(self) -> None:
        self._sent_for = True
        self._exchange.send(commands.api("uuid_transfer", f"{self.uuid} park inline"))

    def _keep(self, *, was_lent: bool) -> None:
        """It is ours again, unless somebody else has taken it away meanwhile."""
        back, self._lent = self._lent, None
        self._completions.pop(_BACK, None)
        if self.over:
            return
        if was_lent and not self._sent_for:  # or the next bridge would end in a park too
            self.post("uuid_setvar_multi", f"{self.uuid} {_RETURNED}")
        if self._taken and back is not None and not back.finished:
            self._lose()

    def _lose(self) -> None:
        self.released = True
        self._finish(HangupCause.BLIND_TRANSFER, None)
        self._end_seen()

    # -- on the hub: must not block --------------------------------------------------------

    def _on_other_end(self, event: Event) -> None:
        if self._lent is None:
            if _number(event) > self._since:
                super()._on_other_end(event)
        elif event.last(b"\nApplication: ") == b"socket":
            self._taken = True

    def _on_park(self, event: Event) -> None:
        if self.over or not self._returns or _number(event) <= self._since:
            return
        self._since = _number(event)  # heard twice, it must not be answered twice
        if not self._sent_for:
            self._send_for()
            return
        self.channel = event
        self._returns = False
        back = self._completions.pop(_BACK, None)
        if back is not None:
            back.take_event(_BACK, event)

    def _on_unpark(self, event: Event) -> None:
        if self.over or event.says(b"\nAnswer-State: ", b"hangup\n"):
            return
        if self._lent is None:
            if _number(event) > self._since:
                self._lose()
        else:
            self._taken = True


def _number(event: Event) -> int:
    """An event's place among all of the switch, whatever the order they come in."""
    text = event.raw(b"Event-Sequence") or b""
    return int(text) if text.isdigit() else 0
