"""The catalogue: what each prompt says in each language, from ``prompts.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fsivr.errors import ConfigError
from fsivr.prompts.library import LANGUAGE
from fsivr.prompts.prompt import File

#: The name of the file where none is named.
FILE_NAME = "prompts.toml"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The prompts of some applications.

    :param path: the file it was read from.
    :param texts: by prompt's name, the text by language; none for a sound without words.
    """

    path: Path
    texts: Mapping[str, Mapping[str, str]]

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language that some prompt has a text in, in order of appearance."""
        return tuple(dict.fromkeys(language for texts in self.texts.values() for language in texts))

    def text(self, name: str, language: str) -> str | None:
        """What a prompt says in a language; None where there is no text."""
        return self.texts.get(name, {}).get(language)


def load_catalogue(path: Path) -> Catalogue:
    """The catalogue in a file.

    :raises ConfigError: it cannot be read, is no TOML, or holds a wrong name, language or text; one line for each.
    """
    try:
        table = tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        raise ConfigError(f"there is no catalogue of prompts {path}") from None
    except OSError as error:
        raise ConfigError(f"the catalogue {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"the catalogue {path} is not TOML: {error}") from None
    wrong = [f"the catalogue {path}: {why}" for name, texts in table.items() for why in _wrong(name, texts)]
    if wrong:
        raise ConfigError("\n".join(wrong))
    return Catalogue(
        path, {name: {lang: " ".join(text.split()) for lang, text in table[name].items()} for name in table}
    )


def _wrong(name: str, texts: object) -> list[str]:
    """What is wrong with one prompt of a catalogue, in words."""
    try:
        File(name)
    except ValueError as error:
        return [str(error)]
    if name.startswith("/"):
        return [f"{name!r} starts from the root; prompts are named below their folder"]
    if not isinstance(texts, dict):
        return [f"{name!r} should be a table, as in [{name!r}] followed by en = 'its text'"]
    found = []
    for language, text in texts.items():
        if not LANGUAGE.fullmatch(language):
            found.append(f"{name!r} has a text in {language!r}; a language is written as 'en' or 'pt_BR'")
        elif not isinstance(text, str) or not text.strip() or "\0" in text:
            found.append(f"{name!r} in {language} should be a text, not {text!r}")
    return found
