"""Collecting digits: ``read`` and ``play_and_get_digits`` (switch_ivr_play_say.c)."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from fsivr.simulator.clock import next_tick
from fsivr.simulator.playing import Played, play_file
from fsivr.simulator.tokens import separate
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.thread import Thread

_BUFFER = 128  # bytes for the digits (mod_dptools.c)


class _Status(Enum):
    SUCCESS = "success"
    TIMEOUT = "timeout"
    FALSE = "failure"
    TOO_SMALL = "failure "


class _Read(NamedTuple):
    """What to read; times in seconds."""

    least: int
    most: int
    prompt: str
    variable: str
    timeout: float
    terminators: str
    digit_timeout: float


def flush(thread: Thread, argument: str) -> None:
    """The application ``flush_dtmf``: what was keyed and not taken is gone, without an event (switch_channel.c)."""
    thread.channel.digits.clear()


def read_application(thread: Thread, argument: str) -> None:
    """The application ``read``: min max file variable timeout terminators [digit timeout]."""
    words = separate(argument, " ", 7)
    words += [""] * (7 - len(words))
    timeout = max(1000, atoi(words[4])) / 1000
    wanted = _Read(
        max(0, atoi(words[0])),
        min(max(0, atoi(words[1])), _BUFFER - 1),
        words[2],
        words[3],
        timeout,
        words[5] or "#",
        atoi(words[6]) / 1000,
    )
    _read(thread, wanted)


def play_and_get_digits(thread: Thread, argument: str) -> None:
    """The application of that name: min max tries timeout terminators file bad-file variable regex ..."""
    words = separate(argument, " ", 11)
    words += [""] * (11 - len(words))
    wanted = _Read(
        max(0, atoi(words[0])),
        min(max(0, atoi(words[1])), _BUFFER - 1),
        words[5],
        words[7],
        max(0, atoi(words[3])) / 1000,
        words[4],
        max(0, atoi(words[9])) / 1000,
    )
    _tries(thread, wanted, atoi(words[2]), words[6], words[8], words[10])


def _tries(thread: Thread, wanted: _Read, tries: int, bad_file: str, regex: str, transfer: str) -> None:
    channel = thread.channel
    if regex and wanted.variable:
        channel.set(f"{wanted.variable}_invalid", None)
    for _ in range(max(0, min(tries, 100))):
        status, digits = _read(thread, wanted)
        if status is _Status.TIMEOUT and len(digits) >= wanted.least:
            status = _Status.SUCCESS
        if wanted.least == 0 and not digits and "read_terminator_used" in channel.variables:
            return
        if status is _Status.SUCCESS and digits:
            if not regex or _matches(regex, digits):
                return
            channel.set(wanted.variable, None)
            channel.set(f"{wanted.variable}_invalid", digits)
        if not channel.ready:
            return
        play_file(thread, bad_file, silent=bad_file.startswith("silence_stream://"))
    if transfer and channel.ready:
        channel.transfer(separate(transfer, " ", 4)[0])


def _read(thread: Thread, wanted: _Read) -> tuple[_Status, str]:
    """One try: how it ended, and the digits (switch_ivr_read)."""
    channel = thread.channel
    most = max(wanted.most, wanted.least)
    channel.set("read_result", None)
    channel.set(wanted.variable, None)
    digits = ""
    if wanted.prompt and wanted.prompt.lower() != "silence":
        outcome, digits = play_file(thread, wanted.prompt, collect=True)
        if outcome in (Played.NOT_FOUND, Played.HANGUP):
            if digits:
                channel.set(wanted.variable, digits)
            return _Status.FALSE, digits
    status, terminator = _Status.SUCCESS, ""
    if len(digits) < wanted.least or len(digits) < most:
        first = (wanted.digit_timeout if digits else wanted.timeout) or wanted.timeout
        status, digits, terminator = _collect(thread, wanted, digits, most, first)
    if terminator:
        channel.set("read_terminator_used", terminator)
    elif wanted.terminators.startswith("="):
        status = _Status.TOO_SMALL
    if len(digits) < wanted.least:
        status = _Status.TOO_SMALL
    channel.set("read_result", status.value.strip())
    if wanted.most == 1 and len(digits) == 1 and digits in wanted.terminators:
        digits = ""
    if digits and wanted.variable:
        channel.set(wanted.variable, digits)
    return status, digits


def _collect(thread: Thread, wanted: _Read, digits: str, most: int, first: float) -> tuple[_Status, str, str]:
    """How it ended, all digits, and the terminator (switch_ivr_collect_digits_count)."""
    channel, clock = thread.channel, thread.clock
    if digits and digits[0] in wanted.terminators:
        return _Status.SUCCESS, "", digits[0]
    limit = first or wanted.digit_timeout
    began = clock.now()
    while channel.ready:
        thread.parse_commands()
        if limit and clock.now() - began >= limit - 1e-9 and not channel.digits:
            return _Status.TIMEOUT, digits, ""
        if channel.digits:
            limit, began = (wanted.digit_timeout or limit), clock.now()
            while channel.digits:
                digit = channel.take_digit()
                if digit in wanted.terminators:
                    return _Status.SUCCESS, digits, digit
                digits += digit
                if len(digits) >= most:
                    return _Status.SUCCESS, digits, ""
        if channel.commands and not channel.locked:
            thread.wait(next_tick(clock.now()))
        elif channel.ready:
            thread.wait(began + limit if limit else None)
    return _Status.FALSE, digits, ""


def _matches(regex: str, digits: str) -> bool:
    try:
        return re.search(regex, digits) is not None
    except re.error:
        return False
