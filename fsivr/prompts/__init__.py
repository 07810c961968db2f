"""What a caller can be made to hear."""

from fsivr.prompts.library import PromptLibrary
from fsivr.prompts.meant import prompt
from fsivr.prompts.prompt import File, Prompt, Silence, Speak, Tone
from fsivr.prompts.say import Say

__all__ = ["File", "Prompt", "PromptLibrary", "Say", "Silence", "Speak", "Tone", "prompt"]
