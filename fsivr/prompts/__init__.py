"""What a caller can be made to hear."""

from fsivr.prompts.library import PromptLibrary
from fsivr.prompts.prompt import File, Prompt, Say, Silence, Tone, prompt

__all__ = ["File", "Prompt", "PromptLibrary", "Say", "Silence", "Tone", "prompt"]
