"""Recording: ``record``, ``record_session`` and ``uuid_record`` (switch_ivr_play_say.c, switch_ivr_async.c)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fsivr.causes import HangupCause
from fsivr.simulator import playing, wav
from fsivr.simulator.application import Application
from fsivr.simulator.clock import Timer, next_tick
from fsivr.simulator.tape import Tape
from fsivr.simulator.tokens import is_true, separate
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel
    from fsivr.simulator.switch import Switch
    from fsivr.simulator.thread import Thread

# What the switch takes where a threshold comes without a number of hits.
_USUAL_HITS = 3
_SOON = 1e-9


def _record(thread: Thread, argument: str) -> None:
    """Record until a digit of the terminators, silence, the limit or a full disk (captures 04a to 04i)."""
    channel = thread.channel
    words = [*separate(argument, " ", 4), "", "", ""]
    channel.set("playback_terminator_used", None)
    try:
        if not words[0].startswith("/"):
            raise FileNotFoundError(words[0])
        tape = Tape(channel, words[0])
    except OSError:
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)  # FACTS 3.8
        return
    channel.set("silence_hits_exhausted", "false")
    _read_as(channel, "L16")
    channel.fire("RECORD_START", after=[("Record-File-Path", words[0])])
    limit = atoi(words[1].lstrip("+"))
    # Whole seconds of the clock are counted: FACTS 7.1.
    ends = int(tape.began) + limit + 1 if limit else float("inf")
    hits = atoi(words[3]) or _USUAL_HITS if atoi(words[2]) else 0
    try:
        _take(thread, tape, min(ends, tape.full_at), hits)
        full = thread.clock.now() >= tape.full_at - _SOON
        samples = tape.close()
    finally:
        tape.leave()
    length = str(wav.size(samples, 1))
    for name, value in (("record_record_file_size", length), ("record_file_size", length), *_length(samples)):
        channel.set(name, value)
    channel.fire("RECORD_STOP", after=[("Record-File-Path", words[0])])
    _read_as(channel, "PCMU")
    if full or not channel.ready:
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)


def _take(thread: Thread, tape: Tape, ends: float, hits: int) -> None:
    channel, clock = thread.channel, thread.clock
    terminators = playing.terminators_of(channel)
    while channel.ready and not thread.take_break():
        before = clock.now()
        thread.parse_commands()
        tape.leave_out(before)  # what runs inside reads the frames
        if clock.now() >= ends - _SOON:
            return
        if (digit := channel.take_digit()) and digit in terminators:
            channel.set("playback_terminator_used", digit)
            return
        silent_at = channel.quiet_since(tape.began) + hits if hits else float("inf")
        if clock.now() >= silent_at - _SOON:
            channel.set("silence_hits_exhausted", "true")
            return
        if channel.ready and not channel.breaking:
            until = next_tick(clock.now()) if channel.digits else min(ends, silent_at)
            thread.wait(None if until == float("inf") else until)


def _read_as(channel: Channel, codec: str) -> None:
    channel.set("read_codec", codec)
    channel.set("read_rate", str(wav.RATE))


def _length(samples: int) -> tuple[tuple[str, str], ...]:
    return (
        ("record_seconds", str(samples // wav.RATE)),
        ("record_ms", str(samples * 1000 // wav.RATE)),
        ("record_samples", str(samples)),
    )


class SessionTape:
    """A ``record_session``: a media bug that writes along, whatever the channel does (capture 04e).

    :raises OSError: the file cannot be written.
    """

    def __init__(self, channel: Channel, path: str, limit: int) -> None:
        stereo = is_true(channel.variables.get("RECORD_STEREO", ""))
        self.tape = Tape(channel, path, 2 if stereo else 1, make_folder=True)
        self._channel = channel
        self._shortest = max(0, atoi(channel.variables.get("RECORD_MIN_SEC", "0")))
        self._bug = [("Media-Bug-Function", "session_record"), ("Media-Bug-Target", path)]
        ends = min(self.tape.full_at, self.tape.began + limit if limit else float("inf"))
        cause = "uri-failure" if ends == self.tape.full_at else ""
        self._timer: Timer | None = None
        if ends < float("inf"):
            self._timer = channel.switch.clock.call_at(ends, lambda: self.stop(cause))
        channel.tapes[path] = self
        channel.fire("RECORD_START", after=[("Record-File-Path", path)])
        channel.fire("MEDIA_BUG_START", before=self._bug)

    def stop(self, cause: str = "") -> None:
        """Close the file and tell of it; a file that is empty or too short is thrown away."""
        channel, tape = self._channel, self.tape
        if channel.tapes.pop(tape.path, None) is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        samples = tape.close()
        channel.set("record_file_size", str(wav.size(samples, tape.channels)))
        if not samples or samples < self._shortest * wav.RATE:
            os.unlink(tape.file)
            channel.set("RECORD_DISCARDED", "true")
            cause = cause or ("input-too-short" if samples else "empty-file")
        cause = cause or ("success-maxtime" if channel.up else "success-silence")  # FACTS 7.2
        seconds, milliseconds, count = _length(samples)
        for name, value in (count, seconds, milliseconds, ("record_completion_cause", cause)):
            channel.set(name, value)
        channel.fire("RECORD_STOP", after=[("Record-File-Path", tape.path), ("Record-Completion-Cause", cause)])
        channel.fire("MEDIA_BUG_STOP", before=self._bug)


def _begin(channel: Channel, path: str, limit: int = 0) -> bool:
    """Whether a ``record_session`` runs; a path that cannot be written does not end the call (capture 04g3)."""
    channel.pre_answer()
    if not channel.up or not channel.media:
        return False
    if path in channel.tapes:
        return True
    try:
        SessionTape(channel, path, limit)
    except OSError:
        channel.set("record_completion_cause", "uri-failure")
        return False
    return True


def _end(channel: Channel, path: str) -> bool:
    chosen = list(channel.tapes.values()) if path.lower() == "all" else [channel.tapes.get(path)]
    for tape in chosen:
        if tape is not None:
            tape.stop()
    return any(tape is not None for tape in chosen)


def _change(channel: Channel, path: str, action: str) -> bool:
    found = channel.tapes.get(path)
    if found is None:
        return False
    what = action.removeprefix("un").replace("resume", "pause")
    (found.tape.begin if action == what else found.tape.end)(what)
    return True


def _record_session(thread: Thread, argument: str) -> None:
    words = [*argument.split(" "), ""]
    if words[0]:
        _begin(thread.channel, words[0], atoi(words[1][1:]) if words[1].startswith("+") else 0)


def uuid_record(switch: Switch, argument: str) -> str:
    """The API command ``uuid_record`` (mod_commands.c, session_record_function)."""
    words = [word for word in separate(argument, " ", 5) if word]
    actions = {"stop": "stop record session", "pause": "pause recording session", "resume": "resume recording session"}
    actions |= {"start": "record session", "mask": "mask recording session", "unmask": "unmask recording session"}
    if len(words) < 3 or (action := words[1].lower()) not in actions:
        return "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return "-ERR Cannot locate session!\n"
    if action == "start":
        done = _begin(channel, words[2], atoi(words[3]) if len(words) > 3 else 0)
    elif action == "stop":
        done = _end(channel, words[2])
    else:
        done = _change(channel, words[2], action)
    return "+OK Success\n" if done else f"-ERR Cannot {actions[action]}!\n"


def _stop_record_session(thread: Thread, argument: str) -> None:
    _end(thread.channel, argument)


def _changes(action: str) -> Application:
    def run(thread: Thread, argument: str) -> None:
        _change(thread.channel, argument, action)

    return Application(run)


APPLICATIONS = {
    "record": Application(_record, needs_media=True),
    "record_session": Application(_record_session),
    "stop_record_session": Application(_stop_record_session),
    **{f"record_session_{action}": _changes(action) for action in ("pause", "resume", "mask", "unmask")},
}
