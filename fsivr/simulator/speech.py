"""Understanding what the caller says, and whether a machine answered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fsivr.simulator.application import Application
from fsivr.simulator.clock import next_tick
from fsivr.simulator.playing import Played, play_file
from fsivr.simulator.recogniser import Recogniser
from fsivr.simulator.tokens import separate
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.thread import Thread

_NO_INPUT = 5.0
# mod_amd's usual settings: a word and after_greeting_silence, greeting, total_analysis_time.
_DECIDES = {
    "person": (1.3, "HUMAN", "HUMAN"),
    "machine": (1.5, "MACHINE", "LONGGREETING"),
    "unsure": (5.0, "NOTSURE", "TOOLONG"),
}


def play_and_detect_speech(thread: Thread, argument: str) -> None:
    """The application of that name (mod_dptools.c, switch_ivr_async.c): file detect:engine {params}grammar."""
    channel = thread.channel
    channel.set("detect_speech_result", None)
    file, detect, rest = argument.partition("detect:")
    words = separate(rest, " ", 2)
    response = "USAGE ERROR"
    if detect and len(words) == 2:
        response = _recognise(thread, file.rstrip(" "), words[0], words[1])
    channel.set("current_application_response", response)


def _recognise(thread: Thread, file: str, engine: str, grammar: str) -> str:
    name = engine.partition(":")[0]
    if f"mod_{name}" in thread.switch.modules_missing:
        return "ASR INIT ERROR"
    given = re.fullmatch(r"\{([^}]*)\}(.*)|()([^{].*)", grammar, re.S)
    what = (given[2] or given[4]) if given else ""
    if not given or not what or thread.switch.is_missing(f"{what}.gram"):
        return "GRAMMAR ERROR"
    parameters = dict(pair.split("=", 1) for pair in (given[1] or "").split(",") if "=" in pair)
    channel = thread.channel
    engine_open = Recogniser(name, what, thread.clock.now, lambda: _interrupt(thread))
    thread.switch.recognisers[channel.uuid] = engine_open
    try:
        return _play_and_wait(thread, file, engine_open, parameters)
    finally:
        thread.switch.recognisers.pop(channel.uuid, None)


def _interrupt(thread: Thread) -> None:
    """What is said ends the prompt, and wakes who waits for it."""
    thread.channel.breaking = True
    thread.channel.wake()


def _play_and_wait(thread: Thread, file: str, engine: Recogniser, parameters: dict[str, str]) -> str:
    channel, clock = thread.channel, thread.clock
    opened = clock.now()
    outcome, _ = play_file(thread, file, silent=file.startswith("silence_stream://"))
    if outcome in (Played.NOT_FOUND, Played.HANGUP):
        return "ERROR"
    # mod_pocketsphinx.c counts from where it loaded the grammar; others from start_input_timers.
    timers = opened if engine.engine == "pocketsphinx" else clock.now()
    limit = timers + (atoi(parameters.get("no-input-timeout", "")) / 1000 or _NO_INPUT)
    while channel.ready:
        thread.take_break()  # uuid_break wakes the wait, and does not end it (switch_ivr_play_and_detect_speech)
        thread.parse_commands()
        channel.take_digit()  # playback_terminators apart, digits mean nothing to it
        if engine.closed:
            return "DONE"
        due = limit if engine.ready is None else engine.ready
        if clock.now() >= due - 1e-9:
            channel.set("detect_speech_result", engine.answer(thread.switch.holds))
            return "DONE"
        if channel.ready and not channel.breaking:
            thread.wait(min(due, next_tick(clock.now())) if channel.digits else due)
    return "ERROR"


def detect_speech(thread: Thread, argument: str) -> None:
    """The application of that name, as far as ``stop``: the engine that listens is closed."""
    engine = thread.switch.recognisers.get(thread.channel.uuid)
    if argument == "stop" and engine is not None:
        engine.close()


def amd(thread: Thread, argument: str) -> None:
    """The application of mod_amd in its usual version, which waits for what it decides."""
    seconds, result, cause = _DECIDES[thread.switch.sound.who]
    done = thread.clock.now() + seconds
    while thread.channel.ready and thread.clock.now() < done - 1e-9:
        thread.wait(done)  # it takes no commands meanwhile, and no break
    if thread.channel.ready:
        thread.channel.set("amd_result", result)
        thread.channel.set("amd_cause", cause)


def avmd_start(thread: Thread, argument: str) -> None:
    """The application of mod_avmd: a variable tells of a beep that comes from now on (mod_avmd.c)."""
    channel, clock, beep = thread.channel, thread.clock, thread.switch.sound.beep
    if beep is None:
        return
    answered = channel.times.get("Channel-Answered-Time", 0)
    left = beep - (thread.switch.micros() - answered) / 1e6
    if left >= 0:
        clock.call_at(clock.now() + left, lambda: channel.set("avmd_detect", "TRUE") if channel.up else None)


APPLICATIONS: dict[str, Application] = {
    "play_and_detect_speech": Application(play_and_detect_speech, needs_media=True),
    "detect_speech": Application(detect_speech, needs_media=True),
    "amd": Application(amd, needs_media=True),
    "avmd_start": Application(avmd_start, needs_media=True),
    "avmd_stop": Application(lambda thread, argument: None, needs_media=True),
}
