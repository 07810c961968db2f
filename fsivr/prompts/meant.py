"""The prompt that a handler meant."""

from __future__ import annotations

from fsivr.prompts.prompt import File, Prompt
from fsivr.prompts.say import Say

#: What a handler may write for a prompt.
PromptLike = str | int | Prompt


def prompt(value: PromptLike) -> Prompt:
    """The prompt a handler meant: a ``str`` is a sound file, an ``int`` a number to say.

    :raises ValueError: it is neither, nor a prompt.
    """
    if isinstance(value, Prompt):
        return value
    if isinstance(value, str):
        return File(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Say.number(value)
    raise ValueError(
        f"a prompt is a sound file's name, a whole number, Say, Speak, Tone, Silence or Uninterrupted, not {value!r}"
    )
