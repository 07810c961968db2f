"""Admission: whether a call is taken, and the refusal of one that is not, before it is answered."""

from __future__ import annotations

import logging
import sys

from gevent import socket

from fsivr.config import Settings
from fsivr.server.counts import Counts
from fsivr.server.history import History
from fsivr.server.loop import LoopWatch
from fsivr.server.ports import Port, Ports
from fsivr.server.refusal import Reason, refuse

log = logging.getLogger(__name__)


class Admission:
    """Gives each call a port, or a reason why there is none.

    :param settings: ``when_full`` and ``reply_timeout`` of them.
    :param ports: those there are.
    :param loop: whose lag is looked at.
    :param counts: where refusals are counted.
    """

    def __init__(self, settings: Settings, ports: Ports, loop: LoopWatch, counts: Counts) -> None:
        self._how, self._patience = settings.when_full, settings.reply_timeout
        self._ports = ports
        self._loop = loop
        self._counts = counts
        self._under_way = Ports(sys.maxsize)  # refusals, to be waited for
        self._said = False

    def take(self, *, stopping: bool) -> Port | Reason:
        """A port, or why there is none."""
        if stopping:
            return Reason.STOPPING
        if self._loop.behind:
            self._say_behind()
            return Reason.LAG
        self._said = False
        return self._ports.take() or Reason.PORTS

    def refuse(self, sock: socket.socket, reason: Reason, history: History | None) -> None:
        """Refuse the call on a fresh connection, and count it; closes the socket.

        :param history: what keeps that it was.
        """
        self._counts.refused[reason] += 1
        under_way = self._under_way.take()
        try:
            said = refuse(sock, self._how, self._patience)
            if history is not None:
                history.refused(said, self._how, reason)
        finally:
            if under_way is not None:
                under_way.release()

    def wait(self) -> None:
        """Wait for refusals that are under way."""
        self._under_way.idle.wait(self._patience + 1)

    def _say_behind(self) -> None:
        if not self._said and self._loop.lag is not None:
            self._said = True
            log.warning(
                "new calls are refused until the event loop is on time again: it was late again and again, "
                "by up to %.2f s",
                self._loop.lag.most,
            )
