"""Recording: ``record`` and ``record_session``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsivr.causes import HangupCause
from fsivr.simulator import playing
from fsivr.simulator.application import Application
from fsivr.simulator.clock import next_tick
from fsivr.simulator.tokens import separate
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.thread import Thread


def _record(thread: Thread, argument: str) -> None:
    """Record until a digit of the terminators, silence or the time limit; a path must begin with "/"."""
    channel = thread.channel
    words = separate(argument, " ", 5)
    if not words or not words[0].startswith("/"):
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)  # FACTS 3.8
        return
    seconds = atoi(words[1]) if len(words) > 1 else 0
    terminators = playing.terminators_of(channel)
    began = thread.clock.now()
    ends = began + seconds if seconds else None
    channel.fire("RECORD_START", after=[("Record-File-Path", words[0])])
    ended_by = ""
    while channel.ready and not thread.take_break() and (ends is None or thread.clock.now() < ends - 1e-9):
        thread.parse_commands()
        if (digit := channel.take_digit()) and digit in terminators:
            ended_by = digit
            break
        if channel.ready and not channel.breaking:
            thread.wait(next_tick(thread.clock.now()) if channel.digits else ends)
    length = round((thread.clock.now() - began) * 1000)
    for name, value in (
        ("playback_terminator_used", ended_by),
        ("silence_hits_exhausted", "false"),
        ("record_file_size", str(44 + length * 16)),
        ("record_seconds", str(length // 1000)),
        ("record_ms", str(length)),
        ("record_samples", str(length * 8)),
    ):
        channel.set(name, value)
    channel.fire("RECORD_STOP", after=[("Record-File-Path", words[0])])


def _nothing(thread: Thread, argument: str) -> None:
    pass


APPLICATIONS = {
    "record": Application(_record, needs_media=True),
    "record_session": Application(_nothing),
    "stop_record_session": Application(_nothing),
}
