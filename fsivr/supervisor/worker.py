"""Worker: a process that takes calls, as its supervisor sees it."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gevent
from gevent import socket, subprocess
from gevent.event import Event

from fsivr.supervisor.channel import Channel

log = logging.getLogger(__name__)

# Seconds in which a worker that stands still is to have said where, before it is killed.
_LAST_WORD = 0.5


class Worker:
    """A process of its own, started now.

    :param slot: which of the sockets it takes calls from, counted from 1.
    :param sock: that socket. ``ports``: the file of the ports.
    :param command: what is run; what it inherits is added to it.
    :param environ: its environment. ``cwd``: the folder it is started in; this process's where None.
    :param on_end: called once, with the worker, when the process has ended.
    :raises OSError: the machine has no room for it.
    """

    def __init__(
        self,
        slot: int,
        *,
        sock: socket.socket,
        ports: int,
        command: Sequence[str],
        environ: Mapping[str, str],
        cwd: str | None,
        on_end: Callable[[Worker], None],
    ) -> None:
        self.slot = slot
        #: What it said it serves, one text an extension, once it is ready.
        self.extensions: list[list[str]] = []
        #: Set when it is ready, and when it has ended.
        self.decided, self.ended = Event(), Event()
        self.ready = self.accepting = self.draining = False
        #: Calls that it holds.
        self.calls = 0
        self.code: int | None = None
        self.began = self.seen = time.monotonic()
        self._on_end = on_end
        self._process: Any
        self._process, self._channel = _started(slot, sock, ports, command, environ, cwd)
        gevent.spawn(self._listen)
        gevent.spawn(self._wait)

    @property
    def pid(self) -> int:
        """Its process."""
        return int(self._process.pid)

    @property
    def name(self) -> str:
        """What it is called in the log: no two processes that run have the same."""
        return name_of(self.slot, self.pid)

    def accept(self) -> None:
        """Have it take calls."""
        self.accepting = True
        self._channel.say(do="accept")

    def retire(self, patience: float) -> None:
        """Have it take no more, refuse none, and end when its calls have, or after so many seconds."""
        self.accepting, self.draining = False, True
        self._channel.say(do="retire", patience=patience)

    def drain(self, patience: float) -> None:
        """Have it refuse what arrives, and end when its calls have, or after so many seconds."""
        self.accepting, self.draining = False, True
        self._channel.say(do="drain", patience=patience)

    def kill(self) -> None:
        """End it at once."""
        if self.code is None:
            self._process.kill()

    def kill_stuck(self) -> None:
        """End one that does nothing any more; it writes to the log where it stands, which needs no loop of its own."""
        if self.code is None and self.ready:
            os.kill(self.pid, signal.SIGUSR1)
            self.ended.wait(_LAST_WORD)
        self.kill()

    def _listen(self) -> None:
        for said in self._channel:
            self.seen = time.monotonic()
            self.calls = said.get("calls", self.calls)
            if "ready" in said:
                self.ready, self.extensions = True, said["ready"]
                self.decided.set()

    def _wait(self) -> None:
        self.code = self._process.wait()
        self.accepting = False
        self._channel.close()
        self.ended.set()
        self.decided.set()
        self._on_end(self)


def name_of(slot: int, pid: int) -> str:
    """The name of a worker."""
    return f"{slot}-{pid}"


def _started(
    slot: int,
    sock: socket.socket,
    ports: int,
    command: Sequence[str],
    environ: Mapping[str, str],
    cwd: str | None,
) -> tuple[Any, Channel]:
    ours, theirs = socket.socketpair()
    inherited = {"--slot": slot, "--socket": sock.fileno(), "--channel": theirs.fileno(), "--ports-file": ports}
    options = [str(each) for pair in inherited.items() for each in pair]
    try:
        # In a session of its own: a ctrl-C in the terminal is for the supervisor.
        process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            env=dict(environ),
            cwd=cwd,
            pass_fds=(sock.fileno(), theirs.fileno(), ports),
            start_new_session=True,
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, Channel(ours)
