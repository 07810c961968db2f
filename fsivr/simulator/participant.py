"""A party of a simulated call: what can be seen of it, and its ``with`` block."""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller
from types import TracebackType
from typing import TYPE_CHECKING, Self

from fsivr.causes import HangupCause
from fsivr.prompts import Prompt, PromptLike, prompt
from fsivr.simulator.ear import Ear, Heard
from fsivr.simulator.line import Line
from fsivr.simulator.pump import Outcome
from fsivr.simulator.story import CallFailed, Moment, Story

if TYPE_CHECKING:
    from fsivr.simulator.outbound import Outbound
    from fsivr.simulator.switch import Switch
    from fsivr.simulator.thread import Thread

# A failure's traceback ends at the line of the test.
__tracebackhide__ = methodcaller("errisinstance", CallFailed)

#: Seconds on the switch's clock that a handler may take to end a call by itself.
LONGEST = 600.0
# Real seconds that a handler may take to close its side when the call is over.
_CLOSING = 1.0


class Participant:
    """A party whose call has a beginning, an end, and a test that waits on it."""

    def __init__(self, switch: Switch, title: str, thread: Thread, *, gone_before_connect: bool = False) -> None:
        self._switch = switch
        self._gone = gone_before_connect
        self._started = False
        self._story = Story(title, switch.clock.now)
        self._ear = Ear(switch.library, self._story, lambda: switch.pump.touch(self))
        #: The connection to the handler's server, and the faults that can be asked of it.
        self.line = Line(switch.clock)
        #: What the caller said, in order.
        self.said: list[str] = []
        #: Whether the call was ever answered.
        self.answered = False
        self.line.on_change = lambda: switch.pump.touch(self)
        self._take_part(thread)

    def _take_part(self, thread: Thread) -> None:
        self._thread = thread
        self._channel = thread.channel
        thread.on_prompt = self._ear.hear
        thread.on_application = self.line.application_starts
        self._channel.on_change = self._change

    # -- what can be seen --------------------------------------------------------------

    @property
    def uuid(self) -> str:
        """The channel's id."""
        return self._channel.uuid

    @property
    def hangup_cause(self) -> HangupCause | None:
        """Why the call ended; None while it is up."""
        return self._channel.hangup_cause

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self._thread.finished

    @property
    def variables(self) -> dict[str, str]:
        """The channel's variables, as they are now."""
        return dict(self._channel.variables)

    @property
    def transcript(self) -> list[str]:
        """The call so far, a line for each thing that happened, with the time."""
        return self._story.lines()

    def listen(self, callback: Callable[[Moment], None]) -> None:
        """Have ``callback`` called with each thing as it happens."""
        self._story.listeners.append(callback)

    # -- the with block ------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failure = None
        if error is None:
            failure = self._end()
        self.leaves(patient=failure is None and error is None)
        if failure is not None:
            raise CallFailed(failure)

    def leaves(self, *, patient: bool = False) -> None:
        """Have the call and its connection at an end, whatever state they are in.

        :param patient: fail when the server keeps a connection on which it cannot hear anything.
        """
        if not self._started:
            return
        if self._channel.up:
            self._channel.hangup(HangupCause.NORMAL_CLEARING, by_caller=True)
        self._run(lambda: self.over, until=self._switch.clock.now() + LONGEST, strict=False, patience=0.0)
        self._close(patient)

    def _end(self) -> str | None:
        """Run until the handler ends the call; what to say when it does not."""
        ended = lambda: self.over or self.line.dead  # noqa: E731
        outcome = self._run(ended, until=self._switch.clock.now() + LONGEST)
        if outcome is Outcome.DONE:
            return None
        silent = f"its handler did nothing for {self._switch.patience:g} real seconds"
        reasons = {
            Outcome.TIME: f"it is still up {LONGEST:g} s later",
            Outcome.SILENT: silent,
            Outcome.NOTHING: self._why_nothing(),
        }
        message = f"the test is over but the handler has not ended the call: {reasons[outcome]}"
        return self._story.failure(message, note=reasons[outcome])

    def _close(self, patient: bool) -> None:
        """See the connection end: by the server, or when lingering is over."""
        line = self.line
        if line.dead:
            if patient and not line.server_closes(self._switch.patience):
                line.close()
                message = f"the server kept a dead connection for {self._switch.patience:g} real seconds"
                raise CallFailed(self._story.failure(message))
            line.close()
            for outbound in self._thread.outbounds:
                outbound.finish()
            return
        closed = lambda: not line.open  # noqa: E731
        clock = self._switch.clock
        soon = clock.now() + _CLOSING if clock.real else None
        self._run(closed, until=soon, patience=min(_CLOSING, self._switch.patience))
        if not clock.real:  # let lingering come to its end
            self._run(closed, until=clock.now() + LONGEST, strict=False, patience=0.0)
        line.close()

    # -- within ------------------------------------------------------------------------

    @property
    def handlers_turn(self) -> bool:
        """Whether the switch has nothing to do for this call until its handler speaks."""
        thread, line = self._thread, self.line
        if not self._started or self._switch.sleeping or line.dead or line.holding:
            return False
        if thread.connecting:
            return True
        outbound = self._outbound
        if outbound is None or outbound.finished or not line.open:
            return False
        if thread.finished:
            return True
        if not outbound.connected:
            return self._channel.up
        return thread.idle and not self._channel.will_wake

    @property
    def _outbound(self) -> Outbound | None:
        return self._thread.outbounds[0] if self._thread.outbounds else None

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._story.begin()
            self._switch.begin(self, self._thread, self.line, gone=self._gone)

    def _run(
        self,
        done: Callable[[], bool],
        *,
        until: float | None = None,
        patience: float | None = None,
        strict: bool = True,
    ) -> Outcome:
        patience = self._switch.patience if patience is None else patience
        return self._switch.pump.run(self, done, until=until, patience=patience, strict=strict)

    def _begins(self, during: PromptLike | None) -> None:
        self._start()
        if during is not None:
            self._next([prompt(during)], 0)

    def _next(self, wanted: list[Prompt], number: int) -> Heard:
        """The next sound, when it begins.

        :raises Unheard: it is not the expected one, or does not come.
        """
        expected = wanted[number]
        limit = self._switch.clock.now() + LONGEST
        outcome = self._run(lambda: self._ear.next(expected) is not None or self.over, until=limit)
        heard = self._ear.next(expected)
        if heard is None:
            raise self._ear.nothing(self._why(outcome), wanted, number)
        self._ear.accept(heard, wanted, number)
        return heard

    def _why(self, outcome: Outcome) -> str:
        """Why what was waited for has not come."""
        return {
            Outcome.DONE: f"the call ended ({self.hangup_cause}){self._explanation()}",
            Outcome.TIME: f"it was not heard within {LONGEST:g} s",
            Outcome.SILENT: f"the handler did nothing for {self._switch.patience:g} real seconds",
            Outcome.NOTHING: self._why_nothing(),
        }[outcome]

    def _explanation(self) -> str:
        known = self._switch.explain(self.uuid)
        return f"; {known}" if known else ""

    def _why_nothing(self) -> str:
        if self.line.dead:
            return "the switch and the handler do not hear each other any more"
        if self.line.was_open and not self.line.open:
            return "the connection is closed and nobody controls the call"
        return "nothing more can happen in it"

    def _change(self, what: str) -> None:
        if what == "answered":
            self.answered = True
            self._story.tell("the call is answered")
        elif what == "hangup":
            self._story.tell(f"the call ends: {self.hangup_cause}")
        elif what != "over":
            self._story.tell(what)
        self._switch.pump.touch(self)
