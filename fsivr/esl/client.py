"""Client: the inbound event socket, from us to the switch.

A ``greenswitch.InboundESL`` whose reader, waits and dispatch are replaced: no wait
is without an end, and a lost connection is opened again.
"""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import Callable

import gevent
from greenswitch import InboundESL

from fsivr.errors import AuthenticationError, CommandRefused, ConnectionLost, ESLError, ReplyTimeout
from fsivr.esl import commands
from fsivr.esl.dispatch import Dispatcher, EventHandler, LegacyEvent
from fsivr.esl.exchange import Exchange
from fsivr.esl.messages import Event, Message
from fsivr.esl.session import raw_command
from fsivr.esl.transport import connect, tune
from fsivr.esl.waits import Answer, Job

log = logging.getLogger(__name__)

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0


class Client(InboundESL):  # type: ignore[misc]
    """A connection to the switch's event socket.

    :param host: the switch.
    :param port: its event socket's port, usually 8021.
    :param password: the event socket's password; it appears in no message.
    :param timeout: seconds to connect, and for the answer to a command.
    """

    def __init__(self, host: str, port: int, password: str, timeout: float = 5.0) -> None:
        self.host = host
        self.port = port
        self.password = password
        self.timeout = timeout
        self._exchange: Exchange | None = None
        self._greeting: Answer | None = None
        self._rejected = False
        self._error: ESLError | None = None
        self._local_host = ""
        self._wanted: set[str] = {"BACKGROUND_JOB"}
        self._jobs: dict[str, Job] = {}
        self._left: dict[str, Callable[[str], None]] = {}  # by the id of a job that nobody waits for
        self._reconnecting: gevent.Greenlet[[], None] | None = None
        self._closed = True
        self._opening = False
        self._dispatcher = Dispatcher(self)
        #: Called, on a greenlet, each time the connection has been opened again.
        self.on_reconnect: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"<Client {self.host}:{self.port} {'connected' if self.connected else 'not connected'}>"

    @property
    def connected(self) -> bool:
        """Whether commands can be sent: the connection is there, and logged in."""
        return self._exchange is not None and not self._exchange.closed and not self._opening

    @property
    def local_host(self) -> str:
        """Our address on the way to the switch; ``""`` before the first connection."""
        return self._local_host

    def connect(self) -> None:
        """Connect and log in. From then on a lost connection is opened again until ``close``.

        :raises ConnectionLost: nothing listens there, or it closed the connection.
        :raises ReplyTimeout: it does not answer in time.
        :raises AuthenticationError: a wrong password, or our address is not in the switch's access list.
        """
        self._stop_reconnecting()
        if not self.connected:
            self._open()
        self._closed = False

    def close(self) -> None:
        """Close the connection for good; what waits on it gets ``ConnectionLost``."""
        self._closed = True
        self._stop_reconnecting()
        self._error = ConnectionLost("the connection was closed here")
        if self._exchange is not None:
            self._exchange.close()
        self._end_jobs()
        self._dispatcher.close()

    def api(self, command: str, argument: str = "") -> str:
        """What an API command printed.

        The connection's events wait meanwhile (FACTS 2.8): use ``bgapi`` for slow ones.

        :raises CommandRefused: the switch answered ``-ERR`` or ``-USAGE``.
        """
        reply = self._ready().ask(commands.api(command, argument), command)
        if not reply.ok:
            raise CommandRefused(f"the switch refused {command!r}: {reply.reply_text[:200]}")
        return reply.text

    def bgapi(self, command: str, argument: str = "", *, timeout: float = 60.0) -> str:
        """What an API command printed that ran beside others; jobs may end in any order.

        :raises CommandRefused: its output began with ``-ERR`` or ``-USAGE``.
        :raises ReplyTimeout: it took longer than ``timeout`` seconds.
        """
        output = self.job(command, argument, timeout=timeout)
        if output.startswith(("-ERR", "-USAGE")):
            raise CommandRefused(f"the switch refused {command!r}: {output.strip()[:200]}")
        return output

    def job(
        self, command: str, argument: str = "", *, timeout: float, when_left: Callable[[str], None] | None = None
    ) -> str:
        """As ``bgapi``, but what the command printed is not judged: ``-ERR`` is returned too.

        :param when_left: called, on the hub, with the output of a job that ends when nobody waits for it any more.
        """
        exchange = self._ready()
        job = Job(command)
        job_uuid = f"fsivr-{secrets.token_hex(8)}"
        self._jobs[job_uuid] = job
        line = f"bgapi {command} {argument}" if argument else f"bgapi {command}"
        try:
            reply = exchange.ask(commands.command(line, [("Job-UUID", job_uuid)]), command)
            if not reply.ok:
                raise CommandRefused(f"the switch refused {command!r}: {reply.reply_text[:200]}")
            if not job.wait(timeout):
                raise ReplyTimeout(f"{command!r} had not ended after {timeout:g} s")
        finally:
            self._jobs.pop(job_uuid, None)
            if when_left is not None and not (job.finished or exchange.closed):
                self._left[job_uuid] = when_left
        return job.output

    def post(self, command: str, argument: str = "") -> bool:
        """Have an API command run; whether it could be sent. Its output is not waited for."""
        if self._exchange is None or not self.connected:
            return False
        self._exchange.send(commands.api(command, argument))
        return self.connected  # sending may have found out that it is not

    def subscribe(self, *names: str) -> None:
        """Have the switch send events of these names, now and after each reconnection.

        :raises CommandRefused: the switch knows none of them.
        """
        self._wanted.update(names)
        reply = self._ready().ask(commands.command(f"event plain {' '.join(names)}"), "event")
        if not reply.ok:
            self._wanted.difference_update(names)
            raise CommandRefused(f"the switch refused the events {names}: {reply.reply_text}")

    def on(self, name: str, function: EventHandler) -> None:
        """Call a function with each event of a name, on a greenlet; see ``Dispatcher.register``."""
        self._dispatcher.register(name, function)

    # -- greenswitch's names -----------------------------------------------------------------

    @property
    def event_handlers(self) -> dict[str, list[EventHandler]]:
        """The registered functions by event name."""
        return self._dispatcher.handlers

    def register_handle(self, name: str, handler: EventHandler) -> None:
        """Same as ``on``."""
        self.on(name, handler)

    def unregister_handle(self, name: str, handler: EventHandler) -> None:
        """Do not call it any more.

        :raises ValueError: it was not registered.
        """
        self._dispatcher.unregister(name, handler)

    def send(self, data: str) -> LegacyEvent:
        """The reply to a raw command: ``.headers`` and ``.data``."""
        reply = self._ready().ask(raw_command(data), data.split(None, 1)[0])
        return LegacyEvent(reply, reply.get("Reply-Text"))

    def stop(self) -> None:
        """Same as ``close``."""
        self.close()

    # -- how it works --------------------------------------------------------------------------

    def _ready(self) -> Exchange:
        if self._exchange is None or not self.connected:
            raise ConnectionLost(f"not connected to the switch at {self.host}:{self.port}")
        return self._exchange

    def _stop_reconnecting(self) -> None:
        greenlet, self._reconnecting = self._reconnecting, None
        if greenlet is not None and greenlet is not gevent.getcurrent():
            greenlet.kill()

    def _open(self) -> None:
        where = f"{self.host}:{self.port}"
        try:
            sock = connect(self.host, self.port, self.timeout)
        except TimeoutError:
            raise ReplyTimeout(f"the switch at {where} did not take a connection within {self.timeout:g} s") from None
        except OSError as error:
            raise ConnectionLost(f"cannot connect to the switch at {where}: {error.strerror or error}") from None
        tune(sock)
        self._local_host = sock.getsockname()[0]
        self._rejected, self._error = False, None
        self._greeting = greeting = Answer("connect")
        exchange = Exchange(
            sock, timeout=self.timeout, on_message=self._on_message, on_end=self._on_end, reason=self._reason
        )
        self._exchange = exchange
        self._opening = True  # an end while opening is reported here, and is no loss to mend
        try:
            if not greeting.wait(self.timeout):
                raise ReplyTimeout(f"what listens at {where} did not greet like an event socket in {self.timeout:g} s")
            self._log_in(exchange)
        except BaseException:
            exchange.close()
            raise
        finally:
            self._opening = False

    def _log_in(self, exchange: Exchange) -> None:
        reply = exchange.ask(commands.command(f"auth {self.password}"), "auth")
        if not reply.reply_text.startswith("+OK"):
            raise AuthenticationError(f"the switch at {self.host}:{self.port} refused the password")
        reply = exchange.ask(commands.command(f"event plain {' '.join(sorted(self._wanted))}"), "event")
        if not reply.ok:
            raise CommandRefused(f"the switch refused the events {sorted(self._wanted)}: {reply.reply_text}")

    def _reconnect(self) -> None:
        delay = _FIRST_DELAY
        while not self._closed:
            # Half of it by chance, so that many clients do not come back in one moment.
            gevent.sleep(delay * random.uniform(0.5, 1.0))
            try:
                self._open()
            except ESLError as error:
                # A wrong password too: it may be set right on the switch's side.
                log.warning("still not connected: %s", error)
                delay = min(delay * 2, _LONGEST_DELAY)
                continue
            log.info("connected again to the switch at %s:%d", self.host, self.port)
            for function in self.on_reconnect:
                try:
                    function()
                except Exception:
                    log.exception("a function for the reconnection failed")
            return

    def _reason(self) -> BaseException:
        if self._rejected:
            return AuthenticationError(
                f"the switch at {self.host}:{self.port} refuses our address: add it to the access list "
                "that event_socket.conf.xml names in apply-inbound-acl"
            )
        return self._error or ConnectionLost(f"the switch at {self.host}:{self.port} closed the connection")

    # -- on the hub: must not block ---------------------------------------------------------------

    def _on_message(self, message: Message) -> None:
        kind = message.content_type
        if kind == "auth/request" and self._greeting is not None:
            self._greeting.take_reply(None)
        elif kind == "text/rude-rejection":
            self._rejected = True
        elif type(message) is Event and message.name == "BACKGROUND_JOB":
            self._on_job(message.get("Job-UUID") or "", message.text)
        self._dispatcher.take(message)

    def _on_job(self, job_uuid: str, output: str) -> None:
        job = self._jobs.get(job_uuid)
        if job is not None:
            job.take_output(output)
        left = self._left.pop(job_uuid, None)
        if left is not None:
            left(output)

    def _on_end(self, error: ESLError | None) -> None:
        opening = self._opening  # what waits in _open runs on at once when it is told, and is done opening then
        self._error = error
        if self._greeting is not None:
            self._greeting.fail(self._reason())
        self._end_jobs()
        if not (self._closed or opening):
            log.warning("lost the connection to the switch: %s", self._reason())
            self._reconnecting = gevent.spawn(self._reconnect)

    def _end_jobs(self) -> None:
        self._left.clear()
        for job in list(self._jobs.values()):
            job.fail(self._reason())
