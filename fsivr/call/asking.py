"""The verbs that ask: what the caller keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from fsivr.call.attempts import Steps, in_secret, with_keys_ahead
from fsivr.call.channel import HIDDEN
from fsivr.call.keys import ALL, Keypad, Listener
from fsivr.call.line import Line
from fsivr.call.playing import Interruptible
from fsivr.call.questions import Question, choices_of, question
from fsivr.errors import NoMatch
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
        sensitive: bool = False,
    ) -> str:
        """The digits the caller keyed.

        The caller may key before the prompts have ended, and the first digit ends
        them; but keys pressed during a value that is said (``Say``, a number) are lost
        without ``type_ahead``, and those pressed before the end of an ``Uninterrupted``
        prompt are dropped.

        :param digits: how many: ``4``, or the fewest and the most as ``(1, 8)``.
        :param timeout: seconds to wait for the first digit after the prompts.
        :param digit_timeout: seconds to wait for each further digit.
        :param terminator: keys that end the input; ``""`` for none.
        :param pattern: a regular expression that the digits must match whole.
        :param tries: how often to ask before giving up.
        :param no_input: played after a try without a digit, before the next.
        :param no_match: played after a try with the wrong digits, before the next.
        :param sensitive: whether it is a secret: nothing but what this returns will hold it.
        :raises NoInput: nothing was keyed in the last try.
        :raises NoMatch: something else was; ``.digits`` holds it, unless it is sensitive.
        :raises PromptError: the switch could not play the prompts.
        """
        asked = question(
            self._library, digits, timeout, digit_timeout, terminator, pattern, tries, no_input, no_match, *prompts
        )
        if sensitive:
            return self._ask_in_secret(asked)
        return asked.ask(self._one_try, self._play_one)

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

    def confirm(
        self,
        *prompts: PromptLike,
        yes: str = "1",
        no: str = "2",
        timeout: float = 5.0,
        digit_timeout: float = 3.0,
        tries: int = 3,
        no_input: PromptLike | None = None,
        no_match: PromptLike | None = None,
    ) -> bool:
        """Whether the caller said yes.

        :param yes: the keys that mean yes.
        :param no: the keys that mean no.
        :raises NoInput: nothing was keyed in the last try.
        :raises NoMatch: something that is neither was.
        """
        if yes == no:
            raise ValueError(f"yes and no are different keys, not both {yes!r}")
        return self.menu(
            prompts,
            {yes: True, no: False},
            timeout=timeout,
            digit_timeout=digit_timeout,
            tries=tries,
            no_input=no_input,
            no_match=no_match,
        )

    # -- keys outside of questions ---------------------------------------------------------

    @property
    def type_ahead(self) -> bool:
        """Whether keys pressed before a question answer it; False until it is set.

        They are kept from what runs and from between two verbs alike, and dropped by
        an answer that is wrong, an ``Uninterrupted`` prompt and ``flush``.
        """
        return self._keypad is not None and self._keypad.kept

    @type_ahead.setter
    def type_ahead(self, kept: bool) -> None:
        if kept is not True and kept is not False:
            raise TypeError(f"type_ahead is True or False, not {kept!r}")
        if kept == self.type_ahead:
            return
        keypad = self._watched_keypad()
        keypad.forget()
        keypad.kept = kept
        self._leave_keypad()

    def flush(self) -> None:
        """Forget the keys that were pressed until now, here and on the switch."""
        completion = self._session.execute("flush_dtmf")
        if self._keypad is not None:
            self._keypad.forget(completion)

    def on_digit(self, function: Callable[[str], object] | None) -> None:
        """Have a function called with each key from now on, in order, whatever the call does; None ends it.

        It may take its time: it runs beside the handler, one key after the other, and
        ends with the call. What it raises is logged. Keys of a sensitive question are
        not for it.
        """
        if function is not None and not callable(function):
            raise TypeError(f"on_digit takes a function, or None, not {function!r}")
        if self._keypad is not None and self._keypad.listener is not None:
            self._keypad.listener.retire()
            self._keypad.listener = None
        if function is not None:
            self._watched_keypad().listener = Listener(function, self._session, self.uuid)
        self._leave_keypad()

    # -- how they work ----------------------------------------------------------------------

    def _watched_keypad(self) -> Keypad:
        if self._keypad is None:
            if self.over:
                raise self._session.ended()
            self._keypad = Keypad(self._session)
        return self._keypad

    def _leave_keypad(self) -> None:
        """Have keys not looked at where nobody wants them."""
        keypad = self._keypad
        if keypad is not None and not keypad.kept and keypad.listener is None:
            keypad.close()
            self._keypad = None

    def _one_try(self, asked: Question) -> tuple[str, str]:
        keypad = self._keypad
        if keypad is None or not keypad.kept:
            return asked.once(self._session)
        keyed, ended_by = with_keys_ahead(asked, self._session, keypad, self._play_until_a_key)
        if not asked.is_answer(keyed, ended_by):
            keypad.forget()  # the caller must hear that it was wrong
        return keyed, ended_by

    def _play_until_a_key(self, steps: Steps) -> None:
        playing = Interruptible(self._session, ALL)
        playing.play(steps, None)
        for one, said in playing.failed:
            self._not_played(one, said)

    def _ask_in_secret(self, asked: Question) -> str:
        try:
            with self._masked(), in_secret(self._session, self._keypad, HIDDEN):
                return asked.ask(self._one_secret_try, self._play_one)
        except NoMatch as error:
            told = str(error)
        raise NoMatch(told)  # not within the except: the other one, which holds the digits, would hang on it

    def _one_secret_try(self, asked: Question) -> tuple[str, str]:
        keyed, ended_by = self._one_try(asked)
        if not asked.is_answer(keyed, ended_by):
            self._session.post("uuid_setvar_multi", f"{self.uuid} {HIDDEN}=")  # before anything else is played
        return keyed, ended_by
