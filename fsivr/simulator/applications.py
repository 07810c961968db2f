"""The dialplan applications of the simulated switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsivr.causes import HangupCause
from fsivr.simulator import bridge, digits, playing, recording, rooms, speech
from fsivr.simulator.api import stop
from fsivr.simulator.application import Application
from fsivr.simulator.clock import next_tick
from fsivr.simulator.tokens import is_true, separate
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.thread import Thread


def _nothing(thread: Thread, argument: str) -> None:
    pass


def _hangup(thread: Thread, argument: str) -> None:
    thread.channel.hangup(HangupCause.parse(argument or "16", HangupCause.NORMAL_CLEARING))


def _respond(thread: Thread, argument: str) -> None:
    """Refuse with a SIP status; the cause is what FreeSWITCH makes of it."""
    causes = {
        486: HangupCause.USER_BUSY,
        404: HangupCause.UNALLOCATED_NUMBER,
        480: HangupCause.NO_USER_RESPONSE,
        503: HangupCause.NORMAL_TEMPORARY_FAILURE,
        600: HangupCause.USER_BUSY,
        603: HangupCause.CALL_REJECTED,
    }
    thread.channel.hangup(causes.get(atoi(argument), HangupCause.CALL_REJECTED))


def _set(thread: Thread, argument: str) -> None:
    name, _, value = argument.partition("=")
    if name:
        thread.channel.set(name, value)


def _multiset(thread: Thread, argument: str) -> None:
    for part in separate(argument, " ", 256):
        _set(thread, part)


def _unset(thread: Thread, argument: str) -> None:
    thread.channel.set(argument, None)


def _export(thread: Thread, argument: str) -> None:
    name, _, value = argument.partition("=")
    exported = thread.channel.variables.get("export_vars")
    thread.channel.set(name, value)  # "nolocal:" too, as it stands (capture 11c_set_export_unset_sleep)
    thread.channel.set("export_vars", f"{exported},{name}" if exported else name)


def _push(thread: Thread, argument: str) -> None:
    name, _, value = argument.partition(",")
    thread.channel.push(name, value)


def _sleep(thread: Thread, argument: str) -> None:
    """Rest; a digit ends it and stays queued, unless it is eaten (FACTS 4.3)."""
    channel = thread.channel
    done = thread.clock.now() + max(0, atoi(argument)) / 1000
    eats = is_true(channel.variables.get("sleep_eat_digits", ""))
    while channel.ready and not thread.take_break() and thread.clock.now() < done - 1e-9:
        if channel.media:
            thread.parse_commands()
        if channel.digits:
            if not eats:
                break
            channel.take_digit()
        if channel.ready and not channel.breaking:
            soon = next_tick(thread.clock.now())
            thread.wait(min(done, soon) if channel.digits else done)


def _hold(thread: Thread, argument: str) -> None:
    """Stay until the call ends or is stopped: ``echo`` and its like."""
    channel = thread.channel
    while channel.ready and not thread.take_break():
        thread.parse_commands()
        channel.take_digit()
        if channel.ready and not channel.breaking:
            thread.wait(next_tick(thread.clock.now()) if channel.digits else None)


def _park(thread: Thread, argument: str) -> None:
    """Be parked; inside another park, where the real switch refuses, stay until stopped."""
    if thread.parked:
        _hold(thread, argument)
    else:
        thread.rest()


def _transfer(thread: Thread, argument: str) -> None:
    words = separate(argument, " ", 4)
    if words and words[0]:
        thread.channel.transfer(words[0])


def _socket(thread: Thread, argument: str) -> None:
    thread.switch.run_socket(thread, argument)


#: Applications that end at once and change nothing that a handler could notice.
_WITHOUT_EFFECT = """
    log info event set_user set_name start_dtmf stop_dtmf
    send_display privacy set_audio_level presence sched_hangup verbose_events
    enable_heartbeat jitterbuffer unhold
"""

APPLICATIONS: dict[str, Application] = {
    "answer": Application(lambda thread, argument: thread.channel.answer()),
    "pre_answer": Application(lambda thread, argument: thread.channel.pre_answer()),
    "ring_ready": Application(lambda thread, argument: thread.channel.ring_ready()),
    "hangup": Application(_hangup),
    "respond": Application(_respond),
    "set": Application(_set),
    "multiset": Application(_multiset),
    "unset": Application(_unset),
    "export": Application(_export),
    "push": Application(_push),
    "sleep": Application(_sleep),
    "playback": Application(playing.playback, needs_media=True),
    "endless_playback": Application(playing.endless_playback, needs_media=True),
    "say": Application(playing.say, needs_media=True),
    "speak": Application(playing.speak, needs_media=True),
    "phrase": Application(playing.phrase, needs_media=True),
    "gentones": Application(playing.gentones, needs_media=True),
    "flush_dtmf": Application(digits.flush),
    "read": Application(digits.read_application, needs_media=True),
    "play_and_get_digits": Application(digits.play_and_get_digits, needs_media=True),
    "break": Application(lambda thread, argument: stop(thread.channel)),
    "transfer": Application(_transfer),
    "park": Application(_park),
    "echo": Application(_hold, needs_media=True),
    "hold": Application(_nothing),
    "socket": Application(_socket),
    **{name: Application(_nothing) for name in _WITHOUT_EFFECT.split()},
    **bridge.APPLICATIONS,
    **recording.APPLICATIONS,
    **rooms.APPLICATIONS,
    **speech.APPLICATIONS,
}
