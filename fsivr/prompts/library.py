"""Where prompts live and how each is asked of the switch, and read back from what was asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from fsivr.prompts.prompt import File, Prompt, Say, Silence, Tone, prompt

_STRING = "file_string://"
_SILENCE = "silence_stream://"
_TONE = "tone_stream://"


@dataclass(frozen=True, slots=True)
class PromptLibrary:
    """Turns prompts into the applications that play them.

    :param path: the folder that prompts' names start from; ``""`` leaves it to
        the switch's ``sound_prefix``.
    :param extension: what a name without an extension gets.
    :param language: the language values are said in, as ``en``.
    """

    path: str = ""
    extension: str = ".wav"
    language: str = "en"

    def steps(self, values: Iterable[str | int | Prompt]) -> list[tuple[Prompt, tuple[str, str]]]:
        """Each prompt a handler meant, with the application and argument that play it.

        :raises ValueError: one of them is no prompt.
        """
        try:
            return [_step(self, value) for value in values]
        except TypeError:  # a list, which cannot be looked up
            meant = [prompt(value) for value in values]
            return [(each, self.application(each)) for each in meant]

    def application(self, prompt: Prompt) -> tuple[str, str]:
        """The dialplan application and argument that play a prompt."""
        if isinstance(prompt, Say):
            return "say", f"{self.language} {prompt.kind} {prompt.method} {prompt.text}"
        return "playback", self.file(prompt)

    def file(self, prompt: Prompt) -> str:
        """The prompt where the switch wants a file's name.

        :raises ValueError: it is a value to say, which no file holds.
        """
        if isinstance(prompt, File):
            return self._path_of(prompt.name)
        if isinstance(prompt, Silence):
            return f"{_SILENCE}{round(prompt.seconds * 1000)}"
        if isinstance(prompt, Tone):
            return f"{_TONE}{prompt.spec}"
        raise ValueError(f"{prompt} is no file")

    def file_string(self, prompts: Iterable[Prompt]) -> str:
        """Several prompts where the switch wants one file's name: it plays them without a gap.

        A missing file in a string is skipped without a word (capture
        ``02b_pagd_timeout`` played one by one; FACTS of 1.11 in ``docs/esl-quirks.md``).
        """
        files = [self.file(prompt) for prompt in prompts]
        return files[0] if len(files) == 1 else _STRING + "!".join(files)

    def read(self, application: str, argument: str) -> list[Prompt]:
        """The prompts that an application with this argument plays: the way back of ``application``."""
        if application == "say":
            return _read_say(argument)
        names = argument.removeprefix(_STRING).split("!") if argument.startswith(_STRING) else [argument]
        return [found for name in names if (found := self._read_file(name)) is not None]

    def _path_of(self, name: str) -> str:
        last = name.rpartition("/")[2]
        if self.extension and "." not in last:
            name += self.extension
        return f"{self.path.rstrip('/')}/{name}" if self.path and not name.startswith("/") else name

    def _read_file(self, name: str) -> Prompt | None:
        try:
            if name.startswith(_SILENCE):
                return Silence(int(name.removeprefix(_SILENCE).partition(",")[0]) / 1000)
            if name.startswith(_TONE):
                return Tone(name.removeprefix(_TONE))
            if self.path:
                name = name.removeprefix(self.path.rstrip("/") + "/")
            return File(name.removesuffix(self.extension))
        except ValueError:
            return None


def _read_say(argument: str) -> list[Prompt]:
    words = argument.split(" ", 3)
    try:
        return [Say(*words[1:])] if len(words) == 4 else []
    except ValueError:
        return []


@lru_cache(maxsize=4096, typed=True)  # an application plays the same few hundred prompts all day
def _step(library: PromptLibrary, value: str | int | Prompt) -> tuple[Prompt, tuple[str, str]]:
    meant = prompt(value)
    return meant, library.application(meant)
