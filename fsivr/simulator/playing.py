"""Playing: files, values, tones, and what ends them."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from fsivr.simulator.clock import TICK, next_tick
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel
    from fsivr.simulator.thread import Thread

_STRING = "file_string://"
_ALL_KEYS = "0123456789*#ABCD"
_ANY = "1234567890*#"  # what "any" means (mod_dptools.c, on_dtmf)
# The switch reads a file ahead by so much (FACTS 4.8).
_READ_AHEAD_MS = 2048
_RATE = 8  # samples a millisecond


class Played(Enum):
    """How a file ended."""

    DONE = "FILE PLAYED"
    BREAK = "FILE PLAYED "
    NOT_FOUND = "FILE NOT FOUND"
    HANGUP = "PLAYBACK ERROR"


def terminators_of(channel: Channel) -> str:
    """The keys that stop a playback: ``*`` where nothing else is set (FACTS 4.4)."""
    setting = channel.variables.get("playback_terminators", "*")
    return {"none": "", "any": _ANY}.get(setting.lower(), setting)


def playback(thread: Thread, argument: str) -> None:
    """The application ``playback``; of what is repeated for ever, the caller hears the first round begin."""
    channel = thread.channel
    endless = channel.variables.get("total_loops") == "-1"
    again = endless and atoi(channel.variables.get("current_loop", "")) > 1
    channel.set("playback_terminator_used", None)
    outcome, _ = play_file(thread, argument, stop_on=terminators_of(channel), silent=again, endless=endless)
    channel.set("current_application_response", outcome.value.strip())


def endless_playback(thread: Thread, argument: str) -> None:
    """The application ``endless_playback``: not ended by one ``uuid_break`` (FACTS 3.15)."""
    while thread.channel.ready:
        outcome, _ = play_file(thread, argument)
        if outcome in (Played.NOT_FOUND, Played.HANGUP):
            break


def say(thread: Thread, argument: str) -> None:
    """The application ``say``."""
    _speak(thread, "say", argument)


def speak(thread: Thread, argument: str) -> None:
    """The application ``speak``."""
    _speak(thread, "speak", argument)


def phrase(thread: Thread, argument: str) -> None:
    """The application ``phrase``."""
    _speak(thread, "phrase", argument)
    thread.channel.set("current_application_response", "PHRASE PLAYED")


def gentones(thread: Thread, argument: str) -> None:
    """The application ``gentones``."""
    _speak(thread, "playback", f"tone_stream://{argument}")


def _speak(thread: Thread, application: str, argument: str) -> None:
    """Play what is no file, and tell which key ended it (mod_dptools.c, on_dtmf)."""
    channel = thread.channel
    channel.set("playback_terminator_used", None)
    length = thread.switch.length(application, argument)
    _, digit, _ = play_sound(thread, application, argument, length, terminators_of(channel))
    channel.set("playback_terminator_used", digit or None)


def play_file(
    thread: Thread,
    argument: str,
    *,
    stop_on: str = "",
    collect: bool = False,
    silent: bool = False,
    endless: bool = False,
) -> tuple[Played, str]:
    """How a file, or each of a ``file_string://``, ended, and the digit that stopped it.

    :param stop_on: the digits that stop it; others are reported and lost.
    :param collect: whether any digit stops it and counts.
    :param silent: what is played is not for the caller's ears, as in ``silence_stream://1``.
    :param endless: whether it is repeated until the handler stops it.
    """
    channel = thread.channel
    many = argument.startswith(_STRING)
    names = argument.removeprefix(_STRING).split("!") if many else [argument]
    # A file that is missing from a string is skipped without a word (FACTS 3.13).
    present = [name for name in names if name and not thread.switch.is_missing(name)]
    if not argument or (not present and not many):
        return Played.NOT_FOUND, ""
    began = thread.clock.now()
    channel.fire("PLAYBACK_START", after=[("Playback-File-Path", argument)])
    outcome, digit, nested = Played.DONE, "", 0.0
    for name in present:
        length = thread.switch.length("playback", name)
        stops = _ALL_KEYS if collect else stop_on
        heard_as = "" if silent else "playback"
        outcome, digit, spent = play_sound(thread, heard_as, name, length, stops, endless=endless)
        nested += spent
        if outcome is not Played.DONE:
            break
    if digit and not collect:
        channel.set("playback_terminator_used", digit)
    _tell_played(channel, argument, outcome, round((thread.clock.now() - began - nested) * 1000))
    return outcome, digit


def _tell_played(channel: Channel, argument: str, outcome: Played, played: int) -> None:
    total = played if outcome is Played.DONE else max(played, _READ_AHEAD_MS)
    channel.set("playback_last_offset_pos", str(played * _RATE))
    channel.set("playback_seconds", str(total // 1000))
    channel.set("playback_ms", str(total))
    channel.set("playback_samples", str(total * _RATE))
    status = "done" if outcome is Played.DONE else "break"
    channel.fire("PLAYBACK_STOP", after=[("Playback-File-Path", argument), ("Playback-Status", status)])


def _heard(thread: Thread, application: str, argument: str, endless: bool) -> Callable[[], None]:
    """Have the caller hear a sound begin; what is returned is to be called when it ends."""
    if not application:
        return lambda: None
    ended = thread.on_prompt(application, argument.removesuffix(";loops=-1") if endless else argument)
    if endless:
        ended()  # it has no end that the caller could wait for
    return ended


def _rest(thread: Thread, ends: float, endless: bool) -> None:
    """Wait until something comes; while nothing but music plays, it is the handler's turn."""
    channel = thread.channel
    thread.idle = endless and not (channel.digits or channel.commands)
    thread.wait(min(ends, next_tick(thread.clock.now())) if channel.digits else ends)
    thread.idle = False


def play_sound(
    thread: Thread, application: str, argument: str, length: float, stop_on: str, *, endless: bool = False
) -> tuple[Played, str, float]:
    """How a sound ended, the digit that stopped it, and the seconds that other applications took inside it.

    A command that comes meanwhile runs inside, and the sound goes on afterwards (FACTS 3.4).
    """
    channel, clock = thread.channel, thread.clock
    ended = _heard(thread, application, argument, endless)
    ends = clock.now() + length
    nested = 0.0
    outcome, digit = Played.DONE, ""
    while True:
        if not channel.ready:
            # Our own hangup counts as played, the caller's does not (FACTS 3.12).
            outcome = Played.HANGUP if channel.up or channel.left_by_caller else Played.BREAK
            break
        if thread.take_break():
            outcome = Played.BREAK
            break
        before = clock.now()
        thread.parse_commands()
        ends += clock.now() - before
        nested += clock.now() - before
        if not channel.ready or channel.breaking:
            continue
        if channel.digits and (digit := channel.take_digit()) in stop_on:
            outcome = Played.BREAK
            break
        digit = ""
        if clock.now() >= ends - TICK / 100:
            break
        _rest(thread, ends, endless)
    ended()
    return outcome, digit, nested
