"""A telephone that the switch calls: the other end of a call that an application places."""

from __future__ import annotations

import uuid
from operator import methodcaller
from typing import TYPE_CHECKING, Self

from fsivr.causes import HangupCause
from fsivr.prompts import PromptLike
from fsivr.simulator.caller import Caller
from fsivr.simulator.channel import Channel
from fsivr.simulator.clock import VirtualClock
from fsivr.simulator.farend import FarEnd
from fsivr.simulator.participant import LONGEST
from fsivr.simulator.sip import Profile
from fsivr.simulator.story import CallFailed
from fsivr.simulator.thread import Thread

if TYPE_CHECKING:
    from fsivr.simulator.switch import Switch

# A failure's traceback ends at the line of the test.
__tracebackhide__ = methodcaller("errisinstance", CallFailed)

_RINGING_ON = FarEnd(HangupCause.NO_ANSWER, float("inf"))


class Phone(Caller):
    """Somebody who is called, once. A context manager: within its ``with`` block calls to its destination reach it.

    :param far_end: what it does by itself; None: it rings until ``answers`` or ``rejects``.
    """

    def __init__(self, switch: Switch, destination: str, far_end: FarEnd | None) -> None:
        channel = Channel(switch, Profile(str(uuid.uuid4()), destination, "", "", "default", "outbound"), 0)
        super().__init__(switch, f"to {destination}", Thread(switch, channel, []))
        self.destination = destination
        self.far_end = far_end or _RINGING_ON
        self.rung = False

    # -- what a test does ----------------------------------------------------------------

    def rings(self) -> None:
        """Wait until it rings.

        :raises CallFailed: nobody calls it.
        """
        outcome = self._run(lambda: self.rung, until=self._switch.clock.now() + LONGEST)
        if not self.rung:
            why = f"within {LONGEST:g} s" if outcome.name == "TIME" else "and nothing more can happen"
            raise CallFailed(self._story.failure(f"{self.destination} was not called {why}"))

    def answers(self) -> None:
        """Answer, as soon as it rings."""
        self._decide(FarEnd())
        self._run(lambda: self.answered or self.over)

    def rejects(self, cause: HangupCause = HangupCause.CALL_REJECTED) -> None:
        """Refuse the call, as soon as it rings."""
        self._decide(FarEnd(cause))
        self._run(lambda: self.over)

    def hangs_up(self, cause: HangupCause | None = None, *, during: PromptLike | None = None) -> None:
        """Hang up; before the answer, refuse the call."""
        if cause is None and during is None and not self.answered:
            self.rejects()
        else:
            super().hangs_up(cause, during=during)

    def __enter__(self) -> Self:
        self._switch.phones[self.destination] = self
        return self

    def leaves(self, *, patient: bool = False) -> None:
        """As ``Caller.leaves``; it cannot be called any more."""
        if self._switch.phones.get(self.destination) is self:
            del self._switch.phones[self.destination]
        super().leaves(patient=patient)

    # -- within ------------------------------------------------------------------------

    def ring(self, thread: Thread) -> None:
        """A call comes, on this thread's channel."""
        self._take_part(thread)
        self._started = self.rung = True
        self._story.begin()
        self._story.tell("it rings")
        self._switch.register(self, thread, self.line)
        self._switch.pump.touch(self)

    @property
    def handlers_turn(self) -> bool:
        """Also while nobody has called and nothing else will happen: who is to call may be thinking."""
        if self._started:
            return super().handlers_turn
        clock = self._switch.clock
        return not self._switch.sleeping and isinstance(clock, VirtualClock) and clock.next_due() is None

    def _start(self) -> None:
        if not self._started:
            self.rings()

    def _end(self) -> str | None:
        return super()._end() if self._started else None

    def _decide(self, far_end: FarEnd) -> None:
        self._start()
        if self.answered or self.over:
            raise CallFailed(self._story.failure(f"{self.destination} does not ring any more"))
        self.far_end = far_end
        self._channel.wake(now=True)
