"""Server: listens for the switch and gives each call a port and a greenlet."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from typing import Any

import gevent
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer

from fsivr.call import Call, Spool, forsake
from fsivr.call.dialled import HANDLER
from fsivr.causes import HangupCause
from fsivr.config import Settings
from fsivr.dialplan import Dialplan
from fsivr.errors import ConfigError, ESLError, Hangup
from fsivr.esl.orders import Limits
from fsivr.esl.session import Session
from fsivr.esl.transport import tune
from fsivr.prompts import PromptLibrary
from fsivr.server.conversation import Conversation
from fsivr.server.history import History
from fsivr.server.keeping import Keeping
from fsivr.server.placed import CARRIED_OUT, is_placed, ordered_handler, preparation
from fsivr.server.ports import Port, Ports
from fsivr.server.refusal import refuse
from fsivr.store import Journal
from fsivr.switch import Switch

log = logging.getLogger(__name__)

_BACKLOG = 1024
_LAST_ACCEPTS = 0.02
"""Seconds in which what has arrived before a stop is taken, to be refused."""
_LAST_SEALS = 4.0
"""Seconds in which recordings that have ended are sealed when the server stops."""
_MOST_JUDGED = 1024


class Server:
    """Takes calls from FreeSWITCH's ``socket`` application and has handlers answer them.

    :param dialplan: which handler answers.
    :param settings: see ``docs/settings.md``.
    :param store: what each call is written to, at its start and its end, and each recording; nothing is, and
        recordings stay as the switch leaves them, where None.
    :param worker: what its calls are told apart by from those of other servers of this machine.
    """

    def __init__(
        self, dialplan: Dialplan, settings: Settings | None = None, *, store: Journal | None = None, worker: str = ""
    ) -> None:
        self.settings = settings or Settings.defaults()
        self._history = None if store is None else History(store, node=self.settings.node_name, worker=worker)
        self._keeping = None if store is None else Keeping(self.settings, store)
        self._dialplan = dialplan
        self._switch: Switch | None = None
        self._judged: dict[str, bool] = {}
        self._limits = Limits(self.settings.reply_timeout, self.settings.probe_interval, self.settings.verb_limit)
        self._library = PromptLibrary.of(self.settings)
        self._spool = Spool(
            self.settings.recordings_path, keeper=self._keeping, classes=tuple(self.settings.retention_days)
        )
        self._listener: StreamServer | None = None
        self._address: tuple[str, int] | None = None
        self._conversations: set[Conversation] = set()
        self._stopped = Event()
        self._draining = False
        self._ports = Ports(self.settings.ports)
        self._refusals = Ports(sys.maxsize)  # those under way, to be waited for
        #: Called with each call that has ended.
        self.on_call_end: list[Callable[[Call], None]] = []
        #: Calls refused because every port was in use, or because the server was stopping.
        self.refused = 0
        #: Handlers that would not leave a finished call.
        self.abandoned = 0

    # -- running ------------------------------------------------------------------------

    @property
    def address(self) -> tuple[str, int]:
        """The host and port it listens on."""
        if self._address is None:
            raise ConfigError("the server has not been started")
        return self._address

    @property
    def ports_in_use(self) -> int:
        """Calls under way, those being connected or ended included."""
        return self._ports.in_use

    @property
    def peak(self) -> int:
        """The most calls there were at once."""
        return self._ports.peak

    @property
    def calls(self) -> list[Call]:
        """The calls that handlers hold now."""
        return [each.call for each in self._conversations]

    @property
    def switch(self) -> Switch:
        """The switch that handlers place calls with; connected when it is first used."""
        if self._switch is None:
            self._switch = self.make_switch()
        return self._switch

    def make_switch(self) -> Switch:
        """The switch that the settings name."""
        return Switch(self.settings, self._dialplan, listening=self.address)

    def start(self) -> None:
        """Listen; returns at once.

        :raises ConfigError: the address cannot be listened on, or the store is of a newer fsivr.
        """
        sock = _listening(self.settings)
        if self._history is not None:
            self._history.open(sock)
        if self._keeping is not None:
            self._keeping.start()
        listener = StreamServer(sock, self._serve)
        # Take all that is waiting before anything else runs: each admission is cheap.
        listener.max_accept = 512
        listener.start()
        self._listener = listener
        self._address = sock.getsockname()[:2]

    def serve_forever(self) -> None:
        """Serve until ``stop``, called from elsewhere, has ended."""
        if self._listener is None:
            self.start()
        self._stopped.wait()

    def stop(self, timeout: float | None = None) -> None:
        """Take no more calls, let those under way finish, hang up what is left.

        :param timeout: seconds to let them finish; ``drain_timeout`` where None.
        """
        self._draining = True
        if self._listener is not None:
            # What waits to be accepted is refused in words: closed on, it would stay
            # parked on the switch with nobody in control (FACTS 5.6).
            gevent.sleep(_LAST_ACCEPTS)
            self._listener.close()
        patience = self.settings.drain_timeout if timeout is None else timeout
        if not self._ports.idle.wait(max(patience, 0.001)):
            log.warning("hanging up %d calls that did not finish in %g s", self.ports_in_use, patience)
            for conversation in list(self._conversations):
                conversation.stop(HangupCause.MANAGER_REQUEST)
            # Long enough for a handler that must be shown out, and for its on_hangup.
            self._ports.idle.wait(2 * (self.settings.hangup_grace + self.settings.reply_timeout) + 8)
        self._refusals.idle.wait(self.settings.reply_timeout + 1)
        if self._switch is not None:
            self._switch.close()
        if self._keeping is not None:
            self._keeping.close(_LAST_SEALS)
        if self._history is not None:
            self._history.close()
        self._stopped.set()

    # -- one connection ------------------------------------------------------------------

    def _serve(self, sock: socket.socket, peer: Any) -> None:
        if not self._is_allowed(peer):
            log.warning("refused a connection from %s: not in the setting 'allow'", peer[0])
            sock.close()
            return
        port = None if self._draining else self._ports.take()
        if port is None:
            self._refuse(sock)
            return
        session = Session(peer, sock, self._limits)
        try:
            self._answer(session, port)
        except (Hangup, ESLError) as error:
            log.warning("a call from %s ended before its handler: %s", peer[0], error)
            session.end(error.hangup_cause if isinstance(error, ESLError) else error.cause)
        finally:
            session.close()
            port.release()

    def _refuse(self, sock: socket.socket) -> None:
        self.refused += 1
        refusal = self._refusals.take()
        try:
            refuse(sock, self.settings.when_full, self.settings.reply_timeout)
        finally:
            if refusal is not None:
                refusal.release()

    def _answer(self, session: Session, port: Port) -> None:
        """Find the handler and have it talk."""
        session.attach()
        call = Call(session, self._library, self._spool, self._the_switch)
        channel = call.channel
        if is_placed(channel):
            handler = ordered_handler(self._dialplan, channel)
            if handler is None:
                log.warning("call %s: no handler %.200r in the dialplan", session.uuid, channel.variables[HANDLER])
                session.end(HangupCause.NO_ROUTE_DESTINATION)
            else:
                session.post("uuid_setvar_multi", f"{session.uuid} {CARRIED_OUT}")
                self._converse(session, call, handler, port, preparation(channel))
            return
        # A variable that is not there is searched for through kilobytes.
        path = channel.get("variable_socket_path") if self._dialplan.has_paths else ""
        extension = self._dialplan.match(channel.destination, channel.context, path)
        if extension is None:
            log.warning("call %s: no extension for %.80r", session.uuid, channel.destination)
            session.end(HangupCause.NO_ROUTE_DESTINATION)
            return
        self._converse(session, call, extension.handler, port)

    def _converse(
        self,
        session: Session,
        call: Call,
        handler: type[Any],
        port: Port,
        before: Callable[[Call], None] | None = None,
    ) -> None:
        conversation = Conversation(
            session,
            call,
            handler,
            grace=self.settings.hangup_grace,
            limit=self.settings.call_limit,
            on_end=partial(self._on_end, port),
            before=before,
        )
        self._conversations.add(conversation)
        if self._history is not None:
            self._history.began(conversation, call.channel)
        conversation.run()

    def _the_switch(self) -> Switch:
        return self.switch

    def _on_end(self, port: Port, conversation: Conversation) -> None:
        call = conversation.call
        self._conversations.discard(conversation)
        if conversation.abandoned:
            self.abandoned += 1
        forsake(call)
        if self._history is not None:
            self._history.ended(conversation)
        port.release()
        log.info("call %s: %s ended with %s", call.uuid, conversation.handler.__qualname__, call.hangup_cause)
        for listener in self.on_call_end:
            try:
                listener(call)
            except Exception:
                log.exception("a listener for the end of calls failed")

    def _is_allowed(self, peer: Any) -> bool:
        host = peer[0]
        if host not in self._judged:
            if len(self._judged) > _MOST_JUDGED:
                self._judged.clear()
            address = ip_address(host.partition("%")[0])
            address = getattr(address, "ipv4_mapped", None) or address
            self._judged[host] = any(address in network for network in self.settings.allow_networks)
        return self._judged[host]


def _listening(settings: Settings) -> socket.socket:
    """A socket that listens; what it accepts inherits its options.

    :raises ConfigError: it cannot.
    """
    where = settings.listen
    try:
        host, port = settings.listen_address
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"cannot listen on {where}: {getattr(error, 'strerror', None) or error}") from None
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
        tune(sock)
    except OSError as error:
        sock.close()
        raise ConfigError(
            f"cannot listen on {where}: {error.strerror}; set another address with --listen or FSIVR_LISTEN"
        ) from None
    return sock
