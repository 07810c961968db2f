"""Say: values spoken in the call's language, out of the switch's own recordings."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from fsivr.prompts.prompt import Prompt

_WORD = re.compile(r"[A-Za-z_/]+")
_SAYABLE = re.compile(r"[\w.:+/@#*-]([\w .:+/@#*-]*[\w.:+/@#*-])?", re.ASCII)

# The say modules (mod_say_en.c and its sisters) refuse a number of more digits, and one
# with a sign, without a word: the caller hears nothing.
_MOST = 10**9
_MOST_DIGITS = 127  # switch_strip_commas: a buffer of 128
_MOST_LETTERS = 100

# A date has no hour: at this one, UTC, it is the same day from Hawaii (-10) to Chatham (+13:45).
_HOUR_OF_A_DATE = 10


@dataclass(frozen=True, slots=True)
class Say(Prompt):
    """A value spoken in the call's language: use ``Say.number`` and the like.

    ``kind`` and ``method`` are FreeSWITCH's words (``switch_types.h``,
    ``switch_say_type_t`` and ``switch_say_method_t``). A value that the language's
    module cannot say is silence: the switch tells nobody (capture ``11a_say``).
    """

    kind: str
    method: str
    text: str

    def __post_init__(self) -> None:
        if not (_WORD.fullmatch(self.kind) and _WORD.fullmatch(self.method) and _SAYABLE.fullmatch(self.text)):
            raise ValueError(
                "Say takes FreeSWITCH's kind and method, and a text of letters, digits, blanks and . : + - / @ # *"
            )

    @classmethod
    def number(cls, value: int) -> Say:
        """The number as a whole, below 10**9: 42 is "forty-two"."""
        return cls("NUMBER", "PRONOUNCED", _whole("number", value, 0))

    @classmethod
    def ordinal(cls, value: int) -> Say:
        """The number as a place in a row, below 10**9: 3 is "third"."""
        return cls("NUMBER", "COUNTED", _whole("ordinal", value, 1))

    @classmethod
    def digits(cls, value: str | int) -> Say:
        """Up to 127 digits one by one: "42" is "four two"."""
        text = str(value)
        # What is said may be a secret: it is in no message.
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise ValueError(f"Say.digits takes up to {_MOST_DIGITS} of the digits 0-9 and nothing else")
        return cls("NUMBER", "ITERATED", text)

    @classmethod
    def spelled(cls, text: str) -> Say:
        """Up to 100 letters and digits one by one: "AB7" is "a b seven".

        :raises ValueError: other characters than ASCII letters, digits, blanks and ``. : + - / @ # * _``.
        """
        if not isinstance(text, str) or len(text) > _MOST_LETTERS or not _SAYABLE.fullmatch(text):
            raise ValueError(
                f"Say.spelled takes up to {_MOST_LETTERS} ASCII letters, digits, blanks and . : + - / @ # * _"
            )
        return cls("NAME_SPELLED", "PRONOUNCED", text)

    @classmethod
    def currency(cls, value: int | str | Decimal) -> Say:
        """An amount of money between -10**9 and 10**9, in whole units with up to two decimals: 42 or "42.50"."""
        try:
            amount = Decimal(value)
        except (InvalidOperation, TypeError, ValueError):
            amount = Decimal("NaN")
        if not amount.is_finite() or abs(amount) >= _MOST or amount != round(amount, 2):
            raise ValueError(f"Say.currency takes an amount below 10**9 with up to two decimals, not {value!r}")
        return cls("CURRENCY", "PRONOUNCED", f"{amount or Decimal(0):.2f}")

    @classmethod
    def duration(cls, value: float | timedelta) -> Say:
        """A length of time, given in seconds: 3725 is "one hour, two minutes, five seconds"."""
        seconds = value.total_seconds() if isinstance(value, timedelta) else value
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < _MOST:
            raise ValueError(f"Say.duration takes seconds from 0 to below 10**9, or a timedelta, not {value!r}")
        minutes, rest = divmod(int(seconds), 60)
        # The seconds alone would do, but 0 of them is the time since 1970 (mod_say_en.c).
        return cls("TIME_MEASUREMENT", "PRONOUNCED", f"{minutes // 60}:{minutes % 60:02}:{rest:02}")

    @classmethod
    def date(cls, value: date | str) -> Say:
        """A day after 1969, as ``date(2026, 11, 24)`` or ``"2026-11-24"``.

        A ``datetime`` needs a time zone; its day is said in the call's own, as in ``Say.time``.
        """
        return cls("CURRENT_DATE", "PRONOUNCED", _epoch("date", value, day=True))

    @classmethod
    def time(cls, value: datetime | str) -> Say:
        """The time of day at a moment after 1969: a ``datetime`` with a time zone, or ``"2026-11-24T14:30Z"``.

        The switch is told the moment, and says it in the time zone of the call: the
        channel variable ``timezone``, as ``Europe/Berlin``, else the switch's own.
        """
        return cls("CURRENT_TIME", "PRONOUNCED", _epoch("time", value))

    @classmethod
    def date_time(cls, value: datetime | str) -> Say:
        """The day and the time of a moment; see ``Say.time``."""
        return cls("CURRENT_DATE_TIME", "PRONOUNCED", _epoch("date_time", value))

    def __str__(self) -> str:
        name, meaning = _MAKERS.get((self.kind, self.method), ("", str))
        try:
            value = meaning(self.text)
            if name and getattr(Say, name)(value) == self:
                return f"Say.{name}({value!r})"
        except ValueError:
            pass
        return f"Say({self.kind!r}, {self.method!r}, {self.text!r})"


def _whole(name: str, value: int, least: int) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < _MOST:
        shown = repr(value)[:80] if not isinstance(value, int) or abs(value) < 10**80 else "one of so many digits"
        raise ValueError(f"Say.{name} takes a whole number from {least} to below 10**9, not {shown}")
    return str(value)


def _epoch(name: str, value: date | str, day: bool = False) -> str:
    """The seconds since 1970 of a moment, which is how every say module takes it."""
    moment: date | None
    try:
        moment = _read_moment(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if day and isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, _HOUR_OF_A_DATE, tzinfo=UTC)
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        wanted = "a date, or " if day else ""
        raise ValueError(
            f"Say.{name} takes {wanted}a datetime with a time zone, or either in ISO 8601, not {str(value)[:80]!r}"
        )
    seconds = int(moment.timestamp() // 1)
    if seconds <= 0:  # the say modules take it for the present
        raise ValueError(f"Say.{name} takes what comes after 1969, not {str(value)[:80]!r}")
    return str(seconds)


def _read_moment(text: str) -> date:
    return date.fromisoformat(text) if len(text) <= len("2026-11-24") else datetime.fromisoformat(text)


def _amount(text: str) -> int | str:
    return int(text[:-3]) if text.endswith(".00") else text


def _seconds(text: str) -> int:
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def _moment(text: str) -> str:
    try:
        moment = datetime.fromtimestamp(int(text), UTC)
    except (OverflowError, OSError):
        raise ValueError(text) from None
    return moment.isoformat(timespec="seconds" if moment.second else "minutes").replace("+00:00", "Z")


def _day(text: str) -> str:
    moment = _moment(text)
    return moment.removesuffix(f"T{_HOUR_OF_A_DATE}:00Z")


#: The method that makes each kind, and what it was given.
_MAKERS: dict[tuple[str, str], tuple[str, Callable[[str], object]]] = {
    ("NUMBER", "PRONOUNCED"): ("number", int),
    ("NUMBER", "COUNTED"): ("ordinal", int),
    ("NUMBER", "ITERATED"): ("digits", str),
    ("NAME_SPELLED", "PRONOUNCED"): ("spelled", str),
    ("CURRENCY", "PRONOUNCED"): ("currency", _amount),
    ("TIME_MEASUREMENT", "PRONOUNCED"): ("duration", _seconds),
    ("CURRENT_DATE", "PRONOUNCED"): ("date", _day),
    ("CURRENT_TIME", "PRONOUNCED"): ("time", _moment),
    ("CURRENT_DATE_TIME", "PRONOUNCED"): ("date_time", _moment),
}
