"""Calling others for a bridge, several at once where asked, until one has taken the call (switch_ivr_originate.c)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fsivr.causes import HangupCause
from fsivr.simulator.clock import TICK, next_tick
from fsivr.simulator.farend import FarEnd, FarLeg
from fsivr.simulator.tokens import is_true
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel
    from fsivr.simulator.thread import Thread

_DEFAULT_TIMEOUT = 60.0
_READ_TIMEOUT = 5.0  # seconds for the key, where group_confirm_read_timeout says nothing
_NEVER = float("inf")
_STRING = "file_string://"


class Try:
    """One leg while it is called."""

    def __init__(self, thread: Thread, leg: FarLeg, far: FarEnd) -> None:
        self.leg = leg
        self.far = far
        #: Whether there is a telephone: a leg whose channel could not be made leaves no trace.
        self.known = thread.switch.knows(leg.destination)
        #: Whether it has answered, and pressed the key where that takes one.
        self.won = False
        #: When the far end hangs up by itself.
        self.leaves = _NEVER
        self._switch = thread.switch
        self._began = thread.clock.now()
        self._comes = self._began + far.after
        self._keys = list(far.presses)
        self._hears_until = _NEVER
        self._pressed = ""
        limit = atoi(leg.variables.get("leg_timeout", ""))
        self._limit = self._after(limit) if limit > 0 else _NEVER

    @property
    def rings(self) -> bool:
        """Whether it told that it rings."""
        return self.known and self.far.after > 0

    @property
    def next(self) -> float:
        """When there is something to do for it again."""
        if self.leg.ended is not None:
            return _NEVER
        return min(self._limit, self._comes, self._hears_until, self.leaves)

    def look(self, now: float) -> None:
        """Have happen what is due."""
        leg, far = self.leg, self.far
        now += 1e-9
        if leg.ended is not None:
            return
        if now >= self._comes:
            self._comes = _NEVER
            if far.cause is not None:
                leg.ended = far.cause
            else:
                self._answer(now)
        elif now >= self.leaves:
            leg.ended = far.ends
        elif now >= self._limit:
            leg.ended = HangupCause.ALLOTTED_TIMEOUT
        elif now >= self._hears_until:
            self._decide(now)

    def _after(self, seconds: float) -> float:
        """When more than so many whole seconds have passed (check_per_channel_timeouts)."""
        return self._began + seconds + 1

    def _answer(self, now: float) -> None:
        self.leg.answered_at = self._switch.micros()
        if self.far.talks is not None:
            self.leaves = now + self.far.talks
        variables = self.leg.variables
        if "group_confirm_key" not in variables:
            self.won = True
            return
        more = atoi(variables.get("group_confirm_timeout", ""))
        if more > 0:
            self._limit = self._after(int(now - self._began) + more)
        self._ask(now)

    def _ask(self, now: float) -> None:
        """One round of what a leg hears before it is connected (collect_thread_run)."""
        file = self.leg.variables.get("group_confirm_file", "")
        if self.leg.variables["group_confirm_key"].lower() == "exec":
            application, _, argument = file.partition(" ")
            self.leg.hear(application, argument)
            self._hears_until = now + self._length(application, argument)
            return
        if file and self._switch.is_missing(file):
            self.leg.ended = HangupCause.DESTINATION_OUT_OF_ORDER
            return
        self.leg.hear("playback", file)
        self._pressed = self._keys.pop(0) if self._keys else ""
        wait = atoi(self.leg.variables.get("group_confirm_read_timeout", "")) / 1000 or _READ_TIMEOUT
        self._hears_until = now + (TICK if self._pressed else self._length("playback", file) + wait)

    def _decide(self, now: float) -> None:
        key = self.leg.variables["group_confirm_key"]
        if key.lower() == "exec" or self._pressed == key:
            self._hears_until = _NEVER
            self.won = True
        else:
            self._ask(now)

    def _length(self, application: str, argument: str) -> float:
        if application != "playback":
            return self._switch.length(application, argument)
        names = argument.removeprefix(_STRING).split("!") if argument.startswith(_STRING) else [argument]
        return sum(self._switch.length("playback", name) for name in names if not self._switch.is_missing(name))


def originate(thread: Thread, tries: Sequence[Try], timeout: str) -> tuple[Try | None, HangupCause]:
    """Who took the call; None where nobody did, and why.

    :param timeout: ``originate_timeout``; ``""`` for the caller's ``call_timeout``.
    """
    channel, clock = thread.channel, thread.clock
    seconds = timeout or channel.variables.get("call_timeout", "")
    until = clock.now() + (float(max(1, atoi(seconds))) if seconds else _DEFAULT_TIMEOUT)
    for each in tries:
        if each.known:
            thread.switch.far_legs[each.leg.uuid] = each.leg
            channel.set("originate_disposition", "failure")
            channel.set("DIALSTATUS", "INVALIDARGS")
        else:
            each.leg.ended = each.far.cause
    silent = _ring(thread, tries)
    try:
        return _wait(thread, tries, until)
    finally:
        silent()
        for each in tries:
            thread.switch.far_legs.pop(each.leg.uuid, None)


def _ring(thread: Thread, tries: Sequence[Try]) -> Callable[[], None]:
    """Let the caller hear or know that it rings; what is returned ends it."""
    channel = thread.channel
    variables = channel.variables
    sound = variables.get("transfer_ringback") if channel.answer_state == "answered" else None
    sound = sound or variables.get("ringback", "")
    ringing = [each for each in tries if each.rings]
    if ringing:
        channel.callee = ringing[0].leg.number
        channel.times.setdefault("Channel-Progress-Time", thread.switch.micros())
    at_once = any(is_true(each.leg.variables.get("instant_ringback", "")) for each in tries if each.known)
    if sound and (at_once or ringing):
        channel.pre_answer()
        return thread.on_prompt("ringback", _played(sound))
    if ringing:
        channel.ring_ready()
    for each in ringing:
        if each.far.early and is_true(each.leg.variables.get("bridge_early_media", "")):
            channel.pre_answer()
            channel.on_change(f"hears what {each.leg.destination} sends")
            break
    return lambda: None


def _played(sound: str) -> str:
    """A ringback as ``playback`` would be asked for it."""
    if sound.startswith("silence"):
        return "silence_stream://-1"
    return sound.removeprefix(_STRING) if "://" in sound or sound.startswith("/") else f"tone_stream://{sound}"


def _wait(thread: Thread, tries: Sequence[Try], until: float) -> tuple[Try | None, HangupCause]:
    channel, clock = thread.channel, thread.clock
    while True:
        for each in tries:
            each.look(clock.now())
        winner = next((each for each in tries if each.won and each.leg.ended is None), None)
        if winner is not None:
            _give_up(tries, HangupCause.LOSE_RACE, winner)
            return winner, HangupCause.SUCCESS
        if all(each.leg.ended is not None for each in tries):
            causes = [each.leg.ended for each in tries if each.known] or [tries[-1].leg.ended]
            return None, causes[0] or HangupCause.NORMAL_CLEARING
        if not channel.ready:
            _give_up(tries, HangupCause.ORIGINATOR_CANCEL)
            return None, HangupCause.ORIGINATOR_CANCEL
        if clock.now() >= until - 1e-9:
            _give_up(tries, HangupCause.NO_ANSWER)
            return None, HangupCause.NO_ANSWER
        thread.parse_commands()
        if channel.ready:
            soon = min(until, *(each.next for each in tries))
            thread.wait(next_tick(clock.now()) if busy(channel) else soon)


def _give_up(tries: Sequence[Try], cause: HangupCause, winner: Try | None = None) -> None:
    for each in tries:
        if each is not winner and each.leg.ended is None:
            each.leg.ended = cause


def busy(channel: Channel) -> bool:
    """Whether commands wait that the channel could run now."""
    return bool(channel.commands) and not channel.locked
