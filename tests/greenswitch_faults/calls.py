"""One call each in which greenswitch 0.0.19 goes wrong; each is given a class of session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event as Flag

from tests.esl.peer import CONNECT_REPLY, Peer, api_response, complete, event
from tests.esl.switch_rules import Packet
from tests.greenswitch_faults.stage import (
    PATIENCE,
    MakeSession,
    Pair,
    executes,
    outcome,
    scenario,
)

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
