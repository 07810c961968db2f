"""Server: listens for the switch and gives each call a port and a greenlet."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer

from fsivr.call import Call, NotedCall, Spool, forsake
from fsivr.causes import HangupCause
from fsivr.config import Settings
from fsivr.dialplan import Dialplan
from fsivr.errors import ConfigError, ESLError, Hangup
from fsivr.esl.orders import Limits
from fsivr.esl.session import Session
from fsivr.esl.transport import tune
from fsivr.listening import listening
from fsivr.prompts import PromptLibrary
from fsivr.server.admission import Admission
from fsivr.server.conversation import Conversation
from fsivr.server.counts import Counts
from fsivr.server.finding import Before, find
from fsivr.server.heartbeat import Load
from fsivr.server.history import History
from fsivr.server.keeping import Keeping
from fsivr.server.loop import LoopWatch
from fsivr.server.peers import Peers
from fsivr.server.ports import Port, Ports
from fsivr.server.refusal import Reason
from fsivr.server.watchdog import Block
from fsivr.store import Journal
from fsivr.switch import Switch
from fsivr.whose import about

log = logging.getLogger(__name__)

_LAST_ACCEPTS = 0.02
"""Seconds in which what has arrived before a stop is taken, to be refused."""
_LAST_SEALS = 4.0
"""Seconds in which recordings that have ended are sealed when the server stops."""


class Server:
    """Takes calls from FreeSWITCH's ``socket`` application and has handlers answer them.

    :param dialplan: which handler answers.
    :param settings: see ``docs/settings.md``.
    :param store: what each call is written to, at its start and its end, and each recording; nothing is, and
        recordings stay as the switch leaves them, where None.
    :param worker: what its calls are told apart by from those of other servers of this machine.
    :param ports: those it has, where it shares them with others; ``ports`` of the settings where None.
    """

    def __init__(
        self,
        dialplan: Dialplan,
        settings: Settings | None = None,
        *,
        store: Journal | None = None,
        worker: str = "",
        ports: Ports | None = None,
    ) -> None:
        self.settings = settings or Settings.defaults()
        self._history = None if store is None else History(store, node=self.settings.node_name, worker=worker)
        self._keeping = None if store is None else Keeping(self.settings, store)
        #: Which handler answers.
        self.dialplan = dialplan
        self._switch: Switch | None = None
        self._peers = Peers(self.settings.allow_networks)
        self._counts = Counts()
        self._limits = Limits(
            self.settings.reply_timeout, self.settings.probe_interval, self.settings.verb_limit, self._counts.replies
        )
        self._library = PromptLibrary.of(self.settings)
        self._spool = Spool(
            self.settings.recordings_path, keeper=self._keeping, classes=tuple(self.settings.retention_days)
        )
        self._listener: StreamServer | None = None
        self._address: tuple[str, int] | None = None
        self._conversations: set[Conversation] = set()
        self._stopped = Event()
        #: Whether it takes no more calls.
        self.draining = self._refusing = False
        self._ports = ports or Ports(self.settings.ports)
        self._loop = LoopWatch(self.settings, self._counts)
        self._admission = Admission(self.settings, self._ports, self._loop, self._counts)
        #: Called with each call that has ended.
        self.on_call_end: list[Callable[[Call], None]] = []

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
    def refused(self) -> int:
        """Calls refused: every port was in use, the event loop was behind, or the server was stopping."""
        return sum(self._counts.refused.values())

    @property
    def abandoned(self) -> int:
        """Handlers that would not leave a finished call."""
        return self._counts.abandoned

    @property
    def blocks(self) -> deque[Block]:
        """What kept all calls waiting, the latest last."""
        return self._loop.blocks

    @property
    def calls(self) -> list[Call]:
        """The calls that handlers hold now."""
        return [each.call for each in self._conversations]

    @property
    def switch(self) -> Switch:
        """The switch that handlers place calls with; connected when it is first used."""
        if self._switch is None:
            self._switch = self.make_switch()
            self._switch.stopping = self._refusing
        return self._switch

    def make_switch(self) -> Switch:
        """The switch that the settings name."""
        return Switch(self.settings, self.dialplan, listening=self.address)

    def start(self, sock: socket.socket | None = None, *, accepting: bool = True) -> None:
        """Listen; returns at once.

        :param sock: one that listens already; one on ``listen`` where None.
        :param accepting: whether calls are taken from now on; else ``accept`` begins it.
        :raises ConfigError: the address cannot be listened on, or the store is of a newer fsivr.
        """
        sock = sock or listening(self.settings)
        tune(sock)
        if self._history is not None:
            self._history.open(sock, self._load)
        if self._keeping is not None:
            self._keeping.start()
        listener = StreamServer(sock, self._serve)
        # Take all that is waiting before anything else runs: each admission is cheap.
        listener.max_accept = 512
        self._listener = listener
        self._address = sock.getsockname()[:2]
        if accepting:
            self.accept()

    def accept(self) -> None:
        """Take calls from now on."""
        if self._listener is None or self.draining:
            return
        self._listener.start()
        self._loop.start()

    def serve_forever(self) -> None:
        """Serve until ``stop``, called from elsewhere, has ended."""
        if self._listener is None:
            self.start()
        self._stopped.wait()

    def stop(self, timeout: float | None = None, *, refusing: bool = True) -> None:
        """Take no more calls, let those under way finish, hang up what is left.

        :param timeout: seconds to let them finish; ``drain_timeout`` where None.
        :param refusing: whether what waits to be accepted is refused; else it is left to whoever shares the socket.
        """
        self.draining = True
        self._refusing = self._refusing or refusing
        if self._switch is not None:
            self._switch.stopping = self._refusing
        if refusing:
            # What waits to be accepted is refused in words: closed on, it would stay
            # parked on the switch with nobody in control (FACTS 5.6).
            gevent.sleep(_LAST_ACCEPTS)
        if self._listener is not None:
            self._listener.close()
        gevent.sleep(0)  # what was accepted a moment ago has its port then
        patience = self.settings.drain_timeout if timeout is None else timeout
        if not self._ports.idle.wait(max(patience, 0.001)):
            log.warning("hanging up %d calls that did not finish in %g s", self.ports_in_use, patience)
            for conversation in list(self._conversations):
                conversation.stop(HangupCause.MANAGER_REQUEST)
            # Long enough for a handler that must be shown out, and for its on_hangup.
            self._ports.idle.wait(2 * (self.settings.hangup_grace + self.settings.reply_timeout) + 8)
        self._close()

    def _close(self) -> None:
        self._admission.wait()
        if self._switch is not None:
            self._switch.close()
        self._loop.stop()
        if self._keeping is not None:
            self._keeping.close(_LAST_SEALS)
        if self._history is not None:
            self._history.close()
        self._stopped.set()

    # -- one connection ------------------------------------------------------------------

    def _serve(self, sock: socket.socket, peer: Any) -> None:
        if not self._peers.allow(peer[0]):
            log.warning("refused a connection from %s: not in the setting 'allow'", peer[0])
            sock.close()
            return
        port = self._admission.take(stopping=self._refusing)
        if isinstance(port, Reason):
            self._admission.refuse(sock, port, self._history)
            return
        session = Session(peer, sock, self._limits)
        try:
            self._answer(session, port)
        except (Hangup, ESLError) as error:
            log.warning("a call from %s ended before its handler: %s", peer[0], error, extra={"call": session.uuid})
            cause = error.hangup_cause if isinstance(error, ESLError) else error.cause
            session.end(cause)
            self._counts.ended(cause)
            if self._history is not None:
                self._history.over_early(session, cause, error)
        finally:
            session.close()
            port.release()

    def _answer(self, session: Session, port: Port) -> None:
        """Find the handler and have it talk."""
        session.attach()
        about(session.uuid)
        kind = Call if self._history is None else NotedCall
        call = kind(session, self._library, self._spool, lambda: self.switch)
        found = find(self.dialplan, session, call.channel)
        if found.handler is None:
            self._turn_away(session, call, found.why)
        else:
            self._converse(session, call, found.handler, found.before, port)

    def _turn_away(self, session: Session, call: Call, why: str) -> None:
        session.end(HangupCause.NO_ROUTE_DESTINATION)
        self._counts.ended(HangupCause.NO_ROUTE_DESTINATION)
        if self._history is not None:
            self._history.turned_away(call.channel, HangupCause.NO_ROUTE_DESTINATION, why)

    def _converse(self, session: Session, call: Call, handler: type[Any], before: Before, port: Port) -> None:
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
        self._counts.taken += 1
        if self._history is not None:
            self._history.began(conversation, call.channel)
        conversation.run()

    def _load(self) -> Load:
        ports, counts = self._ports, self._counts
        done = (counts.taken, self.refused, counts.abandoned)
        told = {**counts.told(), **self._loop.told()}
        return Load(ports.in_use, ports.limit, ports.peak, *done, self.draining, told)

    def _on_end(self, port: Port, conversation: Conversation) -> None:
        call = conversation.call
        self._conversations.discard(conversation)
        if conversation.abandoned:
            self._counts.abandoned += 1
        self._counts.ended(call.hangup_cause)
        forsake(call)
        if self._history is not None:
            self._history.ended(conversation, self._counts)
        port.release()
        log.info("call %s: %s ended with %s", call.uuid, conversation.handler.__qualname__, call.hangup_cause)
        for listener in self.on_call_end:
            try:
                listener(call)
            except Exception:
                log.exception("a listener for the end of calls failed")
