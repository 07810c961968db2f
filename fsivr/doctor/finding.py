"""Finding: one thing that the doctor saw, why it matters, and what mends it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fsivr.doctor.site import Site


class Level(StrEnum):
    """How bad it is; what could not be looked at is ``SKIPPED``, and never ``OK``."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    :param why: why it matters.
    :param mend: the command that mends it, or what to do; "" where nothing is to be mended.
    """

    area: str
    check: str
    level: Level
    what: str
    why: str = ""
    mend: str = ""


class Told(NamedTuple):
    """What a check tells of one thing it looked at."""

    level: Level
    what: str
    mend: str = ""


def ok(what: str) -> Told:
    """It is as it should be."""
    return Told(Level.OK, what)


def note(what: str, mend: str = "") -> Told:
    """It is worth knowing, and nothing is wrong."""
    return Told(Level.NOTE, what, mend)


def warning(what: str, mend: str) -> Told:
    """It will go wrong, or goes wrong for some."""
    return Told(Level.WARNING, what, mend)


def error(what: str, mend: str) -> Told:
    """It is wrong."""
    return Told(Level.ERROR, what, mend)


def skipped(what: str) -> Told:
    """It could not be looked at: why."""
    return Told(Level.SKIPPED, what)


class NotLookedAt(Exception):
    """What a check raises that cannot look: the message says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """A check: where it belongs, what it looks at, and why that matters.

    :param look: tells of each thing; raises ``NotLookedAt`` where it cannot look.
    :param threaded: whether it waits for a disk, which stops all greenlets: it gets a thread of the system.
    :param deadline: seconds it may take.
    """

    area: str
    name: str
    look: Callable[[Site], Iterable[Told]]
    why: str
    threaded: bool = False
    deadline: float = 10.0

    @property
    def whole_name(self) -> str:
        """What it is called in the documents: ``area.name``."""
        return f"{self.area}.{self.name}"
