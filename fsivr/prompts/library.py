"""Where prompts live and how each is asked of the switch, and read back from what was asked."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache, wraps
from typing import Any, Protocol, TypeVar

from fsivr.prompts.meant import PromptLike, prompt
from fsivr.prompts.prompt import File, Prompt, Silence, Speak, Tone
from fsivr.prompts.say import Say
from fsivr.prompts.uninterrupted import plain

T = TypeVar("T")
_STRING = "file_string://"
_SILENCE = "silence_stream://"
_TONE = "tone_stream://"
#: How a language is written.
LANGUAGE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z]{2,8})?", re.ASCII)


class PromptSettings(Protocol):
    """What settings say about prompts."""

    @property
    def prompts_path(self) -> str:
        """The folder that prompts' names start from."""

    @property
    def prompts_extension(self) -> str:
        """What a name without an extension gets."""

    @property
    def language(self) -> str:
        """The language values are said in."""

    @property
    def fallback_languages(self) -> tuple[str, ...]:
        """The languages whose folders are looked in next."""


def remembered(most: int) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Has a function, whose first argument is a library, remember its latest results.

    An application plays the same few hundred prompts all day. Nothing is remembered
    where the library looks for files, which may come or go at any time, and of
    arguments that cannot be looked up, as a list.

    :param most: how many results are kept.
    """

    def remember(function: Callable[..., T]) -> Callable[..., T]:
        cached = lru_cache(maxsize=most, typed=True)(function)

        @wraps(function)
        def call(library: PromptLibrary, *arguments: Any) -> T:
            if library.path:
                return function(library, *arguments)
            try:
                return cached(library, *arguments)
            except TypeError:
                return function(library, *arguments)

        return call

    return remember


@dataclass(frozen=True, slots=True)
class PromptLibrary:
    """Turns prompts into the applications that play them.

    A file is looked for in ``path/language/``, then in the folders of the fallback
    languages in order, then in ``path`` itself. That needs an absolute ``path`` that can
    be read from here; else the name below ``path`` is left to the switch.

    :param path: the folder that prompts' names start from; ``""`` leaves it to
        the switch's ``sound_prefix``.
    :param extension: what a name without an extension gets.
    :param language: the language values are said in, as ``en``, and the first whose folder is looked in.
    :param fallback_languages: those whose folders are looked in next.
    """

    path: str = ""
    extension: str = ".wav"
    language: str = "en"
    fallback_languages: tuple[str, ...] = ()

    def in_language(self, language: str) -> PromptLibrary:
        """The same library in another language.

        :raises ValueError: it is not written as ``en`` or ``pt_BR``.
        """
        if not isinstance(language, str) or not LANGUAGE.fullmatch(language):
            raise ValueError(f"a language is written as 'en' or 'pt_BR', not {str(language)[:80]!r}")
        return replace(self, language=language)

    @classmethod
    def of(cls, settings: PromptSettings) -> PromptLibrary:
        """The library that settings describe."""
        return cls(settings.prompts_path, settings.prompts_extension, settings.language, settings.fallback_languages)

    def steps(self, values: Iterable[PromptLike]) -> list[tuple[Prompt, tuple[str, str]]]:
        """Each prompt a handler meant, with the application and argument that play it.

        :raises ValueError: one of them is no prompt.
        """
        return [_step(self, value) for value in values]

    def application(self, prompt: Prompt) -> tuple[str, str]:
        """The dialplan application and argument that play a prompt."""
        prompt = plain(prompt)
        if isinstance(prompt, Say):
            # A fifth word would make the fourth a gender (mod_dptools.c, say_function).
            text = f"'{prompt.text}'" if " " in prompt.text else prompt.text
            return "say", f"{self.language} {prompt.kind} {prompt.method} {text}"
        if isinstance(prompt, Speak):
            return "speak", f"{prompt.engine}|{prompt.voice}|{prompt.text}"
        return "playback", self.file(prompt)

    @staticmethod
    def is_file(prompt: Prompt) -> bool:
        """Whether it can stand where the switch wants a file's name."""
        return not isinstance(plain(prompt), Say | Speak)

    def file(self, prompt: Prompt) -> str:
        """The prompt where the switch wants a file's name.

        :raises ValueError: it is a value or text to say, which no file holds.
        """
        prompt = plain(prompt)
        if isinstance(prompt, File):
            return self._path_of(prompt.name)
        if isinstance(prompt, Silence):
            return f"{_SILENCE}{round(prompt.seconds * 1000)}"
        if isinstance(prompt, Tone):
            return f"{_TONE}{prompt.spec}"
        raise ValueError(f"{prompt} is no file")

    def file_string(self, prompts: Iterable[Prompt]) -> str:
        """Several prompts where the switch wants one file's name: it plays them without a gap.

        A missing file in a string is skipped without a word (FACTS 3.13 in ``docs/esl-quirks.md``).
        """
        files = [self.file(prompt) for prompt in prompts]
        return files[0] if len(files) == 1 else _STRING + "!".join(files)

    def read(self, application: str, argument: str) -> list[Prompt]:
        """The prompts that an application with this argument plays: the way back of ``application``."""
        if application == "say":
            return _read_say(argument)
        if application == "speak":
            return _read_speak(argument)
        names = argument.removeprefix(_STRING).split("!") if argument.startswith(_STRING) else [argument]
        return [found for name in names if (found := self._read_file(name)) is not None]

    def plays(self, application: str, argument: str, prompt: Prompt) -> bool:
        """Whether an application with this argument plays the prompt, in whatever language."""
        if (application, argument) == self.application(prompt):
            return True
        language = re.split("[ /]", argument.removeprefix(self._folder), maxsplit=1)[0]
        if not LANGUAGE.fullmatch(language):
            return False
        return (application, argument) == self.in_language(language).application(prompt)

    @property
    def _folder(self) -> str:
        return self.path.rstrip("/") + "/" if self.path else ""

    def _path_of(self, name: str) -> str:
        last = name.rpartition("/")[2]
        if self.extension and "." not in last:
            name += self.extension
        if not self.path or name.startswith("/"):
            return name
        if self.path.startswith("/"):
            for language in (self.language, *self.fallback_languages):
                if os.path.isfile(found := f"{self._folder}{language}/{name}"):
                    return found
        return self._folder + name

    def _read_file(self, name: str) -> Prompt | None:
        try:
            if name.startswith(_SILENCE):
                return Silence(int(name.removeprefix(_SILENCE).partition(",")[0]) / 1000)
            if name.startswith(_TONE):
                return Tone(name.removeprefix(_TONE))
            below = name.removeprefix(self._folder).removesuffix(self.extension)
            language, _, rest = below.partition("/")
            if rest and language in (self.language, *self.fallback_languages) and self._path_of(rest) == name:
                below = rest
            return File(below)
        except ValueError:
            return None


def _read_say(argument: str) -> list[Prompt]:
    words = argument.split(" ", 3)
    try:
        kind, method, text = words[1:]
        quoted = re.fullmatch(r"'([^']*)'", text)
        # An unquoted blank parts a gender from the text; no prompt of ours has one.
        return [Say(kind, method, quoted[1] if quoted else text)] if quoted or " " not in text else []
    except ValueError:
        return []


def _read_speak(argument: str) -> list[Prompt]:
    words = argument.split("|", 2)
    try:
        return [Speak(words[2], engine=words[0], voice=words[1])] if len(words) == 3 else []
    except ValueError:
        return []


@remembered(4096)
def _step(library: PromptLibrary, value: PromptLike) -> tuple[Prompt, tuple[str, str]]:
    meant = prompt(value)
    return meant, library.application(meant)
