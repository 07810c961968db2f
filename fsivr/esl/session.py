"""Session: a ``greenswitch.OutboundSession`` whose reader, waits and dispatch are ours.

An application class written for greenswitch 0.0.19 finds its methods here, with
their names, arguments and exceptions. Each wait is matched by id and ended by a
hangup, an end of file or a deadline.
"""

from __future__ import annotations

import gevent
from greenswitch.esl import NotConnectedError, OutboundSession, OutboundSessionHasGoneAway

from fsivr.errors import Hangup, LocalProtocolError, ReplyTimeout
from fsivr.esl import commands
from fsivr.esl.control import CallControl
from fsivr.esl.dispatch import EventHandler, LegacyEvent

# What `myevents` would have subscribed to (mod_event_socket.c, parse_command); the
# session has said it already, and dropped the list.
_MYEVENTS = (
    "CHANNEL_ANSWER CHANNEL_APPLICATION CHANNEL_BRIDGE CHANNEL_CREATE CHANNEL_DATA CHANNEL_DESTROY "
    "CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_ORIGINATE "
    "CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_STATE CHANNEL_UNBRIDGE "
    "CHANNEL_UNPARK CALL_UPDATE CALL_SETUP_REQ DTMF NOTALK RECV_MESSAGE TALK"
)


class Session(CallControl, OutboundSession):  # type: ignore[misc]
    """The event socket of one call, with greenswitch's methods beside ours.

    The parent's ``__init__``, which would start two greenlets, is never called.
    """

    def connect(self) -> dict[str, str] | None:
        """The channel's headers and variables, as ``session_data`` holds them.

        :raises Hangup: the caller is gone already, or the switch does not answer.
        """
        self.attach()
        return self.session_data

    def send(self, data: str) -> LegacyEvent:
        """The reply to a raw command.

        ``getvar`` is asked as ``api uuid_getvar``: its own reply is cut at 511 bytes
        and falls apart at a line break in the value (capture ``07a_vars_plain``).

        :raises NotConnectedError: the connection is closed.
        :raises OutboundSessionHasGoneAway: the call ended meanwhile.
        """
        if self._exchange.closed:
            raise NotConnectedError
        if data == "connect":
            self.attach()
            assert self.channel is not None
            return LegacyEvent(self.channel, "+OK")
        if data.startswith("getvar "):
            data = f"api uuid_getvar {self.uuid} {data.removeprefix('getvar ')}"
        try:
            reply = self._exchange.ask(raw_command(data), data.split(None, 1)[0])
        except Hangup as hangup:
            raise OutboundSessionHasGoneAway(str(hangup)) from None
        return LegacyEvent(reply, reply.reply_text if reply.get("Reply-Text") else reply.text)

    def call_command(
        self,
        app_name: str,
        app_args: str | None = None,
        block: bool = False,
        response_timeout: float | None = None,
    ) -> LegacyEvent:
        """The reply to an execute, or with ``block`` the event of its end.

        :raises OutboundSessionHasGoneAway: the call is over.
        :raises gevent.Timeout: it took over ``response_timeout`` seconds.
        """
        try:
            self._check()
            if not block:
                reply = self._exchange.ask(commands.execute(app_name, app_args or ""), app_name)
                return LegacyEvent(reply, reply.reply_text)
            return LegacyEvent(self.execute(app_name, app_args or "", timeout=response_timeout))
        except Hangup as hangup:
            raise OutboundSessionHasGoneAway(str(hangup)) from None
        except ReplyTimeout:
            if response_timeout is None:
                raise
            raise gevent.Timeout(response_timeout) from None

    def myevents(self) -> None:
        """Subscribe to this channel's events, as greenswitch's application expects them."""
        self.send(f"event plain {_MYEVENTS}")

    def playback(self, path: str, block: bool = True) -> LegacyEvent | None:
        """The event of a playback's end, or with ``block=False`` nothing."""
        event = self.call_command("playback", path, block=block)
        return event if block else None

    def play_and_get_digits(
        self,
        min_digits: int | None = None,
        max_digits: int | None = None,
        max_attempts: int | None = None,
        timeout: int | None = None,
        terminators: str | None = None,
        prompt_file: str | None = None,
        error_file: str | None = None,
        variable: str | None = None,
        digits_regex: str | None = None,
        digit_timeout: int | None = None,
        transfer_on_fail: str | None = None,
        block: bool = True,
        response_timeout: float | None = 30,
    ) -> str | None:
        """The digits keyed, or None; times in milliseconds."""
        arguments = (
            f"{min_digits} {max_digits} {max_attempts} {timeout} {terminators} {prompt_file} {error_file} "
            f"{variable} {digits_regex} {digit_timeout} {transfer_on_fail}"
        )
        event = self.call_command("play_and_get_digits", arguments, block, response_timeout)
        digits: str | None = event.headers.get(f"variable_{variable}") if block else None
        return digits

    def say(
        self,
        module_name: str = "en",
        lang: str | None = None,
        say_type: str = "NUMBER",
        say_method: str = "pronounced",
        gender: str = "FEMININE",
        text: str | None = None,
        block: bool = True,
        response_timeout: float | None = 30,
    ) -> LegacyEvent | None:
        """The event of the end of what was said, or with ``block=False`` nothing."""
        module = f"{module_name}:{lang}" if lang else module_name
        event = self.call_command("say", f"{module} {say_type} {say_method} {gender} {text}", block, response_timeout)
        return event if block else None

    @property
    def session_data(self) -> dict[str, str] | None:
        """The channel's headers and variables, once connected."""
        return None if self.channel is None else self.channel.headers

    @property
    def connected(self) -> bool:
        """Whether the socket is open."""
        return not self._exchange.closed

    @property
    def _outbound_connected(self) -> bool:
        return self.channel is not None and not self.over

    @property
    def _lingering(self) -> bool:
        return self.over

    def stop(self) -> None:
        """Give the call back to the dialplan, if it is up, and close."""
        self.release()
        self.close()

    # -- handlers of events ------------------------------------------------------------

    @property
    def event_handlers(self) -> dict[str, list[EventHandler]]:
        """The registered functions by event name."""
        return self.dispatcher.handlers

    def register_handle(self, name: str, handler: EventHandler) -> None:
        """Have a function called with each event of a name; see ``Dispatcher.register``."""
        self.dispatcher.register(name, handler)

    def unregister_handle(self, name: str, handler: EventHandler) -> None:
        """Do not call it any more.

        :raises ValueError: it was not registered.
        """
        self.dispatcher.unregister(name, handler)


def raw_command(data: str) -> bytes:
    """The bytes of a command that an old application wrote itself, headers and all.

    :raises LocalProtocolError: it holds more than one command, or what cannot be sent.
    """
    line, *rest = data.rstrip("\n").split("\n")
    headers = []
    for each in rest:
        name, colon, value = each.partition(":")
        if not colon:
            raise LocalProtocolError("a command's further lines are headers, 'name: value'")
        headers.append((name, value.lstrip(" ")))
    return commands.command(line, headers)
