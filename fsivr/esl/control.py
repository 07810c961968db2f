"""Control of one call over the outbound event socket.

Nothing here waits without an end, and a completion is matched by its id and by
nothing else.
"""

from __future__ import annotations

import socket
from typing import Any

from fsivr.causes import HangupCause
from fsivr.errors import CommandRefused, ConnectionLost, ReplyTimeout
from fsivr.esl import commands
from fsivr.esl.lending import Lending
from fsivr.esl.messages import Event, Reply
from fsivr.esl.orders import Limits

_EVENTS = "CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE"
_LINGER = 10
# One write. `myevents` holds the socket to this channel for good, `noevents` then
# drops its list of a dozen events, and only the named ones come (capture
# 08d_myevents_then_event_plain). `linger` keeps the tail of a call from being
# lost (FACTS 5.8 in docs/esl-quirks.md).
_SETUP = (f"connect\n\nlinger {_LINGER}\n\nmyevents\n\nnoevents\n\nevent plain {_EVENTS}\n\n").encode()
_SETUP_REPLIES = 4  # beside the one to `connect`


class CallControl(Lending):
    """The event socket of one call, from ``connect`` to its end.

    Its methods raise ``Hangup`` once the call or the connection is over.
    """

    def __init__(self, client_address: Any, sock: socket.socket, limits: Limits | None = None) -> None:
        super().__init__(client_address, sock, limits)
        self._full = True  # whether the switch takes every command from us

    def attach(self) -> Event | Reply:
        """The channel's description, after telling the switch what we want to hear.

        :raises Hangup: the caller is gone already, or the switch does not answer.
        :raises CommandRefused: the dialplan's ``socket`` action does not say ``async full``.
        """
        if self.channel is not None:
            return self.channel
        self._check()
        reply = self._exchange.ask(_SETUP, "connect", _SETUP_REPLIES)
        self.uuid = reply.get("Unique-ID") or reply.get("Channel-Unique-ID") or ""
        if not self.uuid:
            self._exchange.fail(ConnectionLost(f"the switch described no channel: {reply.reply_text[:80]!r}"))
            self._check()
        self.channel = reply
        mode, control = reply.get("Socket-Mode"), reply.get("Control")
        if (mode, control) != ("async", "full"):
            self._full = False
            raise CommandRefused(
                f"the dialplan's socket action must end in 'async full'; the switch connected with {mode} {control}"
            )
        return reply

    # -- how a call ends ---------------------------------------------------------------

    def kill(self, cause: HangupCause) -> None:
        """Hang up now, whatever is running, without waiting for it to have happened."""
        if not self.uuid or self.over or self._killed is not None:
            return
        self._killed = cause
        if not self._full:
            headers = [("call-command", "hangup"), ("hangup-cause", cause.name)]
            self._exchange.send(commands.command("sendmsg", headers))
        else:
            # `sendmsg hangup` would wait for the end of a locked application (capture
            # 06e_hangup_cmd_during_locked_playback); this does not (11o_api_uuid_kill_self).
            self._exchange.send(commands.api("uuid_kill", f"{self.uuid} {cause.name}"))

    def end(self, cause: HangupCause) -> None:
        """Hang up if the call is up, see its last event come in, and close.

        Takes at most twice ``limits.reply``; never raises.

        :param cause: what the caller's side is told.
        """
        self.kill(cause)
        if not (self._complete or self.released or self._exchange.closed):
            self.await_end(self.limits.reply)
        if not self.over:  # the switch does not answer: for us the call has ended all the same
            self._finish(cause, ReplyTimeout("the switch did not confirm the hangup"))
        self.close()

    def release(self) -> None:
        """Give the call back to the dialplan, which goes on after its ``socket`` action."""
        if not self.over:
            self._exchange.send(commands.command("exit"))
            self.released = True
            self._finish(HangupCause.NONE, None)

    def close(self) -> None:
        """Close the connection; whoever still waits on it gets ``Hangup``."""
        self._finish(self._likely, None)
        self._exchange.close()
        self._end_seen()
        self._end_dispatch()
