"""The caller: what a test does with a call, and what it can see of it."""

from __future__ import annotations

from operator import methodcaller

from fsivr.causes import HangupCause
from fsivr.prompts import PromptLike, prompt
from fsivr.simulator.participant import LONGEST, Participant
from fsivr.simulator.story import CallFailed

# A failure's traceback ends at the line of the test.
__tracebackhide__ = methodcaller("errisinstance", CallFailed)

_KEYS = "0123456789*#ABCD"
_BREATH = 0.5


class Caller(Participant):
    """Somebody on the telephone, in a call to the switch. A context manager: the call is the ``with`` block.

    Time passes only while one of its methods waits. At the end of the block the
    handler must end the call; a failure says so when it does not.
    """

    # -- what the caller does ------------------------------------------------------------

    def hears(self, *prompts: PromptLike) -> None:
        """Wait until the prompts have been heard, to their end, one after the other.

        :raises Unheard: something else was heard, the call ended, or the handler fell silent.
        """
        self._start()
        wanted = [prompt(value) for value in prompts]
        for number in range(len(wanted)):
            heard = self._next(wanted, number)
            self._run(lambda heard=heard: heard.ended or self.over)  # type: ignore[misc]

    def hears_no_more(self) -> None:
        """Wait until the call has ended, in which nothing more may be heard; silence, and ringing, may.

        :raises Unheard: something was.
        """
        self._start()
        ended = lambda: self.over or self._ear.unspoken() is not None  # noqa: E731
        self._run(ended, until=self._switch.clock.now() + LONGEST, strict=False)
        heard = self._ear.unspoken()
        if heard is not None:
            raise self._ear.unexpected(heard)

    def dials(self, keys: str, *, during: PromptLike | None = None) -> None:
        """Press keys, one after the other.

        :param during: press them as soon as this prompt begins, instead of now.
        :raises ValueError: a key that a telephone does not have.
        """
        wrong = [key for key in keys if key not in _KEYS]
        if wrong or not keys:
            raise ValueError(f"a telephone has the keys 0-9, *, # and A-D, not {''.join(wrong)!r}")
        self._begins(during)
        shown = "*" * len(keys) if self._channel.sensitive else keys
        if self.hangup_cause is not None:
            raise CallFailed(self._story.failure(f"the caller cannot dial {shown}: the call is over"))
        self._story.tell(f"dials {shown}")
        for key in keys:
            self._channel.press(key)

    def says(self, text: str, *, confidence: float = 0.9, during: PromptLike | None = None) -> None:
        """Speak, which takes a second; heard by a handler that listens now or within a breath of half a second.

        :param confidence: how sure the switch's recogniser is of what it understands, from 0 to 1.
        :param during: speak as soon as this prompt begins, instead of now.
        """
        if not 0 <= confidence <= 1:
            raise ValueError(f"confidence is a number from 0 to 1, not {confidence!r}")
        self._begins(during)
        self.said.append(text)
        self._story.tell(f"says {text!r}")
        listening = self._switch.recognisers
        soon = self._switch.clock.now() + _BREATH
        self._run(lambda: self.uuid in listening or self.over, until=soon, patience=self._switch.grace, strict=False)
        if self.uuid in listening:
            listening[self.uuid].hear(text, confidence)

    def talks(self, seconds: float) -> None:
        """Talk for so many seconds, which pass: what a recording holds, and what is not silence to it."""
        self._start()
        self._story.tell(f"talks for {seconds:g} s")
        until = self._switch.clock.now() + seconds
        self._channel.talks.append((self._switch.clock.now(), until))
        self._run(lambda: self.over, until=until, patience=self._switch.grace, strict=False)

    def sends_no_sound(self) -> None:
        """Have no sound come from the caller, as where a firewall lets none through."""
        self._channel.silent = True

    def waits(self, seconds: float) -> None:
        """Let so many seconds pass, or fewer if the call ends before."""
        self._start()
        self._story.tell(f"waits {seconds:g} s")
        until = self._switch.clock.now() + seconds
        self._run(lambda: self.over, until=until, patience=self._switch.grace, strict=False)

    def hangs_up(self, cause: HangupCause | None = None, *, during: PromptLike | None = None) -> None:
        """Hang up.

        :param cause: ``NORMAL_CLEARING`` where left out; ``ORIGINATOR_CANCEL`` before the answer.
        :param during: hang up as soon as this prompt begins, instead of now.
        """
        self._begins(during)
        if cause is None:
            cause = HangupCause.NORMAL_CLEARING if self.answered else HangupCause.ORIGINATOR_CANCEL
        if self._channel.up:
            self._story.tell("hangs up")
            self._channel.hangup(cause, by_caller=True)

    def join(self, seconds: float = LONGEST) -> bool:
        """Wait until the call has ended; whether it did within so many seconds."""
        self._start()
        self._run(lambda: self.over, until=self._switch.clock.now() + seconds, strict=False)
        return self.over
