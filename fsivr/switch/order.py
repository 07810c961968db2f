"""The text of an order to call somebody: checked before anything is sent."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsivr.call.dialled import DETECT, HANDLER, PACKED, RESERVED, pack
from fsivr.call.dialstring import carried, checked_destination, dial_string
from fsivr.dialplan import handler_name

_LONGEST = 600
_NUMBER = re.compile(r"\+?[A-Za-z0-9*#._-]{1,64}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")

# What an order says itself; with another value it would not be the call that was ordered.
_CALLER_NUMBER, _CALLER_NAME = "origination_caller_id_number", "origination_caller_id_name"
_OURS = frozenset(("origination_uuid", "originate_timeout", "ignore_early_media", _CALLER_NUMBER, _CALLER_NAME))


@dataclass(frozen=True, slots=True)
class Order:
    """Whom to call, for which handler, and how; ``checked`` makes it."""

    to: str
    timeout: float
    detect_machine: bool
    variables: Mapping[str, str]

    @classmethod
    def checked(
        cls,
        to: str,
        handler: type[Any],
        *,
        timeout: float = 30.0,
        caller_id: str = "",
        caller_name: str = "",
        variables: Mapping[str, str] | None = None,
        detect_machine: bool = False,
    ) -> Order:
        """The order, if each part of it is what it may be.

        :raises ValueError: a part that would mean something else to the switch, or is too long.
        :raises TypeError: what is no text, or no class of a handler.
        """
        if not isinstance(to, str):
            raise TypeError(f"a destination is a str, as 'user/1000', not {type(to).__name__}")
        if not isinstance(handler, type) or not callable(getattr(handler, "run", None)):
            raise TypeError(f"originate takes a Handler class, not {handler!r}")
        if not 0 < timeout <= _LONGEST:
            raise ValueError(f"originate rings for seconds above 0 and up to {_LONGEST}, not {timeout!r}")
        sent = {HANDLER: handler_name(handler), **_caller(caller_id, caller_name), **_given(variables or {})}
        if detect_machine:
            sent[DETECT] = "true"
        dial_string(checked_destination(to), sent)  # raises for the name, as nothing else is left unchecked
        return cls(to, timeout, detect_machine, sent)

    def command(self, uuid: str, server: str) -> str:
        """The argument of ``originate``: two words, each in single quotes, of which neither holds any.

        :param server: the event socket server's ``host:port``, as the switch's ``socket`` takes it.
        """
        rings = {
            "origination_uuid": uuid,
            "originate_timeout": str(math.ceil(self.timeout)),
            # Early media would end the ringing for the switch, and with it the timeout.
            "ignore_early_media": "true",
        }
        return f"'{dial_string(self.to, {**rings, **self.variables})}' '&socket({server} async full)'"


def _caller(number: str, name: str) -> dict[str, str]:
    if number and not (isinstance(number, str) and _NUMBER.fullmatch(number)):
        raise ValueError(f"a caller_id has letters, digits and + * # . _ -, at most 64 of them, not {number!r:.80}")
    if name and not (isinstance(name, str) and carried(name) and len(name) <= 128):
        raise ValueError(
            "a caller_name is printable text of at most 128 characters without { } $ \\ ' and :_: and without "
            f"blanks around it, not {name!r:.80}"
        )
    told = {_CALLER_NUMBER: number, _CALLER_NAME: name}
    return {key: value for key, value in told.items() if value}


def _given(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables as they are sent: packed where a dial string cannot carry their text."""
    sent: dict[str, str] = {}
    packed: dict[str, str] = {}
    for name, value in variables.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(
                f"a variable's name has letters, digits and _ . -, and begins with a letter, not {name!r:.80}"
            )
        if name in _OURS or name.startswith(RESERVED):
            raise ValueError(f"the variable {name} is set by originate itself")
        if not isinstance(value, str):
            raise TypeError(f"a channel variable is a str, not {type(value).__name__}: {name}")
        if value and not _exact(value):
            packed[name] = value
        elif value:
            sent[name] = value
    return {**sent, PACKED: pack(packed)} if packed else sent


def _exact(value: str) -> bool:
    # A `%41` would read as `A` in the channel's description (FACTS 1.7); "ARRAY::" makes an array of it,
    # and "^^" at its beginning names a separator (switch_utils.c, switch_separate_string).
    return carried(value) and "%" not in value and not value.startswith(("ARRAY::", "^^")) and '"' not in value
