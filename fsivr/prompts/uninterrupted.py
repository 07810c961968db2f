"""Uninterrupted: a prompt that is heard whole, whatever keys are pressed."""

from __future__ import annotations

from dataclasses import dataclass

from fsivr.prompts.meant import PromptLike, prompt
from fsivr.prompts.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Uninterrupted(Prompt):
    """A prompt that no key ends, as a legal notice; what is keyed before its end is no answer.

    :param prompt: any other prompt.
    :raises ValueError: it is none.
    """

    prompt: Prompt

    def __init__(self, wrapped: PromptLike) -> None:
        meant = prompt(wrapped)
        object.__setattr__(self, "prompt", meant.prompt if isinstance(meant, Uninterrupted) else meant)

    def __str__(self) -> str:
        return f"Uninterrupted({self.prompt})"


def plain(meant: Prompt) -> Prompt:
    """The prompt that is heard."""
    return meant.prompt if isinstance(meant, Uninterrupted) else meant
