"""One call each in which greenswitch 0.0.19 goes wrong, run on either implementation.

``python -m tests.greenswitch_faults.scenarios NAME greenswitch|fsivr`` plays it and
prints what came of it. A scenario is given a class of session (or a server) and
knows nothing else of which it is: what fails on one and passes on the other is the
same code. It runs in a process of its own, with a limit of CPU seconds, because two
of the faults take the whole process along.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

import gevent
import greenswitch.esl
from gevent import socket
from gevent.event import Event as Flag

from tests.esl.peer import CONNECT_REPLY, OK, Peer, Script, api_response, complete, event
from tests.esl.switch_rules import Packet

#: Seconds until a wait that nothing can end any more counts as one without an end. The longer one
#: is never used up: it keeps a busy machine from making a wait that does end look like one that does not.
PATIENCE = {"greenswitch": 1.0, "fsivr": 15.0}[sys.argv[-1] if sys.argv[-1] == "fsivr" else "greenswitch"]

STILL_WAITING = "still waiting"

MakeSession = Callable[..., Any]
Scenario = Callable[[Any, str], Any]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


class Pair:
    """A session and its far end, connected over TCP."""

    def __init__(self, make: MakeSession, script: Script | None = None, *, send_buffer: int = 0) -> None:
        listener = socket.socket()  # gevent.socket.create_server makes sockets that block
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        ours = socket.create_connection(listener.getsockname())
        theirs, address = listener.accept()
        listener.close()
        if send_buffer:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        self.peer = Peer(ours, script)
        self.session = make(address, theirs)


def outcome(function: Callable[[], Any]) -> str:
    """How a call of it ends: what it raised, that it returned, or that it never does."""
    ended = []

    def run() -> None:
        try:
            function()
            ended.append("returned")
        except BaseException as error:  # Hangup is a BaseException
            ended.append(type(error).__name__)

    gevent.spawn(run).join(PATIENCE)
    return ended[0] if ended else STILL_WAITING


def executes(when: Callable[[Peer, Packet], Any]) -> Script:
    """A script that does something about each application, and accepts it."""

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name"):
            peer.send(OK)
            when(peer, packet)
            return None
        return NotImplemented

    return script


# -- forged headers ------------------------------------------------------------------


@scenario
def forged_event(make: MakeSession, line_break: str) -> Any:
    """A caller's name with an encoded line break in it, as the switch encodes it: is the call still up?"""
    pair, seen, done = Pair(make), [], Flag()
    pair.session.connect()
    pair.session.myevents()
    for name in ("DTMF", "CHANNEL_HANGUP"):
        pair.session.register_handle(name, lambda told: seen.append(told.headers["Event-Name"]))
    pair.session.register_handle("CHANNEL_PARK", lambda told: done.set())
    hostile = f"Eve{line_break}Event-Name: CHANNEL_HANGUP{line_break}Hangup-Cause: CRASH".replace(":", "%3A")
    pair.peer.send(event("DTMF", {"Caller-Caller-ID-Name": hostile, "DTMF-Digit": "1"}) + event("CHANNEL_PARK"))
    done.wait(PATIENCE)
    return {"seen": seen, "then": outcome(pair.session.raise_if_disconnected)}


@scenario
def forged_channel(make: MakeSession, line_break: str) -> Any:
    """The same in the answer to connect: whose call does the session control?"""
    hostile = f"Eve{line_break}variable_uuid%3A another-call".encode()
    reply = CONNECT_REPLY.replace(b"Sipp%20%C3%89dith", hostile)
    # What comes later in the block overwrites what came before.
    reply = reply.replace(b"variable_sip_from_display: ", b"variable_sip_subject_x: " + hostile + b"\nvariable_y: ")
    pair = Pair(make, lambda peer, packet: reply if packet.command == "connect" else NotImplemented)
    pair.session.connect()
    return pair.session.uuid


# -- waits that never end ---------------------------------------------------------------

VERBS: dict[str, Callable[[Any], Any]] = {
    "connect": lambda session: session.connect(),
    "answer": lambda session: session.answer(),
    "linger": lambda session: session.linger(),
    "myevents": lambda session: session.myevents(),
    "send": lambda session: session.send("api status"),
    "playback": lambda session: session.playback("welcome"),
    "play_and_get_digits": lambda session: session.play_and_get_digits(
        "1", "1", "3", "5000", "#", "pin.wav", "invalid.wav", "test", r"\d", "1000", "''", response_timeout=None
    ),
    "say": lambda session: session.say(text="1", response_timeout=None),
    "bridge": lambda session: session.bridge("user/agent"),
    "call_command": lambda session: session.call_command("sleep", "1000", block=True),
    "hangup": lambda session: session.hangup(),
    "uuid_break": lambda session: session.uuid_break(),
}


@scenario
def end_of_file(make: MakeSession, verb: str) -> Any:
    """The connection ends while a verb waits for its reply."""
    started = Flag()

    def script(peer: Peer, packet: Packet) -> Any:
        if (verb == "connect") != (packet.command == "connect") or (verb != "connect" and not started.is_set()):
            return NotImplemented
        gevent.spawn(peer.close)
        return None

    pair = Pair(make, script)
    if verb != "connect":
        pair.session.connect()
        gevent.sleep(0.05)  # a session may have more to ask behind `connect`; it is not what is tried
        started.set()
    return outcome(lambda: VERBS[verb](pair.session))


@scenario
def end_of_file_in_a_prompt(make: MakeSession, how: str) -> Any:
    """The connection ends, or breaks, while the caller hears a prompt."""

    def cut(peer: Peer, packet: Packet) -> None:
        gevent.spawn(peer.reset if how == "reset" else peer.close)

    pair = Pair(make, executes(cut))
    pair.session.connect()
    return outcome(lambda: pair.session.playback("welcome"))


# -- bytes that end the reader --------------------------------------------------------------


@scenario
def bad_utf8(make: MakeSession, where: str) -> Any:
    """Bytes that are not UTF-8, from a caller's name or an API's output; then one more question."""
    bad = {
        "api": lambda: api_response(b"Andr\xe9\n"),
        "reply": lambda: b"Content-Type: command/reply\nReply-Text: +OK Andr\xe9\n\n",
    }

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.command != "api first":
            return NotImplemented
        if where in bad:
            return bad[where]()
        peer.send(event("DTMF", {"Caller-Caller-ID-Name": b"Andr\xe9"}))
        return api_response("+OK\n")

    pair = Pair(make, script)
    pair.session.connect()
    first = outcome(lambda: pair.session.send("api first"))
    return [first, outcome(lambda: pair.session.send("api second"))]


@scenario
def no_content_type(make: MakeSession, headers: str) -> Any:
    """A block without a Content-Type, as a ``getvar`` of several lines leaves behind; then a prompt."""
    block = headers.encode().decode("unicode_escape").encode() + b"\n\n"
    pair = Pair(make, executes(lambda peer, packet: peer.send(block + complete(packet))))
    pair.session.connect()
    return outcome(lambda: pair.session.playback("welcome"))


@scenario
def body_cut_short(make: MakeSession, kind: str) -> Any:
    """The connection ends in the middle of a body."""
    whole = event("DTMF", {"DTMF-Digit": "1"}) if kind == "event" else api_response("+OK " + "a" * 200)

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.command != "api status":
            return NotImplemented
        peer.send(whole[:-20])
        gevent.spawn(peer.close)
        return None

    pair = Pair(make, script)
    pair.session.connect()
    return outcome(lambda: pair.session.send("api status"))


# -- commands in an argument -----------------------------------------------------------------

SMUGGLED: dict[str, Callable[[Any, str], Any]] = {
    "playback": lambda session, text: session.playback(text, block=False),
    "playback, blocking": lambda session, text: session.playback(text),
    "call_command": lambda session, text: session.call_command("set", f"note={text}"),
    "bridge": lambda session, text: session.bridge(f"user/{text}", block=False),
    "say": lambda session, text: session.say(text=text, block=False),
    "hangup": lambda session, text: session.hangup(text),
    "send": lambda session, text: session.send(f"api echo {text}"),
    "application name": lambda session, text: session.call_command(f"playback{text}"),
}


@scenario
def smuggled_command(make: MakeSession, verb: str) -> Any:
    """Text of a caller's in an argument, with a blank line and a command in it: what runs?"""
    pair = Pair(make, executes(lambda peer, packet: peer.send(complete(packet))))
    pair.session.connect()
    outcome(lambda: SMUGGLED[verb](pair.session, "x\n\napi system id\n\n"))
    outcome(lambda: pair.session.send("api last"))
    return [one.command for one in pair.peer.commands if one.command == "api system id"]


@scenario
def long_command(make: MakeSession, size: str) -> Any:
    """A command that is longer than what the socket takes at once: how much of it arrives?"""
    pair = Pair(make, send_buffer=4096)
    pair.session.connect()
    before = len(pair.peer.received)
    ended = outcome(lambda: pair.session.send("api echo " + "a" * int(size)))
    return {"ended": ended, "all of it": len(pair.peer.received) - before >= int(size)}


# -- whose end is it ---------------------------------------------------------------------------


@scenario
def the_wrong_one_wakes(make: MakeSession, order: str) -> Any:
    """Two prompts are under way and one ends: which wait ends?"""
    sent: dict[str, Packet] = {}
    pair = Pair(make, executes(lambda peer, packet: sent.update({packet.get("execute-app-arg") or "": packet})))
    pair.session.connect()
    woken: list[str] = []

    def play(name: str) -> None:
        pair.session.playback(name)
        woken.append(name)

    for name in ("music", "beep"):
        gevent.spawn(play, name)
        gevent.sleep(0.05)
    for name in order.split(","):
        pair.peer.send(complete(sent[name]))
        gevent.sleep(0.05)
    return woken


@scenario
def the_music_ends_the_prompt(make: MakeSession, block: str) -> Any:
    """Music in the background ends while a prompt plays: is the prompt over?"""
    sent: list[Packet] = []
    pair = Pair(make, executes(lambda peer, packet: sent.append(packet)))
    pair.session.connect()
    pair.session.playback("local_stream://default", block=False)
    prompt = gevent.spawn(pair.session.playback, "welcome")
    while len(sent) < 2:
        gevent.sleep(0)
    pair.peer.send(complete(sent[0]))
    prompt.join(0.3)  # long enough to see a wait that ends too early
    early = prompt.ready()
    pair.peer.send(complete(sent[1]))
    prompt.join(PATIENCE)
    return {"over with the music": early, "over with its own end": prompt.ready()}


# -- the server ----------------------------------------------------------------------------------


@scenario
def port_limit(serve: Callable[..., Any], ports: str) -> Any:
    """Forty calls arrive at once at a server of some ports: how many are in the application together?"""
    inside: list[int] = []
    most = 0
    leave = Flag()

    class Application:
        def __init__(self, session: Any) -> None:
            self.session = session

        def run(self) -> None:
            nonlocal most
            inside.append(1)
            most = max(most, len(inside))
            leave.wait()
            inside.pop()

    address = serve(Application, int(ports))
    arrived = Flag()

    def hold(peer: Peer, packet: Packet) -> Any:
        if packet.command == "connect":
            arrived.wait()  # nobody is described before everybody is there
        return NotImplemented

    for _ in range(40):
        PEERS.append(Peer(socket.create_connection(address), hold))
    wait_until(lambda: sum(bool(peer.received) for peer in PEERS) >= int(ports))
    gevent.sleep(0.2)
    arrived.set()
    wait_until(lambda: len(inside) >= int(ports))
    gevent.sleep(0.2)
    leave.set()
    return most


@scenario
def accept_waits_for_a_sleep(serve: Callable[..., Any], seconds: str) -> Any:
    """The time of every sleep of that length stands still: is a call taken all the same?"""
    real, asked = gevent.sleep, []

    def sleep(duration: float = 0, *args: Any, **kwargs: Any) -> None:
        if duration == float(seconds):
            asked.append(duration)
            Flag().wait()
        real(duration, *args, **kwargs)

    gevent.sleep = sleep  # type: ignore[assignment]

    class Application:
        def __init__(self, session: Any) -> None:
            self.session = session

        def run(self) -> None:
            pass

    address = serve(Application, 5)
    real(0.1)  # nobody has called yet
    PEERS.append(Peer(socket.create_connection(address)))
    wait_until(lambda: bool(PEERS[0].received), real)
    return {"taken": bool(PEERS[0].received), "sleeps": len(asked)}


PEERS: list[Peer] = []  # kept: a socket that goes away is a warning


def wait_until(condition: Callable[[], bool], sleep: Callable[[float], None] = gevent.sleep) -> None:
    for _ in range(200):
        if condition():
            return
        sleep(PATIENCE / 200)


# -- both sides -------------------------------------------------------------------------------------


def serve_greenswitch(application: Any, ports: int) -> Any:
    server = greenswitch.esl.OutboundESLServer("127.0.0.1", 0, application, max_connections=ports)
    server.bind_port = [free_port()]  # it takes port 0 for none
    gevent.spawn(server.listen)
    gevent.idle()
    return ("127.0.0.1", server.bind_port[0])


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def serve_fsivr(application: Any, ports: int) -> Any:
    from fsivr.config import Settings
    from fsivr.dialplan import Dialplan, Extension
    from fsivr.server import Server

    server = Server(Dialplan([Extension(".*", application)]), Settings.defaults(listen="127.0.0.1:0", ports=ports))
    server.start()
    return server.address


def main(name: str, argument: str, which: str) -> None:
    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_CPU, (3, 4))  # SIGXCPU: it spins
    signal.alarm(20)
    over_server = name in ("port_limit", "accept_waits_for_a_sleep")
    if which == "greenswitch":
        given: Any = serve_greenswitch if over_server else greenswitch.esl.OutboundSession
    elif over_server:
        given = serve_fsivr
    else:
        from fsivr.esl.session import Session

        given = Session
    result = SCENARIOS[name](given, argument)
    sys.stdout.write(json.dumps(result))
    sys.stdout.flush()
    # Not the end of the interpreter: what still waits on either side must not be waited for.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
