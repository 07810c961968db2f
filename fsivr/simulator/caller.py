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

    def says(self, text: str) -> None:
        """Speak: kept in ``said`` and in the transcript; nobody recognises speech yet."""
        self._start()
        self.said.append(text)
        self._story.tell(f"says {text!r}")

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
