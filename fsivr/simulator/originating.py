"""The API command ``originate`` of the simulated switch (mod_commands.c and switch_ivr_originate.c)."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from fsivr.causes import HangupCause
from fsivr.simulator.channel import Channel
from fsivr.simulator.farend import FarEnd
from fsivr.simulator.phone import Phone
from fsivr.simulator.sip import Profile
from fsivr.simulator.thread import Thread
from fsivr.simulator.tokens import is_true, separate
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.switch import Switch

_USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] "
    "[<timeout_sec>]\n"
)
_DEFAULT_TIMEOUT = 60.0


def originate(switch: Switch, argument: str) -> str:
    """What it prints: ``+OK`` and the channel's id once somebody answers, else ``-ERR`` and the last cause."""
    words = separate(argument, " ", 10)
    if not 2 <= len(words) <= 7:
        return _USAGE
    variables, endpoints = _taken_apart(words[0])
    if variables is None or not endpoints:
        return f"-ERR {HangupCause.NORMAL_CLEARING}\n"  # what the cause was before anybody was called
    limit = float(atoi(variables.get("originate_timeout", ""))) or float(atoi(words[6] if len(words) == 7 else ""))
    cause = HangupCause.NORMAL_CLEARING
    switch.sleeping += 1  # time may move: the answer comes when somebody has picked up
    try:
        for destination in re.split(r"[|,]", endpoints):
            thread = _channel(switch, destination, variables)
            failed = _dial(thread, _phone(switch, destination), variables, limit or _DEFAULT_TIMEOUT)
            if failed is None:
                _go_on(thread, words[1])
                return f"+OK {thread.channel.uuid}\n"
            cause = failed
            thread.end()
    finally:
        switch.sleeping -= 1
    return f"-ERR {cause.name}\n"


def _taken_apart(text: str) -> tuple[dict[str, str] | None, str]:
    """The variables in the braces, and what stands after them; None for braces without an end."""
    variables: dict[str, str] = {}
    text = text.lstrip(" ")
    while text.startswith("{"):
        end = _end_of_braces(text)
        if end is None:
            return None, ""
        for part in separate(text[1:end], ",", 1024):
            pair = separate(part, "=", 2)
            if len(pair) == 2:
                variables[pair[0]] = pair[1]
        text = text[end + 1 :].lstrip(" ")
    return variables, text


def _end_of_braces(text: str) -> int | None:
    """Where the first brace is closed; quotes do not count (switch_utils.c, switch_find_end_paren)."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if not depth:
            return place
    return None


def _channel(switch: Switch, destination: str, variables: dict[str, str]) -> Thread:
    switch.session_count += 1
    number = re.split(r"[@/]", destination.partition("@")[0])[-1]
    profile = Profile(
        variables.get("origination_uuid") or str(uuid.uuid4()),
        number,
        variables.get("origination_caller_id_number", "0000000000"),
        variables.get("origination_caller_id_name", ""),
        "default",
        "outbound",
    )
    channel = Channel(switch, profile, switch.session_count)
    channel.variables = {
        "direction": "outbound",
        "is_outbound": "true",
        "uuid": profile.uuid,
        "session_id": str(switch.session_count),
        "channel_name": profile.channel_name,
        **{name: value for name, value in variables.items() if value},
        "call_uuid": profile.uuid,
    }
    return Thread(switch, channel, [])


def _phone(switch: Switch, destination: str) -> Phone:
    """The telephone that a test holds, or one that does what was said of the destination."""
    held = switch.phones.get(destination)
    if held is not None and not held.rung:
        return held
    busy = held is not None and not held.over
    return Phone(switch, destination, FarEnd(HangupCause.USER_BUSY) if busy else switch.far_end(destination))


def _dial(thread: Thread, phone: Phone, variables: dict[str, str], limit: float) -> HangupCause | None:
    """Why it does not come to a call; None where it does."""
    channel, clock = thread.channel, thread.clock
    phone.ring(thread)
    began = clock.now()
    if phone.far_end.after:
        channel.ring_ready()
    while channel.up:
        far_end, now = phone.far_end, clock.now()
        if far_end.early and not is_true(variables.get("ignore_early_media", "")):
            channel.pre_answer()
            _leaves(channel, now + far_end.after, far_end.cause or far_end.ends)
            return None
        if now >= began + far_end.after - 1e-9:
            if far_end.cause is not None:
                channel.hangup(far_end.cause, by_caller=True)
                return far_end.cause
            channel.answer()
            if far_end.talks is not None:
                _leaves(channel, now + far_end.talks, far_end.ends)
            return None
        if now >= began + limit - 1e-9:
            channel.hangup(HangupCause.NO_ANSWER)
        else:
            thread.wait(began + min(far_end.after, limit))
    return channel.hangup_cause


def _leaves(channel: Channel, when: float, cause: HangupCause) -> None:
    channel.switch.clock.call_at(when, lambda: channel.hangup(cause, by_caller=True))


def _go_on(thread: Thread, extension: str) -> None:
    """Have the answered channel run ``&application(arguments)``, or an extension."""
    if extension.startswith("&") and len(extension) > 1:
        application, _, argument = extension[1:].partition(")")[0].partition("(")
        thread.actions = [(application, argument)]
    elif extension in thread.switch.extensions:
        thread.actions = list(thread.switch.extensions[extension])
    else:
        thread.actions = [("hangup", HangupCause.NO_ROUTE_DESTINATION.name)]
    thread.start()
