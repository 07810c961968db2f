"""Script: what a test that replays a call does, step by step, and its text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from itertools import chain

from fsivr.cli.literals import class_of, literal, prompt_of, written
from fsivr.prompts import Prompt

_WIDTH = 120
_BLANK = ""


class Script:
    """The steps of a test, as they are found.

    A step that cannot be replayed ends them; what is told of it is a comment.
    """

    def __init__(self) -> None:
        #: Whether the caller has hung up, or no more can be replayed: no step counts any more.
        self.ended = False
        #: What cannot be replayed; "" where all can.
        self.stopped = ""
        #: Whether the caller was the one who hung up.
        self.left = False
        #: What the call ends with for the caller, where that is not its own cause.
        self.cause = ""
        self._setup: dict[str, list[str]] = {}
        self._steps: list[str] = []
        self._secrets: dict[str, str] = {}
        self._classes = {"HangupCause"}

    # -- what the caller does ---------------------------------------------------------------

    def hears(self, texts: Iterable[str]) -> None:
        """The caller hears prompts to their end."""
        sounds = self._sounds(texts)
        if sounds and not self.ended:
            self._steps += _call("caller.hears", sounds)

    def dials(self, keys: str, *, during: str = "") -> None:
        """The caller presses keys."""
        if keys and not self.ended:
            self._steps += _call("caller.dials", [literal(keys), *self._during(during)])

    def dials_secret(self, where: str) -> None:
        """The caller keys something that is not known."""
        if self.ended:
            return
        name = f"SECRET_{len(self._secrets) + 1}"
        self._secrets[name] = _comment(where)
        self._steps.append(f"caller.dials({name})")

    def says(self, text: str, confidence: float | None) -> None:
        """The caller speaks."""
        if not self.ended:
            sure = [] if confidence is None or not 0 <= confidence < 1 else [f"confidence={confidence!r}"]
            self._steps += _call("caller.says", [literal(text), *sure])

    def waits(self, seconds: float, how: str = "waits") -> None:
        """The caller lets time pass, or talks."""
        if seconds > 0 and not self.ended:
            self._steps.append(f"caller.{how}({seconds:g})")

    def hangs_up(self, cause: str, *, during: str = "") -> None:
        """The caller hangs up, and that is the end."""
        if self.ended:
            return
        usual = cause in ("NORMAL_CLEARING", "ORIGINATOR_CANCEL")
        self._steps += _call("caller.hangs_up", [*([] if usual else [_cause(cause)]), *self._during(during)])
        self.left = self.ended = True

    def stop(self, why: str) -> None:
        """What comes now cannot be replayed."""
        if not self.ended:
            self.stopped = why
            self.remark(f"From here on it cannot be replayed: {why}.")
            self._steps.append("caller.leaves()")
            self.ended = True

    def remark(self, what: str) -> None:
        """Something that whoever reads the test should know."""
        if not self.ended:
            self._steps += textwrap.wrap(_comment(what), 100, initial_indent="# ", subsequent_indent="# ")

    # -- the world around --------------------------------------------------------------------

    def world(self, method: str, subject: str, *given: str) -> None:
        """The switch is told what somebody else does, before the call; the first time counts."""
        if self.ended:
            return
        key = f"{'understands ' * (method == 'understands')}far {subject}"
        lines = _call(f"switch.{method}", [literal(subject), *given])
        if self._setup.setdefault(key, lines) != lines:
            self.remark(f"{literal(subject)} did something else here than the first time, which cannot be replayed")

    def extension(self, number: str, cause: str) -> None:
        """The dialplan that a call is transferred to ends it with a cause of its own."""
        if not self.ended:
            line = f'switch.extensions[{literal(number)}] = [("hangup", {literal(cause)})]'
            self._setup[f"extension {number}"] = [line]

    # -- the text ----------------------------------------------------------------------------

    def text(self, *, title: str, name: str, number: str, options: Iterable[str], cause: str, answered: bool) -> str:
        """The file.

        :param name: of the test's function, without ``test_``.
        :param options: of ``switch.call``, as Python text.
        :param cause: the hangup cause that the call ended with.
        """
        if not (self.left or self.stopped):
            self._steps.append("caller.join()" if self.cause else "caller.hears_no_more()")
        body = [
            f'assert {each}, "fill in {each} at the top of this file: what was keyed there is not kept"'
            for each in self._secrets
        ]
        body += chain.from_iterable(self._setup.values())
        *head, last = _call("with switch.call", [literal(number), *options], len(" as caller:") - 4)
        body += [*head, f"{last} as caller:", *(f"    {line}" for line in self._steps)]
        checks = []
        if not self.stopped:
            checks.append(f"assert {'' if answered else 'not '}caller.answered")
            checks.append(f"assert caller.hangup_cause is {_cause(self.cause or cause)}")
        lines = [f'"""{title}"""', _BLANK]
        used = sorted(each for each in self._classes if re.search(rf"\b{each}\b", "\n".join([*body, *checks])))
        lines += [f"from fsivr import {', '.join(used)}", _BLANK] if used else []
        if self._secrets:
            lines.append('# What was keyed in secret is not kept: fill in what a caller keys there, as "1234".')
            lines += [f'{name} = ""  # {where}' for name, where in self._secrets.items()] + [_BLANK]
        lines += [_BLANK, f"def test_{name}(switch):", *(f"    {line}" for line in [*body, *checks])]
        return "".join(f"{_marked(line)}\n" for line in lines)

    # -- within ------------------------------------------------------------------------------

    def _sounds(self, texts: Iterable[str]) -> list[str]:
        found = [prompt_of(text) for text in texts]
        if None in found:
            self.remark("a prompt is heard here that the timeline does not have whole")
        return [self._sound(meant) for meant in found if meant is not None]

    def _sound(self, meant: Prompt) -> str:
        self._classes |= {class_of(meant)} - {""}
        return written(meant)

    def _during(self, text: str) -> list[str]:
        return [f"during={sound}" for sound in self._sounds([text] if text else [])]


def _cause(name: str) -> str:
    return f"HangupCause.{name}" if re.fullmatch(r"[A-Z0-9_]+", name) else "None"


def _comment(text: str) -> str:
    return " ".join(ascii(text)[1:-1].split())


def _call(function: str, given: list[str], more: int = 0) -> list[str]:
    """A call in one line, or where it is too long as the formatter would break it.

    :param more: how many letters come after it.
    """
    inner = ", ".join(given)
    line, inner = f"{function}({inner})", f"    {inner}"
    if len(line) + more <= _WIDTH - 8:
        return [line]
    if len(inner) <= _WIDTH - 8 or len(given) == 1:
        return [f"{function}(", inner, ")"]
    return [f"{function}(", *(f"    {each}," for each in given), ")"]


def _marked(line: str) -> str:
    return line if len(line) <= _WIDTH or line.lstrip().startswith("#") else f"{line}  # noqa: E501"
