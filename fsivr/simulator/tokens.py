"""FreeSWITCH's ways of taking an argument apart (switch_utils.c, switch_separate_string)."""

from __future__ import annotations

import re
from collections.abc import Callable

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "s": " "}
_VARIABLE = re.compile(r"\$?\$\{([^{}]*)\}")


def separate(text: str, delimiter: str, limit: int) -> list[str]:
    """Up to ``limit`` parts; the last one takes all the rest.

    Single quotes hold a part together, a backslash escapes; a text that begins
    with ``^^:`` is taken apart at ``:`` instead.
    """
    if text.startswith("^^") and len(text) > 3:
        delimiter, text = text[2], text[3:]
    rough = _split_blanks(text, limit) if delimiter == " " else _split(text, delimiter, limit)
    return [_clean(part, "" if delimiter == " " else delimiter) for part in rough]


def _split(text: str, delimiter: str, limit: int) -> list[str]:
    parts: list[str] = []
    start = place = 0
    quoted = False
    while place < len(text) and len(parts) < limit - 1:
        char = text[place]
        if char == "\\":
            place += 1
        elif char == "'" and (quoted or "'" in text[place + 1 :]):
            quoted = not quoted
        elif char == delimiter and not quoted:
            parts.append(text[start:place])
            start = place + 1
        place += 1
    if start < len(text):
        parts.append(text[start:])
    return parts


def _split_blanks(text: str, limit: int) -> list[str]:
    parts: list[str] = []
    start = place = 0
    quoted = False
    while place < len(text) and len(parts) < limit - 1:
        char = text[place]
        if char == "\\":
            place += 1
        elif char == "'":
            quoted = not quoted
        elif char == " " and not quoted and text[start:place].strip(" "):
            parts.append(text[start:place])
            while text[place + 1 : place + 2] == " ":
                place += 1
            start = place + 1
        place += 1
    if start < len(text):
        parts.append(text[start:])
    return parts


def _clean(part: str, delimiter: str) -> str:
    """The part without its quotes and escapes, and without blanks around what is not quoted."""
    text = part.lstrip(" ")
    out: list[str] = []
    end = 0
    quoted = False
    place = 0
    while place < len(text):
        char, after = text[place], text[place + 1 : place + 2]
        if char == "\\" and after and (after in "'\"\\" or after == delimiter or after in _ESCAPES):
            out.append(_ESCAPES.get(after, after))
            end = len(out)
            place += 1
        elif char == "'" and (quoted or "'" in text[place + 1 :]):
            quoted = not quoted
            if quoted:
                end = len(out)
        else:
            out.append(char)
            if char != " " or quoted:
                end = len(out)
        place += 1
    return "".join(out[:end])


def expand(text: str, lookup: Callable[[str], str | None]) -> str:
    """The text with each ``${name}`` replaced by its value, unset ones by nothing (FACTS 3.11)."""
    if "\\\\" in text:
        text = text.replace("\\\\", "\\")
    if "${" not in text:
        return text
    return _VARIABLE.sub(lambda found: lookup(found.group(1)) or "", text)


def is_true(text: str) -> bool:
    """Whether FreeSWITCH takes a text for true (switch_utils.h, switch_true)."""
    return text.lower() in ("yes", "on", "true", "t", "enabled", "active", "allow") or (
        text.isascii() and text.isdigit() and int(text) != 0
    )
