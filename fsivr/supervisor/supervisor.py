"""Supervisor: keeps up the workers that take calls, and takes none itself.

It holds their listening sockets, so that no caller who waits in one is lost with a worker, and the
file of the ports, so that the limit holds over all workers however they end.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence

import gevent
from gevent import socket
from gevent.event import Event

from fsivr.config import Settings
from fsivr.errors import ConfigError
from fsivr.listening import listening_together, written
from fsivr.store import Journal
from fsivr.supervisor.crew import Crew
from fsivr.supervisor.dead import Deaths
from fsivr.supervisor.notifying import Notifier
from fsivr.supervisor.worker import Worker

log = logging.getLogger(__name__)

#: Settings that a reload leaves as they are: what holds the workers together, and what is kept.
FIXED = ("listen", "workers", "node", "database")
_LOOK = 1.0
# Seconds that a worker may take beyond those its calls get: handlers to be shown out, and the last rows.
_LAST = 30.0
# Seconds within which the last rows of dead workers are written.
_ROWS = 5.0
# Seconds within which a process that is killed is gone, unless the kernel holds it, as for a disk that is away.
_KILLED = 5.0


class Supervisor:
    """Listens, and has ``workers`` processes take the calls.

    :param settings: see ``docs/workers.md``.
    :param command: what a worker runs.
    :param environ: makes a worker's environment of settings.
    :param reread: the settings as they are now, for a reload.
    :param cwd: the folder that workers are started in, looked up each time; this process's where None.
    :param on_reload: called with the settings that are in force after one.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        command: Sequence[str],
        environ: Callable[[Settings], Mapping[str, str]],
        reread: Callable[[], Settings],
        cwd: str | None = None,
        on_reload: Callable[[Settings], None] = lambda _: None,
        notifier: Notifier | None = None,
    ) -> None:
        self.settings = self._asked = settings
        self._command, self._environ, self._cwd = list(command), environ, cwd
        self._reread, self._on_reload = reread, on_reload
        self._notifier = notifier or Notifier({})
        self._ports = -1
        self._journal: Journal | None = None
        self._stops = 0
        self._wanted, self._over = Event(), Event()
        self._greenlets: list[gevent.Greenlet[..., None]] = []

    @property
    def ports_in_use(self) -> int:
        """Calls of all workers."""
        return self.crew.calls

    def start(self) -> list[list[str]]:
        """What is served, an extension each; every worker takes calls then.

        :raises ConfigError: the address cannot be had, the store is of a newer fsivr, or no worker can be started.
        """
        sockets = listening_together(self.settings, self.settings.workers)
        self.settings = dataclasses.replace(self.settings, listen=written(sockets[0].getsockname()))
        self._journal = Journal(self.settings.database)
        try:
            self._journal.start()
        except ConfigError:
            for sock in sockets:
                sock.close()
            raise
        self._deaths = Deaths(self._journal, self.settings.node_name, self.settings.listen)
        self._deaths.earlier()
        # It has no name, so that nothing else can open it, and is gone with the last process that has it.
        self._ports = os.memfd_create("fsivr-ports")
        self.crew = Crew(sockets, self._begin, self._on_death, patience=self.settings.worker_patience)
        lost = self.crew.renew(0)
        if lost is not None:
            self.crew.drain(0)
            self._journal.close(_ROWS)
            os.close(self._ports)
            raise ConfigError(f"cannot serve: {lost.why}; what was wrong is told above")
        self._greenlets = [gevent.spawn(self._watch), gevent.spawn(self._reload_when_asked)]
        self._notifier.ready(self._status())
        return self.crew.current[1].extensions

    def serve_forever(self) -> None:
        """Serve until ``stop``, called from elsewhere, and every worker has ended."""
        self._over.wait()
        gevent.killall(self._greenlets)
        if self._journal is not None:
            self._journal.close(_ROWS)
        os.close(self._ports)

    def stop(self, timeout: float | None = None) -> None:
        """Have all workers end when their calls have, or after so many seconds; returns at once.

        :param timeout: ``drain_timeout`` where None.
        """
        patience = self.settings.drain_timeout if timeout is None else timeout
        self._stops += 1
        self._notifier.stopping(self._status(), patience + _LAST)
        self.crew.drain(patience)
        gevent.spawn(self._end_all, patience + _LAST, self._stops)

    def reload(self) -> None:
        """Have new workers with the code and the settings of now; returns at once."""
        self._wanted.set()

    # -- greenlets of its own ----------------------------------------------------------------

    def _end_all(self, seconds: float, stop: int) -> None:
        until = time.monotonic() + seconds
        while self.crew.workers and time.monotonic() < until and stop == self._stops:
            gevent.sleep(0.05)
        if stop != self._stops:
            return  # a later order sees to it
        for worker in list(self.crew.workers):
            log.error("worker %s did not end in time, and is killed", worker.name)
            worker.kill()
            worker.ended.wait(_KILLED)
        gevent.sleep(0)  # what is to be written of the last is put by then
        self._over.set()

    def _watch(self) -> None:
        interval = min(_LOOK, self._notifier.interval or _LOOK)
        looked = time.monotonic()
        while True:
            gevent.sleep(interval)
            now = time.monotonic()
            stalled, looked = max(0.0, now - looked - 2 * interval), now
            gevent.sleep(0)  # what they said meanwhile is read first
            self.crew.look(stalled)
            self._notifier.alive()
            self._notifier.status(self._status())

    def _reload_when_asked(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if not self.crew.closed:
                self._notifier.reloading(self._status())
                try:
                    self._reloaded()
                except Exception:  # the next one may do, and systemd waits for the end of this one
                    log.exception("the reload went wrong")
            if not self.crew.closed:
                self._notifier.ready(self._status())

    def _reloaded(self) -> None:
        before = self.settings
        try:
            read = self._reread()
        except ConfigError as error:
            log.error("nothing is reloaded, and the workers go on: %s", error)
            return
        for name in FIXED:
            if getattr(read, name) != getattr(self._asked, name):
                log.warning("the setting %s has changed: it stays as it was until the next start", name)
        self.settings = dataclasses.replace(read, **{name: getattr(before, name) for name in FIXED})
        try:
            lost = self.crew.renew(self.settings.reload_timeout)
        except Exception:
            self.settings = before
            raise
        if lost is not None:
            self.settings = before
            if self.crew.closed:
                return
            log.error("nothing is reloaded, and the workers go on: %s; what was wrong is told above", lost.why)
            return
        self.crew.patience = self.settings.worker_patience
        log.info("reloaded: %s", self._status())
        self._on_reload(self.settings)

    # -- what the crew asks --------------------------------------------------------------------

    def _begin(self, slot: int, sock: socket.socket, on_end: Callable[[Worker], None]) -> Worker:
        return Worker(
            slot,
            sock=sock,
            ports=self._ports,
            command=self._command,
            environ=self._environ(self.settings),
            cwd=self._cwd,
            on_end=on_end,
        )

    def _on_death(self, worker: Worker) -> None:
        code = worker.code or 0
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        log.error("worker %s %s with %d calls, which are closed as interrupted", worker.name, how, worker.calls)
        self._deaths.of(worker.name)

    def _status(self) -> str:
        crew = self.crew
        draining = sum(worker.draining for worker in crew.workers)
        old = f", {draining} that let their last calls end" if draining else ""
        taking = sum(worker.accepting for worker in crew.workers)
        return f"{crew.calls} of {self.settings.ports} calls, {taking} of {self.settings.workers} workers{old}"
