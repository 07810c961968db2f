"""The verbs that ask: what the caller keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from fsivr.call.line import Line
from fsivr.call.questions import choices_of, question
from fsivr.prompts import PromptLike

T = TypeVar("T")


class Asking(Line):
    """A call in which questions are asked and answered by keys."""

    def ask(
        self,
        *prompts: PromptLike,
        digits: int | tuple[int, int],
        timeout: float = 5.0,
        digit_timeout: float = 3.0,
        terminator: str = "#",
        pattern: str | None = None,
        tries: int = 3,
        no_input: PromptLike | None = None,
        no_match: PromptLike | None = None,
    ) -> str:
        """The digits the caller keyed.

        The caller may key before the prompts have ended, and the first digit ends
        them; but keys pressed during a value that is said (``Say``, a number) are lost.

        :param digits: how many: ``4``, or the fewest and the most as ``(1, 8)``.
        :param timeout: seconds to wait for the first digit after the prompts.
        :param digit_timeout: seconds to wait for each further digit.
        :param terminator: keys that end the input; ``""`` for none.
        :param pattern: a regular expression that the digits must match whole.
        :param tries: how often to ask before giving up.
        :param no_input: played after a try without a digit, before the next.
        :param no_match: played after a try with the wrong digits, before the next.
        :raises NoInput: nothing was keyed in the last try.
        :raises NoMatch: something else was; ``.digits`` holds it.
        :raises PromptError: the switch could not play the prompts.
        """
        asked = question(
            self._library, digits, timeout, digit_timeout, terminator, pattern, tries, no_input, no_match, *prompts
        )
        return asked.ask(self._session, self._play_one)

    def menu(
        self,
        prompts: PromptLike | Sequence[PromptLike],
        choices: Mapping[str, T],
        *,
        timeout: float = 5.0,
        digit_timeout: float = 3.0,
        tries: int = 3,
        no_input: PromptLike | None = None,
        no_match: PromptLike | None = None,
    ) -> T:
        """The choice the caller made: the value of the keys that were pressed.

        :param prompts: what tells the caller the choices: one prompt, or several.
        :param choices: by the keys that choose them, as ``{"1": self.sales, "0": self.agent}``.
        :raises NoInput: nothing was keyed in the last try.
        :raises NoMatch: something that is no choice was.
        """
        spoken = [prompts] if isinstance(prompts, PromptLike) else prompts
        keys = choices_of(choices)
        keyed = self.ask(
            *spoken,
            digits=keys.digits,
            timeout=timeout,
            digit_timeout=digit_timeout,
            terminator=keys.terminator,
            pattern=keys.pattern,
            tries=tries,
            no_input=no_input,
            no_match=no_match,
        )
        return choices[keyed]
