"""The API commands of the simulated switch (mod_commands.c), as ``api`` and ``bgapi`` run them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from fsivr.causes import HangupCause
from fsivr.simulator import configured, rooms
from fsivr.simulator.originating import originate
from fsivr.simulator.recording import uuid_record
from fsivr.simulator.tokens import expand, separate
from fsivr.simulator.wire import atoi, plain

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel
    from fsivr.simulator.switch import Switch

_NO_CHANNEL = "-ERR No such channel!\n"
_OK = "+OK\n"
_MOST_VARIABLES = 64  # of one uuid_setvar_multi


def run(switch: Switch, name: str, argument: str) -> str:
    """What an API command prints; ``""`` for nothing."""
    act = _TABLE.get(name.lower())
    if act is None:
        return f"-ERR {name} Command not found!\n"
    return act(switch, argument)


def _status(switch: Switch, argument: str) -> str:
    calls = len(switch.channels)
    seconds = int(switch.clock.now())
    return (
        f"UP 0 years, 0 days, {seconds // 3600} hours, {seconds % 3600 // 60} minutes, {seconds % 60} seconds, "
        "0 milliseconds, 0 microseconds\n"
        "FreeSWITCH (Version 1.11.3-dev git cc93a68 2026-08-21 14:10:14Z 64bit) is ready\n"
        f"{switch.session_count} session(s) since startup\n{calls} session(s) - peak {calls}, last 5min {calls} \n"
        f"0 session(s) per Sec out of max {switch.most_per_second}, peak 6, last 5min 3 \n"
        f"{switch.most_sessions} session(s) max\n"
        "min idle cpu 0.00/97.00\nCurrent Stack Size/Max 240K/240K\n"
    )


def _exists(switch: Switch, argument: str) -> str:
    return "true" if argument in switch.channels or argument in switch.far_legs else "false"


def _kill(switch: Switch, argument: str) -> str:
    if not argument:
        return "-USAGE: <uuid> [cause]\n"
    target, _, cause_name = argument.partition(" ")
    cause = HangupCause.parse(cause_name or "16", HangupCause.NORMAL_CLEARING)
    if target in switch.far_legs:
        switch.far_legs[target].hangup(cause)
        return _OK
    channel = switch.channels.get(target)
    if channel is None:
        return _NO_CHANNEL
    channel.hangup(cause)
    return _OK


def _setvar(switch: Switch, argument: str) -> str:
    words = separate(argument, " ", 3)
    if len(words) < 2 or not words[0]:
        return "-USAGE: <uuid> <var> [value]\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return _NO_CHANNEL
    if not words[1]:
        return "-ERR No variable specified\n"
    channel.set(words[1], words[2] if len(words) == 3 else None)
    return _OK


def _setvar_multi(switch: Switch, argument: str) -> str:
    target, blank, variables = argument.partition(" ")
    if not blank:
        return ""
    channel = switch.channels.get(target)
    usage = "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"
    if channel is None:
        return _NO_CHANNEL + usage
    complaints = ""
    done = False
    for part in separate(variables, ";", _MOST_VARIABLES):
        name, _, value = part.partition("=")
        if name:
            channel.set(name, value)
            done = True
        else:
            complaints += "-ERR No variable specified\n"
    return complaints + (_OK if done else usage)


def _getvar(switch: Switch, argument: str) -> str:
    words = separate(argument, " ", 4)
    if len(words) < 2 or not words[0]:
        return "-USAGE: <uuid> <var>\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return _NO_CHANNEL
    if not words[1]:
        return "-ERR No variable name specified!\n"
    name, bracket, index = words[1].partition("[")
    value = channel.lookup(name)
    if bracket and value is not None and value.startswith("ARRAY::"):
        items = value.removeprefix("ARRAY::").split("|:")
        place = atoi(index)
        value = items[place] if 0 <= place < len(items) else None
    return "_undef_" if value is None else value


def _break(switch: Switch, argument: str) -> str:
    if not argument:
        return "-USAGE: <uuid> [all]\n"
    target, _, flag = argument.partition(" ")
    channel = switch.channels.get(target)
    if channel is None:
        return _NO_CHANNEL
    if "all" in flag:
        channel.commands.clear()
    stop(channel)
    return _OK


def stop(channel: Channel) -> None:
    """Have the running application end, and its loop with it."""
    channel.stopping = True
    channel.breaking = True
    channel.wake()


def _dump(switch: Switch, argument: str) -> str:
    channel = switch.channels.get(argument.partition(" ")[0])
    if channel is None:
        return _NO_CHANNEL
    rows = [row for row in channel.snapshot() if not row[0].startswith("Channel-Channel-")]
    return plain(rows).decode("ascii", "replace")


def _transfer(switch: Switch, argument: str) -> str:
    words = argument.split(" ")
    channel = switch.channels.get(words[0])
    if channel is None:
        return _NO_CHANNEL
    if len(words) < 2:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    channel.inline = words[2:3] == ["inline"]
    channel.transfer(words[1])
    return _OK


def _recv_dtmf(switch: Switch, argument: str) -> str:
    target, _, digits = argument.partition(" ")
    channel = switch.channels.get(target)
    if channel is None:
        return "-ERR invalid session id.\n"
    for digit in digits.partition("@")[0]:
        if digit in "0123456789*#ABCD":
            channel.press(digit, source="APP", duration=2000)
    return _OK


def _msleep(switch: Switch, argument: str) -> str:
    switch.rest(max(0, atoi(argument)) / 1000)
    return "+OK\n"


def _module_exists(switch: Switch, argument: str) -> str:
    return "false" if argument in switch.modules_missing else "true"


_TABLE: dict[str, Callable[[Switch, str], str]] = {
    "status": _status,
    "module_exists": _module_exists,
    "uuid_exists": _exists,
    "uuid_kill": _kill,
    "uuid_setvar": _setvar,
    "uuid_setvar_multi": _setvar_multi,
    "uuid_getvar": _getvar,
    "uuid_break": _break,
    "uuid_dump": _dump,
    "uuid_transfer": _transfer,
    "uuid_recv_dtmf": _recv_dtmf,
    "uuid_record": uuid_record,
    "strmicroepoch": lambda switch, argument: str(switch.micros()),
    "msleep": _msleep,
    "originate": originate,
    "show": configured.show,
    "version": lambda switch, argument: "1.11.3-dev\n" if argument.startswith("short") else _VERSION,
    "hostname": lambda switch, argument: "simulator",
    "create_uuid": lambda switch, argument: str(uuid.uuid4()),
    "echo": lambda switch, argument: argument,
    "eval": lambda switch, argument: expand(argument, _globals),
    "expr": lambda switch, argument: "!err!",
    "global_getvar": lambda switch, argument: _globals(argument) or "",
    "log": lambda switch, argument: _OK,
    "system": lambda switch, argument: "",
    "reloadxml": lambda switch, argument: "+OK [Success]\n",
    **configured.API,
    **rooms.API,
}

#: Those that take their time: as a background job they hold up nothing else.
SLOW = frozenset({"originate"})

_VERSION = "FreeSWITCH Version 1.11.3-dev~64bit (git cc93a68 2026-08-21 14:10:14Z 64bit)\n"


def _globals(name: str) -> str | None:
    return {"hostname": "simulator", "sound_prefix": "/usr/share/freeswitch/sounds"}.get(name)
