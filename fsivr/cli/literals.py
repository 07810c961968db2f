"""Python text of what is written into a generated test: nothing of a caller's but as a literal."""

from __future__ import annotations

import ast
from typing import Any

from fsivr import prompts
from fsivr.prompts import File, Prompt, Say, Uninterrupted

_KINDS = ("Say", "Silence", "Speak", "Tone", "Uninterrupted")


def literal(value: object) -> str:
    """A text, number or truth as Python has it: text in ASCII alone, and quoted as the formatter would."""
    if not isinstance(value, str):
        return ascii(value)
    quote = "'" if value.count('"') > value.count("'") else '"'
    letters = (each if each in "\"'" else ascii(each)[1:-1] for each in value)
    return f"{quote}{''.join(f'{chr(92)}{each}' if each == quote else each for each in letters)}{quote}"


def prompt_of(text: str) -> Prompt | None:
    """The prompt that a timeline has as text; None where it is none, or was cut.

    The text is looked at and never run: it may be anybody's.
    """
    try:
        found = _read(ast.parse(text, mode="eval").body) if "(" in text else File(text)
    except (SyntaxError, ValueError, TypeError, AttributeError, RecursionError, MemoryError):
        return None
    while isinstance(found, Uninterrupted):
        found = found.prompt
    return found if isinstance(found, Prompt) else None


def written(prompt: Prompt) -> str:
    """The prompt as a test would have it: ``"bank/welcome"``, ``Say.currency(4200)``."""
    if isinstance(prompt, File):
        return literal(prompt.name)
    call: Any = ast.parse(str(prompt), mode="eval").body
    given = [literal(ast.literal_eval(each)) for each in call.args]
    given += [f"{each.arg}={literal(ast.literal_eval(each.value))}" for each in call.keywords]
    return f"{ast.unparse(call.func)}({', '.join(given)})"


def class_of(prompt: Prompt) -> str:
    """The name that a test has to import for it; "" where none."""
    return "" if isinstance(prompt, File) else type(prompt).__name__


def _read(node: ast.expr) -> Any:
    """What an expression of prompts' classes and plain values makes.

    :raises ValueError: it is something else.
    """
    if not isinstance(node, ast.Call):
        return ast.literal_eval(node)
    given = [_read(each) for each in node.args]
    named = {str(each.arg): _read(each.value) for each in node.keywords}
    function = node.func
    if isinstance(function, ast.Name) and function.id in _KINDS:
        return getattr(prompts, function.id)(*given, **named)
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "Say":
        if function.attr.startswith("_"):
            raise ValueError(function.attr)
        return getattr(Say, function.attr)(*given, **named)
    raise ValueError("no prompt")
