"""Dial strings: where a call goes and the variables it takes along, and nothing else the switch would read into it."""

from __future__ import annotations

import re
from collections.abc import Mapping

# In a dial string `,` `|` `:_:` separate endpoints, `{}` `[]` `<>` hold variables,
# `${}` is expanded and `^^` names a separator (switch_ivr_originate.c): a
# destination made of a caller's text must not reach any of them. Nor `;name=value`,
# by which `;fs_path=` sends a call through another proxy (mod_sofia.c).
_ENDPOINT = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_.+*#@:~-]+)+")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")

# What ends the braces or is read inside them before a variable has its value: braces
# count whether quoted or not (switch_utils.c, switch_find_end_paren), `$` begins a
# variable, quotes and backslashes are taken off once by the expansion and once or
# twice by the splitting (switch_channel_expand_variables_check, cleanup_separated_string).
_MEANING = frozenset("{}$\\'")
_LONGEST = 4096


def checked_destination(destination: str) -> str:
    """The destination, if it is one endpoint.

    :raises ValueError: it is not of the form ``endpoint/address``, or holds other
        characters than letters, digits and ``/ _ . + * # @ : ~ -``.
    """
    if not _ENDPOINT.fullmatch(destination) or ":_:" in destination:
        raise ValueError(
            "a destination is one endpoint as 'user/agent', of letters, digits and / _ . + * # @ : ~ -, "
            f"not {destination[:80]!r}"
        )
    return destination


def carried(value: str) -> bool:
    """Whether a dial string can carry a variable's value to the switch as it is."""
    return (
        0 < len(value) <= _LONGEST
        and value.isprintable()  # a line break would end the command
        and not _MEANING.intersection(value)
        and value == value.strip(" ")  # taken off, whatever the quotes
        and ":_:" not in value  # separates whole dial strings, also within braces
    )


def dial_string(destination: str, variables: Mapping[str, str]) -> str:
    """The dial string that calls one endpoint with variables: ``{a=b,c=d}user/x``.

    It holds for ``bridge``; for a command whose argument is split at blanks, as
    ``originate``, put it between single quotes, of which it holds none.

    :raises ValueError: a destination that is not one endpoint, a variable's name with
        other characters than letters, digits and ``_ . -``, or a value that is empty,
        begins or ends with a blank, or holds ``{ } $ \\ '``, ``:_:`` or what is not printable.
    """
    return braces(variables) + checked_destination(destination)


def braces(variables: Mapping[str, str]) -> str:
    """The variables of a dial string, for all its endpoints; ``""`` for none."""
    if not variables:
        return ""
    for name, value in variables.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"a variable's name has letters, digits and _ . -, not {name[:80]!r}")
        if not carried(value):
            raise ValueError(
                f"a dial string cannot carry the value of {name}: it takes printable text of 1 to {_LONGEST} "
                "characters without { } $ \\ ' and :_: and without blanks around it"
            )
    # A backslash before the comma survives both a splitting at blanks and the
    # expansion, and goes with the splitting at commas.
    return "{" + ",".join(f"{name}={value.replace(',', chr(92) + ',')}" for name, value in variables.items()) + "}"
