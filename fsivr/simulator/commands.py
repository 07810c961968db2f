"""What the event socket answers to each command (mod_event_socket.c, parse_command)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fsivr.simulator import wire
from fsivr.simulator.event import MY_EVENTS, NAMES, Event, opening
from fsivr.simulator.wire import Command, atoi

if TYPE_CHECKING:
    from fsivr.simulator.listener import Listener
    from fsivr.simulator.outbound import Outbound

_NOT_FOUND = "-ERR command not found"
_LOG_LEVELS = ("console", "alert", "crit", "err", "warning", "notice", "info", "debug")


def answer(outbound: Outbound, command: Command) -> None:
    """Do what a command asks, and answer it; whatever it is, nothing is raised."""
    line = command.line
    lower = line.lower()
    for prefix, act in _ANYWHERE:
        if lower.startswith(prefix):
            act(outbound, command, line[len(prefix) :])
            return
    if outbound.full:
        for prefix, act in _FULL:
            if lower.startswith(prefix):
                act(outbound, command, line[len(prefix) :])
                return
    outbound.reply(_NOT_FOUND)


def answer_inbound(listener: Listener, command: Command) -> None:
    """As ``answer``, for a connection that controls no channel and has logged in."""
    lower = command.line.lower()
    for prefix, act in _INBOUND:
        if lower.startswith(prefix):
            act(listener, command, command.line[len(prefix) :])
            return
    listener.reply(_NOT_FOUND)


def _exit(outbound: Listener, command: Command, rest: str) -> None:
    outbound.reply("+OK bye")
    outbound.say_goodbye()


def _filter(outbound: Listener, command: Command, rest: str) -> None:
    words = rest.lstrip(" ").split(" ", 1)
    name, value = words[0], words[1] if len(words) == 2 else None
    if name.lower() == "delete" and value is not None:
        name, _, unwanted = value.partition(" ")
        outbound.filters = [
            (key, held)
            for key, held in outbound.filters
            if not (name.lower() == "all" or (key.lower() == name.lower() and unwanted in ("", held)))
        ]
        outbound.reply(f"+OK filter deleted. [{name}][{unwanted}]")
    elif value is not None:
        if name.lower() == "add":
            name, _, value = value.partition(" ")
        outbound.filters.append((name, value))
        outbound.reply(f"+OK filter added. [{name}]=[{value}]")
    else:
        outbound.reply("-ERR invalid syntax")


def _resume(outbound: Outbound, command: Command, rest: str) -> None:
    outbound.channel.set("socket_resume", "true")
    outbound.reply("+OK")


def _connect(outbound: Outbound, command: Command, rest: str) -> None:
    outbound.connected = True
    rows = [
        *outbound.channel.snapshot(),
        ("Content-Type", "command/reply"),
        ("Reply-Text", "+OK\n"),
        ("Socket-Mode", "async"),
        ("Control", "full" if outbound.full else "single-channel"),
    ]
    outbound.line.send(wire.plain(rows))
    outbound.channel.wake(now=True)


def _getvar(outbound: Outbound, command: Command, rest: str) -> None:
    name = rest.partition(" ")[2]
    value = outbound.channel.lookup(name) if name else None
    # Raw, with every newline it has: framing is lost (FACTS 2.7).
    outbound.reply(value or _NOT_FOUND)


def _myevents(outbound: Listener, command: Command, rest: str) -> None:
    if outbound.restricted:
        outbound.reply("-ERR aready enabled.")
        return
    outbound.names |= MY_EVENTS
    outbound.only = rest.strip(" ").split(" ")[0] if outbound.controlled is None else outbound.controlled.uuid
    outbound.listening = True
    for format_ in ("xml", "json"):
        if format_ in rest or format_.upper() in rest:
            outbound.format = format_
    outbound.reply("+OK Events Enabled")


def _divert(outbound: Outbound, command: Command, rest: str) -> None:
    wanted = rest.strip(" ").lower()
    if not wanted:
        outbound.reply("-ERR missing value.")
        return
    outbound.channel.divert = wanted == "on"
    outbound.reply("+OK events diverted" if wanted == "on" else "+OK events not diverted")


def _sendmsg(outbound: Listener, command: Command, rest: str) -> None:
    target = rest.strip(" ") or command.get("session-id")
    thread = outbound.thread_of(target)
    if thread is None:
        outbound.reply(f"-ERR invalid session id [{target}]")
        return
    if thread.queue(command):
        outbound.reply("+OK")
    else:
        # Too many wait: no answer, the connection is dropped (capture 06i_sendmsg_queue_overflow).
        outbound.say_goodbye()


def _sendevent(outbound: Listener, command: Command, rest: str) -> None:
    name = rest.strip(" \t").upper()
    event_uuid = str(uuid.uuid4())
    switch = outbound.switch
    micros, sequence = switch.micros(), switch.next_sequence()
    rows = [("Command", command.line), *command.headers, ("Event-UUID", event_uuid)]
    owner = command.get("unique-id")
    known = name if name in NAMES else "CLONE"
    event = Event(known, owner, lambda: [*rows, *opening(known, micros, sequence)], command.body)
    channel = switch.channels.get(owner)
    if channel is not None and channel.divert and channel is outbound.controlled:
        # A diverted event has no Event-Name (FACTS 1.11).
        body = wire.plain(rows, command.body)
        outbound.line.send_event(b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(body), body)
    elif channel is not None:
        channel.publish(event)
    else:
        switch.broadcast(event, None)
    outbound.reply(f"+OK {event_uuid}")


def _api(outbound: Listener, command: Command, rest: str) -> None:
    from fsivr.simulator.api import run

    name, _, argument = rest.partition(" ")
    outbound.hold_events(lambda: run(outbound.switch, name, argument))


def _bgapi(outbound: Listener, command: Command, rest: str) -> None:
    from fsivr.simulator.api import SLOW, run

    job = command.get("job-uuid") or str(uuid.uuid4())
    outbound.reply(f"+OK Job-UUID: {job}", ("Job-UUID", job))
    name, _, argument = rest.partition(" ")
    if name.lower() in SLOW:
        outbound.switch.spawn(lambda: _end_job(outbound, job, name, argument, run(outbound.switch, name, argument)))
    else:
        _end_job(outbound, job, name, argument, run(outbound.switch, name, argument))


def _end_job(outbound: Listener, job: str, name: str, argument: str, result: str) -> None:
    switch = outbound.switch
    micros, sequence = switch.micros(), switch.next_sequence()
    controlled = outbound.controlled
    rows = [
        *opening("BACKGROUND_JOB", micros, sequence),
        ("Job-UUID", job),
        ("Job-Owner-UUID", "" if controlled is None else controlled.uuid),
        ("Job-Command", name),
        ("Job-Command-Arg", argument),
    ]
    event = Event("BACKGROUND_JOB", "", lambda: rows, result or "-ERR no reply\n")
    outbound.take_event(event)
    for other in switch.wide - {outbound}:
        other.take_event(event)


def _log(outbound: Listener, command: Command, rest: str) -> None:
    level = rest.strip(" ").split(" ")[0]
    number = atoi(level) if level[:1].isdigit() else -1
    if level.lower() in _LOG_LEVELS:
        number = _LOG_LEVELS.index(level.lower())
    if not level:
        number = 7
    if not 0 <= number <= 10:
        outbound.reply("-ERR invalid log level")
        return
    outbound.logging = True
    outbound.reply(f"+OK log level {level} [{number}]")


def _nolog(outbound: Listener, command: Command, rest: str) -> None:
    outbound.reply("+OK no longer logging" if outbound.logging else "-ERR not loging")
    outbound.logging = False


def _linger(outbound: Outbound, command: Command, rest: str) -> None:
    seconds = atoi(rest) if len(rest) > 1 and rest.startswith(" ") else -1
    outbound.linger = seconds
    outbound.reply("+OK will linger" if seconds == -1 else f"+OK will linger {seconds} seconds")


def _nolinger(outbound: Outbound, command: Command, rest: str) -> None:
    outbound.linger = None
    outbound.reply("+OK will not linger")


def _event(outbound: Listener, command: Command, rest: str) -> None:
    words = rest.partition(" ")[2].split(" ")
    if words[0].lower() in ("plain", "json", "xml"):
        outbound.format = words.pop(0).lower()
    known = _known(words, outbound.subclasses.add)
    if not known:
        outbound.reply("-ERR no keywords supplied")
        return
    outbound.names |= known
    outbound.listening = True
    outbound.reply(f"+OK event listener enabled {outbound.format}")


def _nixevent(outbound: Listener, command: Command, rest: str) -> None:
    known = _known(rest.partition(" ")[2].split(" "), outbound.subclasses.discard)
    if not known:
        outbound.reply("-ERR no keywords supplied")
        return
    if "ALL" in known:
        outbound.names.clear()
    elif "ALL" in outbound.names:
        outbound.names = set(NAMES) - {"ALL"}
    outbound.names -= known
    outbound.listening = True
    outbound.reply("+OK events nixed")


def _noevents(outbound: Listener, command: Command, rest: str) -> None:
    if not outbound.listening:
        outbound.reply("-ERR not listening for events")
        return
    outbound.listening = False
    outbound.names.clear()
    outbound.subclasses.clear()
    outbound.reply("+OK no longer listening for events")


def _known(words: list[str], subclass: Callable[[str], None]) -> set[str]:
    """The event names among some words; after CUSTOM, the words are its subclasses."""
    known: set[str] = set()
    for word in words:
        if "CUSTOM" in known:
            subclass(word)
        elif word.upper() in NAMES:
            known.add(word.upper())
    return known


# Those of the second table but a few take any listener.
_Act = Callable[[Any, Command, str], None]

# In the order in which parse_command compares: `event` would catch what begins so.
_ANYWHERE: tuple[tuple[str, _Act], ...] = (
    ("exit", _exit),
    ("...", _exit),
    ("filter ", _filter),
    ("resume", _resume),
    ("connect", _connect),
    ("getvar", _getvar),
    ("myevents", _myevents),
    ("divert_events", _divert),
    ("sendmsg", _sendmsg),
)
_FULL: tuple[tuple[str, _Act], ...] = (
    ("sendevent", _sendevent),
    ("api ", _api),
    ("bgapi ", _bgapi),
    ("log", _log),
    ("linger", _linger),
    ("nolinger", _nolinger),
    ("nolog", _nolog),
    ("event", _event),
    ("nixevent", _nixevent),
    ("noevents", _noevents),
)
_OF_A_CHANNEL = ("resume", "connect", "getvar", "divert_events", "linger", "nolinger")
_INBOUND = tuple(row for row in _ANYWHERE + _FULL if row[0] not in _OF_A_CHANNEL)
