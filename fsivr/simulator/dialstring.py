"""Dial strings as FreeSWITCH takes them apart (switch_ivr_originate.c, switch_event_create_brackets)."""

from __future__ import annotations

from fsivr.simulator.tokens import separate

_MOST = 128
# What a comma between [] becomes, so that the endpoints can be separated at the others.
_HIDDEN = "\x02"

#: The endpoints of one alternative, each with the variables its leg gets.
Alternative = list[tuple[str, dict[str, str]]]


def alternatives(text: str) -> tuple[dict[str, str], list[Alternative]]:
    """The variables for all legs, and what is called one after the other: each endpoints that are called at once.

    :raises ValueError: a bracket is not closed, and nobody is called.
    """
    shared: dict[str, str] = {}
    text = text.lstrip(" ")
    for brackets in ("<>", "{}"):
        while text.startswith(brackets[0]):
            inside, text = _bracketed(text, brackets)
            shared |= _variables(inside, ",")
    found = [
        [_endpoint(each, shared) for each in separate(_hidden(one), ",", _MOST)]
        for one in separate(text.lstrip(" "), "|", _MOST)
    ]
    return shared, found


def _endpoint(text: str, shared: dict[str, str]) -> tuple[str, dict[str, str]]:
    own: dict[str, str] = {}
    text = text.lstrip(" ")
    while text.startswith("["):
        inside, text = _bracketed(text, "[]")
        own |= _variables(inside, _HIDDEN)
    # The {} win where both name a variable, unless local_var_clobber says otherwise.
    return text.lstrip(" "), {**own, **shared}


def _bracketed(text: str, brackets: str) -> tuple[str, str]:
    depth = 0
    for at, char in enumerate(text):
        depth += (char == brackets[0]) - (char == brackets[1])
        if depth == 0:
            return text[1:at], text[at + 1 :]
    raise ValueError(f"{brackets[0]} without {brackets[1]}")


def _variables(text: str, delimiter: str) -> dict[str, str]:
    if text.startswith("^^") and len(text) > 3:
        delimiter, text = text[2], text[3:]
    pairs = (separate(part, "=", 2) for part in separate(text, delimiter, 1024))
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[1]}


def _hidden(text: str) -> str:
    """The text with the commas between ``[]`` hidden."""
    out, inside = [], False
    for at, char in enumerate(text):
        inside = (inside or char == "[") and char != "]"
        out.append(_HIDDEN if inside and char == "," and text[at - 1] != "\\" else char)
    return "".join(out)
