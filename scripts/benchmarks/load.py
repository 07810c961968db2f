"""The switch's side of the outbound event socket, as a load: one epoll loop, no library.

It opens calls to a worker, keeps so many of them up, answers what the worker sends as
FreeSWITCH does, and honours what the worker subscribes to. Applications take no media time.
"""

from __future__ import annotations

import heapq
import select
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from frames import APPLICATIONS, CONNECT, DISCONNECT_NOTICE, HANGUP, LINGER_NOTICE, MY_EVENTS, PARK, Frame

#: Seconds from a hangup to its events: the switch looks at its queue once per media frame.
MEDIA_FRAME = 0.02
#: Seconds without anything to do after which a worker counts as stuck.
PATIENCE = 20.0
_REPLY = b"Content-Type: command/reply\nReply-Text: %b\n\n"
_API_RESPONSE = b"Content-Type: api/response\nContent-Length: %d\n\n%b"
_CALL_ID = b"5c09725d-aea0-4751-94f2-%012d"


@dataclass(frozen=True)
class Load:
    """What to run: where the worker listens, how many calls, how many of them at once."""

    port: int
    calls: int
    concurrent: int = 50
    #: Seconds from an execute to its events; 0 sends them once the other calls had their turn.
    pace: float = 0.0
    #: Send an event's outer head and the event in two writes, as FreeSWITCH does.
    split: bool = False
    #: Leave every call in the middle of its first playback, and go on opening others.
    hold: bool = False


@dataclass
class Counts:
    """What a load has seen; ``unfinished`` holds what was wrong with calls that were not whole."""

    opened: int = 0
    held: int = 0
    events: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    seconds: float = 0.0
    #: CPU seconds of the load itself for each second: near 1 it was the limit.
    busy: float = 0.0
    unfinished: list[str] = field(default_factory=list)
    #: The commands of the first call.
    first_call: list[str] = field(default_factory=list)


@dataclass(eq=False)
class Call:
    """One call: what was read of a command not yet whole, what is wanted, what was done."""

    sock: socket.socket
    call_id: bytes
    unread: bytes = b""
    unsent: bytes = b""
    wants: frozenset[str] = frozenset()
    linger: int | None = None
    done: list[bytes] = field(default_factory=list)
    exited: bool = False
    held: bool = False


@dataclass(order=True)
class Plan:
    """Events to send to a call at a time."""

    due: float
    number: int
    call: Call = field(compare=False)
    frames: tuple[Frame, ...] = field(compare=False)
    execute_id: bytes = field(default=b"", compare=False)
    #: The variable that the digits are to be in.
    variable: bytes = field(default=b"", compare=False)


class Switch:
    """Runs one load to its end.

    :param verbs: the applications a whole call has run; a call that ends with others is unfinished.
    """

    def __init__(self, load: Load, verbs: list[bytes]) -> None:
        self.load = load
        self.verbs = verbs
        self.counts = Counts()
        self.calls: dict[int, Call] = {}
        self._epoll = select.epoll()
        self._plans: list[Plan] = []
        self._planned = 0

    def run(self) -> Counts:
        """The counts, once every call is over or, where they are to be held, in its playback."""
        started, cpu = time.monotonic(), time.process_time()
        while self._under_way():
            self._open_calls()
            ready = self._epoll.poll(self._patience())
            if not ready and not self._plans:
                raise TimeoutError(f"{len(self.calls)} calls stuck, the first after {self._first_stuck()}")
            for fd, flags in ready:
                self._serve(self.calls[fd], flags)
            self._send_due()
        self.counts.seconds = time.monotonic() - started
        self.counts.busy = (time.process_time() - cpu) / self.counts.seconds
        return self.counts

    def _under_way(self) -> bool:
        if self.load.hold:
            return self.counts.held < self.load.calls
        return bool(self.calls) or self.counts.opened < self.load.calls

    def _open_calls(self) -> None:
        counts, load = self.counts, self.load
        while counts.opened < load.calls and len(self.calls) - counts.held < load.concurrent:
            sock = socket.create_connection(("127.0.0.1", load.port), timeout=PATIENCE)
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            counts.opened += 1
            self.calls[sock.fileno()] = Call(sock, _CALL_ID % counts.opened)
            self._epoll.register(sock.fileno(), select.EPOLLIN)

    def _patience(self) -> float:
        return max(0.0, self._plans[0].due - time.monotonic()) if self._plans else PATIENCE

    def _first_stuck(self) -> list[bytes]:
        return next(iter(self.calls.values())).done

    # -- what the worker says ------------------------------------------------------

    def _serve(self, call: Call, flags: int) -> None:
        if flags & select.EPOLLOUT:
            self._epoll.modify(call.sock, select.EPOLLIN)
            unsent, call.unsent = call.unsent, b""
            self._send(call, unsent)
        if not flags & ~select.EPOLLOUT:
            return
        try:
            data = call.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._close(call)
            return
        self.counts.bytes_in += len(data)
        *commands, call.unread = (call.unread + data).split(b"\n\n")
        if call.call_id == _CALL_ID % 1:
            self.counts.first_call += [command.decode() for command in commands]
        self._send(call, b"".join([self._reply(call, command) for command in commands]))
        if call.exited:
            self._close(call)

    def _reply(self, call: Call, command: bytes) -> bytes:
        verb, _, rest = command.partition(b" ")
        if command.startswith(b"sendmsg"):
            self._take_message(call, command)
            return _REPLY % b"+OK"
        if verb == b"connect":
            return CONNECT.parts(call.call_id)[1]
        if verb == b"api":
            if rest.startswith(b"uuid_kill"):
                self._hang_up(call)
            output = b"true" if rest.startswith(b"uuid_exists") else b"+OK\n"
            return _API_RESPONSE % (len(output), output)
        if verb == b"exit":
            call.exited = True
            return _REPLY % b"+OK bye" + DISCONNECT_NOTICE.parts(call.call_id)[1]
        return _REPLY % self._subscribe(call, verb, rest)

    def _subscribe(self, call: Call, verb: bytes, rest: bytes) -> bytes:
        if verb == b"myevents":
            call.wants = MY_EVENTS
            self._plan(call, PARK)
            return b"+OK Events Enabled"
        if verb == b"noevents":
            call.wants = frozenset()
            return b"+OK no longer listening for events"
        if verb == b"event" and rest.startswith(b"plain "):
            call.wants |= frozenset(rest.decode().split()[1:])
            return b"+OK event listener enabled plain"
        if verb == b"linger":
            call.linger = int(rest or -1)
            return b"+OK will linger"
        raise ValueError(f"a command that this load does not know: {verb!r} {rest!r}")

    def _take_message(self, call: Call, command: bytes) -> None:
        headers = dict(line.split(b": ", 1) for line in command.split(b"\n")[1:])
        application = headers.get(b"execute-app-name", b"hangup")
        if application == b"hangup":
            self._hang_up(call)
            return
        call.done.append(application)
        frames, variable = APPLICATIONS[application], b""
        if application == b"play_and_get_digits":
            variable = headers[b"execute-app-arg"].split(b" ")[7]
        if self.load.hold and application == b"playback" and not call.held:
            call.held = True
            self.counts.held += 1
            frames = frames[:1]
        execute_id = headers.get(b"Event-UUID") or b"c0ffee00-aea0-4751-94f2-%012d" % self._planned
        self._plan(call, frames, execute_id, variable, pace=self.load.pace)

    def _hang_up(self, call: Call) -> None:
        # A media frame later, whatever the pace: whoever sends `exit` at once sees nothing of it.
        call.done.append(b"hangup")
        tail = HANGUP + (() if call.linger is None else (LINGER_NOTICE,))
        self._plan(call, tail, pace=MEDIA_FRAME)
        if call.linger != -1:
            self._plan(call, (DISCONNECT_NOTICE,), pace=MEDIA_FRAME + (call.linger or 0))

    def _close(self, call: Call) -> None:
        del self.calls[call.sock.fileno()]
        call.sock.close()
        if call.done != self.verbs and not self.load.hold:
            self.counts.unfinished.append(f"{call.call_id.decode()} {call.done}")

    # -- what the switch says ------------------------------------------------------

    def _plan(
        self, call: Call, frames: tuple[Frame, ...], execute_id: bytes = b"", variable: bytes = b"", pace: float = 0.0
    ) -> None:
        self._planned += 1
        plan = Plan(time.monotonic() + pace, self._planned, call, frames, execute_id, variable)
        heapq.heappush(self._plans, plan)

    def _send_due(self) -> None:
        now = time.monotonic()
        while self._plans and self._plans[0].due <= now:
            plan = heapq.heappop(self._plans)
            call = plan.call
            if call.sock.fileno() < 0:
                continue
            writes: list[bytes] = []
            for frame in plan.frames:
                if not frame.event or frame.event in call.wants:
                    writes += frame.parts(call.call_id, plan.execute_id, plan.variable)
                    self.counts.events += 1
            self._write(call, writes)
            if DISCONNECT_NOTICE in plan.frames and call.sock.fileno() >= 0:
                self._close(call)

    def _write(self, call: Call, writes: Iterable[bytes]) -> None:
        if not self.load.split:
            writes = (b"".join(writes),)
        for text in writes:
            self._send(call, text)

    def _send(self, call: Call, text: bytes) -> None:
        if call.unsent:
            call.unsent += text
            return
        if not text:
            return
        try:
            sent = call.sock.send(text)
        except BlockingIOError:
            sent = 0
        except OSError:  # the worker has closed; the loop will read its end
            return
        self.counts.bytes_out += sent
        if sent < len(text):
            call.unsent = text[sent:]
            self._epoll.modify(call.sock, select.EPOLLIN | select.EPOLLOUT)
