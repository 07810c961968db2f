"""Questions that callers answer with keys: one try on the switch at a time, judged here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from fsivr.call.channel import HIDDEN, Described, time_of
from fsivr.call.keys import KEYS
from fsivr.call.playing import not_played
from fsivr.call.ranges import check_seconds, check_terminator, check_tries
from fsivr.errors import NoInput, NoMatch, PromptError
from fsivr.prompts import Prompt, PromptLibrary, PromptLike, Silence, Uninterrupted, prompt, remembered

_MOST = 128  # play_and_get_digits keeps input in a buffer of this size (mod_dptools.c)
_VARIABLE = HIDDEN
_NOTHING = Silence(0.001)


class Session(Protocol):
    """What a question needs of the event socket."""

    @property
    def uuid(self) -> str:
        """The channel's id."""

    @property
    def channel(self) -> Described | None:
        """The channel as the switch last described it."""

    def execute_all(self, steps: Sequence[tuple[str, str]], *, timeout: float | None = None) -> Sequence[Described]:
        """Run several applications without a gap."""

    def api(self, command: str, argument: str = "") -> str:
        """Ask an API command and wait for what it prints."""

    def post(self, command: str, argument: str = "") -> None:
        """Have an API command run before what is sent next."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask, and what counts as an answer; see ``Call.ask``.

    :raises ValueError: a number, key or pattern out of range, named in the message.
    """

    library: PromptLibrary
    prompts: Sequence[Prompt]
    digits: int | tuple[int, int]
    timeout: float
    digit_timeout: float
    terminator: str
    pattern: str | None
    tries: int
    no_input: Prompt | None
    no_match: Prompt | None
    steps: Sequence[tuple[str, str]] = field(init=False, repr=False)
    """The applications of one try: of the first prompts one each, then of the rest and the digits."""
    whole: int = field(init=False, repr=False)
    """So many of the prompts are heard whole: those up to the last ``Uninterrupted`` one."""

    def __post_init__(self) -> None:
        self._check()
        held = [at for at, each in enumerate(self.prompts) if isinstance(each, Uninterrupted)]
        object.__setattr__(self, "whole", held[-1] + 1 if held else 0)
        object.__setattr__(self, "steps", self._steps())

    def _check(self) -> None:
        fewest, most = self._range
        if type(fewest) is not int or type(most) is not int or not 0 <= fewest <= most or not 1 <= most <= _MOST:
            raise ValueError(f"digits is a number from 1 to {_MOST}, or (fewest, most), not {self.digits!r}")
        for name in ("timeout", "digit_timeout"):
            check_seconds(name, getattr(self, name), 600)
        check_terminator(self.terminator)
        check_tries(self.tries)
        if self.pattern is None:
            return
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from None

    @property
    def _range(self) -> tuple[int, int]:
        digits = self.digits
        return digits if isinstance(digits, tuple) and len(digits) == 2 else (digits, digits)

    @property
    def most(self) -> int:
        """How many digits end the input."""
        return self._range[1]

    def rest(self, keyed: str) -> Question:
        """The question for what is missing of digits that were begun: it has no prompts."""
        digits = (0, self.most - len(keyed))
        return replace(self, prompts=[_NOTHING], digits=digits, timeout=self.digit_timeout)

    def ask(self, one_try: Callable[[Question], tuple[str, str]], play: Callable[[Prompt], None]) -> str:
        """The digits that were keyed and are an answer.

        :param one_try: asks once: what was keyed, and the terminator that ended it.
        :raises NoInput, NoMatch, PromptError: see ``Call.ask``.
        """
        for remaining in reversed(range(self.tries)):
            keyed, ended_by = one_try(self)
            if self.is_answer(keyed, ended_by):
                return keyed
            silent = not keyed and not ended_by
            if not remaining:
                break
            again = self.no_input if silent else self.no_match
            if again is not None:
                play(again)
        tries = "1 try" if self.tries == 1 else f"{self.tries} tries"
        if silent:
            raise NoInput(f"nothing was keyed in {tries}")
        # What was keyed may be a secret: it is in .digits, and never in the text.
        raise NoMatch(f"what was keyed is no answer, after {tries}", keyed)

    def is_answer(self, keyed: str, ended_by: str) -> bool:
        """Whether what was keyed is an answer."""
        fewest, most = self._range
        if not keyed and not (fewest == 0 and ended_by):
            return False
        if not fewest <= len(keyed) <= most:
            return False
        return self.pattern is None or re.fullmatch(self.pattern, keyed) is not None

    def once(self, session: Session, steps: Sequence[tuple[str, str]] | None = None) -> tuple[str, str]:
        """What was keyed in one try, and the terminator that ended it.

        :param steps: the applications to do it with, where not all of them.
        :raises PromptError: the switch could not play the prompts.
        """
        before = session.channel
        # FreeSWITCH clears neither by itself (captures 02g_pagd_min_max_terminator, 02e_read_app).
        session.post("uuid_setvar_multi", f"{session.uuid} {_VARIABLE}=;read_terminator_used=")
        *earlier, completion = session.execute_all(self.steps if steps is None else steps)
        if earlier:
            before = earlier[-1]
            self.check_played(earlier)
        keyed = completion.get(f"variable_{_VARIABLE}") or ""
        if keyed:
            # Of a single key the switch does not say that it is a terminator (switch_ivr_read).
            return ("", keyed) if self.most == 1 and keyed in self.terminator else (keyed, "")
        ended_by = completion.get("variable_read_terminator_used") or ""
        began = time_of(before)
        if not ended_by and began and time_of(completion) - began < self.timeout * 0.9:
            # Also what a transfer from outside leaves behind: one round trip, and we know.
            session.api("uuid_exists", session.uuid)
            # A missing prompt makes the switch end at once instead of waiting (FACTS 3.13).
            spoken = ", ".join(map(str, self.prompts))
            raise PromptError(f"the switch did not wait for digits; is every prompt there? {spoken}")
        return keyed, ended_by

    def check_played(self, completions: Sequence[Described]) -> None:
        """See whether the first prompts were played.

        :raises PromptError: the switch could not play one of them.
        """
        for one, completion in zip(self.prompts, completions, strict=False):
            if said := not_played(completion):
                raise PromptError(f"the switch could not play {one}: {said}")

    def _steps(self) -> list[tuple[str, str]]:
        """The applications of one try.

        ``play_and_get_digits`` plays files only, so values to say are played
        before it. One digit is enough for it, and any will do: what is too short
        or wrong is judged here, where it is known what to say about it.
        """
        library = self.library
        spoken = [at for at, each in enumerate(self.prompts) if not library.is_file(each)]
        split = max(self.whole, spoken[-1] + 1 if spoken else 0)
        steps = [library.application(each) for each in self.prompts[:split]]
        files = library.file_string(self.prompts[split:] or [_NOTHING])
        wait, next_wait = round(self.timeout * 1000), round(self.digit_timeout * 1000)
        terminators = self.terminator if self.most > 1 else ""
        steps.append(
            (
                "play_and_get_digits",
                f"1 {self.most} 1 {wait} {terminators or 'none'} {files} "
                f"{library.file(_NOTHING)} {_VARIABLE} \\S+ {next_wait}",
            )
        )
        return steps


@remembered(1024)
def question(
    library: PromptLibrary,
    digits: int | tuple[int, int],
    timeout: float,
    digit_timeout: float,
    terminator: str,
    pattern: str | None,
    tries: int,
    no_input: PromptLike | None,
    no_match: PromptLike | None,
    *prompts: PromptLike,
) -> Question:
    """The question that ``Call.ask``'s arguments mean.

    :raises ValueError: one of them is wrong, named in the message.
    """
    if not prompts:
        raise ValueError("nothing to ask with: give at least one prompt")
    return Question(
        library,
        [prompt(each) for each in prompts],
        digits,
        timeout,
        digit_timeout,
        terminator,
        pattern,
        tries,
        None if no_input is None else prompt(no_input),
        None if no_match is None else prompt(no_match),
    )


@dataclass(frozen=True, slots=True)
class Keys:
    """How to ask for one of several choices."""

    digits: tuple[int, int]
    terminator: str
    pattern: str


def choices_of(choices: Mapping[str, object]) -> Keys:
    """How to ask for these choices.

    :raises ValueError: no choices, or one that is no sequence of keys.
    """
    if not isinstance(choices, Mapping):
        raise TypeError(f"a menu's choices are a dict of what each key means, not {choices!r}")
    if not choices:
        raise ValueError("a menu needs at least one choice")
    for key in choices:
        if not isinstance(key, str) or not KEYS.fullmatch(key):
            raise ValueError(f"a choice is made by keys 0-9 * # A-D, given as a str, not {key!r}")
    lengths = {len(key) for key in choices}
    # Where every choice is as long, the last key ends the input; else "#" may, if it is free.
    free = len(lengths) > 1 and not any("#" in key for key in choices)
    return Keys((min(lengths), max(lengths)), "#" if free else "", "|".join(map(re.escape, choices)))
