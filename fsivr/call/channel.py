"""Channel: a read-only view of one leg's data, and the leg's variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Protocol

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_PREFIX = "variable_"
_IDENTITY = ("Caller-Caller-ID-Number", "Caller-Caller-ID-Name", "Caller-Destination-Number", "Caller-Context")
#: The variable that holds what was keyed, a PIN as it may be: nothing shows it.
HIDDEN = "fsivr_digits"


class Described(Protocol):
    """What a message that describes a channel offers."""

    def get(self, name: str, default: str | None = None) -> str | None:
        """The decoded value of a header."""

    @property
    def headers(self) -> dict[str, str]:
        """Every header, decoded."""


def number(text: str | None) -> int:
    """A number that the switch has written; 0 where it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 20 else 0


def time_of(described: Described | None) -> float:
    """When the switch described something, in seconds by its own clock; 0.0 where it does not say."""
    return 0.0 if described is None else number(described.get("Event-Date-Timestamp")) / 1e6


class Control(Protocol):
    """What a channel needs of the session that controls it."""

    @property
    def uuid(self) -> str:
        """The channel's id."""

    @property
    def channel(self) -> Described | None:
        """The channel as the switch last described it."""

    def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable to exactly this text, or delete it with ``""``."""

    def fetch_variable(self, name: str) -> str | None:
        """Ask the switch for a variable's exact value."""


class Channel:
    """One leg, as the switch last described it.

    All of it is text that the caller's side may have chosen: show it, compare
    it, but do not build paths, commands or queries of it.
    """

    __slots__ = ("_control", "_kept", "variables")

    def __init__(self, control: Control) -> None:
        self._control = control
        self._kept: dict[str, str] | None = None
        #: The channel's variables: ``call.channel.variables["sip_from_user"]``.
        self.variables = Variables(control)

    def get(self, header: str, default: str = "") -> str:
        """A header of the switch's description, as ``Caller-ANI``; ``default`` where it is absent."""
        if self._kept is not None and header in self._kept:
            return self._kept[header]
        described = self._control.channel
        value = None if described is None or header == _PREFIX + HIDDEN else described.get(header)
        return default if value is None else value

    def _keep_identity(self) -> None:
        """Let the caller stay who he is: to be connected by a queue makes him the agent, to the switch (mod_fifo.c)."""
        if self._kept is None:
            self._kept = {name: self.get(name) for name in _IDENTITY}

    @property
    def uuid(self) -> str:
        """The channel's id."""
        return self._control.uuid

    @property
    def name(self) -> str:
        """The channel's name, as ``sofia/internal/1000@example.com``."""
        return self.get("Channel-Name")

    @property
    def caller_number(self) -> str:
        """The caller's number, as the caller's side gave it; ``""`` where it gave none."""
        return self.get("Caller-Caller-ID-Number")

    @property
    def caller_name(self) -> str:
        """The caller's name, as the caller's side gave it."""
        return self.get("Caller-Caller-ID-Name")

    @property
    def destination(self) -> str:
        """The number that was dialled."""
        return self.get("Caller-Destination-Number")

    @property
    def context(self) -> str:
        """The dialplan context the call came in."""
        return self.get("Caller-Context")

    @property
    def answered(self) -> bool:
        """Whether the leg is, or at its end was, answered."""
        return self.get("Caller-Channel-Answered-Time", "0") != "0"


class Variables(MutableMapping[str, str]):
    """The variables of a channel: read from its last description, set at once on the switch.

    A ``%41`` in a value reads as ``A`` here, since the switch sends both alike
    (capture ``07a_vars_plain``); ``fetch`` gives the exact text.
    """

    __slots__ = ("_control", "_set", "_since")

    def __init__(self, control: Control) -> None:
        self._control = control
        self._set: dict[str, str | None] = {}
        self._since: object = None  # the description that does not yet hold what was set

    def fetch(self, name: str) -> str | None:
        """The exact value now, asked of the switch; None where it is not set."""
        return self._control.fetch_variable(_checked(name))

    def __getitem__(self, name: str) -> str:
        described = self._control.channel
        if described is not self._since:
            self._set.clear()
        value = self._set[name] if name in self._set else None if described is None else described.get(_PREFIX + name)
        if value is None or name == HIDDEN:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        """Set a variable to exactly this text; ``""`` deletes it, as on the switch.

        :raises ValueError: a name with other characters than letters, digits and ``_ . -``.
        """
        if not isinstance(value, str):
            raise TypeError(f"a channel variable is a str, not {type(value).__name__}: {name}")
        self._control.set_variable(_checked(name), value)
        if self._since is not self._control.channel:
            self._set.clear()
            self._since = self._control.channel
        self._set[name] = value or None

    def __delitem__(self, name: str) -> None:
        self[name] = ""

    def __iter__(self) -> Iterator[str]:
        described = self._control.channel
        headers = () if described is None else described.headers
        names = {name.removeprefix(_PREFIX): None for name in headers if name.startswith(_PREFIX)}
        names.pop(HIDDEN, None)
        if described is self._since:
            names.update(dict.fromkeys(self._set))
        return (name for name in names if described is not self._since or self._set.get(name, "") is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"a variable's name has letters, digits and _ . -, not {name[:80]!r}")
    return name
