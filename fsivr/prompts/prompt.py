"""The kinds of prompt: sound files, spoken values, tones and silence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

# No blank, quote, comma, "!", "$" or "%": each means something to some part of
# the switch, so a name made of caller's text can never become more than a name.
_FILE_NAME = re.compile(r"[\w/.+=@~-]+", re.ASCII)
_WORD = re.compile(r"[A-Za-z_/]+")
# No blank: of five words the switch takes the fourth for a gender (mod_dptools.c, say_function).
_SAYABLE = re.compile(r"[\w.:+/@#*-]+", re.ASCII)
_TONES = re.compile(r"[\w%(),.;=/+*#-]+", re.ASCII)


class Prompt:
    """Something a caller can be made to hear; ``str()`` of it is what a test would write."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class File(Prompt):
    """A sound file, named below the library's folder and without its extension.

    :raises ValueError: a name with characters other than letters, digits and
        ``/ . _ - + = @ ~``, or with a ``..`` step.
    """

    name: str

    def __post_init__(self) -> None:
        if not _FILE_NAME.fullmatch(self.name) or ".." in self.name.split("/"):
            raise ValueError(
                f"a prompt's name has letters, digits and / . _ - + = @ ~ and no '..' step, not {self.name[:80]!r}"
            )

    def __str__(self) -> str:
        return repr(self.name)


@dataclass(frozen=True, slots=True)
class Say(Prompt):
    """A value spoken in the call's language: use ``Say.number``, ``Say.digits`` or ``Say.currency``.

    ``kind`` and ``method`` are FreeSWITCH's words (``switch_types.h``,
    ``switch_say_type_t`` and ``switch_say_method_t``).
    """

    kind: str
    method: str
    text: str

    def __post_init__(self) -> None:
        if not (_WORD.fullmatch(self.kind) and _WORD.fullmatch(self.method) and _SAYABLE.fullmatch(self.text)):
            raise ValueError(
                "Say takes FreeSWITCH's kind and method, and a text of letters, digits and . : + - / @ # *"
            )

    @classmethod
    def number(cls, value: int) -> Say:
        """The number as a whole: 42 is "forty-two"."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"Say.number takes a whole number, not {value!r}")
        return cls("NUMBER", "PRONOUNCED", str(value))

    @classmethod
    def digits(cls, value: str | int) -> Say:
        """The digits one by one: "42" is "four two"."""
        text = str(value)
        if not (text.isascii() and text.isdigit()):
            # What is said may be a secret: it is in no message.
            raise ValueError("Say.digits takes the digits 0-9 and nothing else")
        return cls("NUMBER", "ITERATED", text)

    @classmethod
    def currency(cls, value: int | str | Decimal) -> Say:
        """An amount of money below 10**12, in whole units with up to two decimals: 42 or "42.50"."""
        try:
            amount = Decimal(value)
        except (InvalidOperation, TypeError, ValueError):
            amount = Decimal("NaN")
        if not amount.is_finite() or abs(amount) >= 10**12 or amount != round(amount, 2):
            raise ValueError(f"Say.currency takes an amount with up to two decimals, not {value!r}")
        return cls("CURRENCY", "PRONOUNCED", f"{amount:.2f}")

    def __str__(self) -> str:
        maker = _MAKERS.get((self.kind, self.method))
        if maker is None:
            return f"Say({self.kind!r}, {self.method!r}, {self.text!r})"
        text = self.text.removesuffix(".00")
        if maker == "digits" or "." in text:
            text = repr(text)
        return f"Say.{maker}({text})"


_MAKERS = {
    ("NUMBER", "PRONOUNCED"): "number",
    ("NUMBER", "ITERATED"): "digits",
    ("CURRENCY", "PRONOUNCED"): "currency",
}


@dataclass(frozen=True, slots=True)
class Silence(Prompt):
    """Nothing to hear, for so many seconds."""

    seconds: float

    def __post_init__(self) -> None:
        if not 0.001 <= self.seconds <= 3600:
            raise ValueError(f"Silence takes seconds from 0.001 to 3600, not {self.seconds!r}")

    def __str__(self) -> str:
        return f"Silence({self.seconds!r})"


@dataclass(frozen=True, slots=True)
class Tone(Prompt):
    """A tone in FreeSWITCH's notation: ``%(200,100,440)`` is 200 ms of 440 Hz, then 100 ms of rest."""

    spec: str

    def __post_init__(self) -> None:
        if not _TONES.fullmatch(self.spec):
            raise ValueError(f"a tone is written like '%(200,100,440)', not {self.spec[:80]!r}")

    def __str__(self) -> str:
        return f"Tone({self.spec!r})"


def prompt(value: str | int | Prompt) -> Prompt:
    """The prompt a handler meant: a ``str`` is a sound file, an ``int`` a number to say.

    :raises ValueError: it is neither, nor a prompt.
    """
    if isinstance(value, Prompt):
        return value
    if isinstance(value, str):
        return File(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Say.number(value)
    raise ValueError(f"a prompt is a sound file's name, a whole number, Say, Tone or Silence, not {value!r}")
