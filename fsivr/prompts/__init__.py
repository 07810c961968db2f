"""What a caller can be made to hear."""

from fsivr.prompts.library import PromptLibrary, remembered
from fsivr.prompts.meant import PromptLike, prompt
from fsivr.prompts.prompt import File, Prompt, Silence, Speak, Tone
from fsivr.prompts.say import Say
from fsivr.prompts.uninterrupted import Uninterrupted

__all__ = [
    "File",
    "Prompt",
    "PromptLibrary",
    "PromptLike",
    "Say",
    "Silence",
    "Speak",
    "Tone",
    "Uninterrupted",
    "prompt",
    "remembered",
]
