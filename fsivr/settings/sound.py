"""Settings of what callers hear."""

from __future__ import annotations

import dataclasses

from marshmallow import fields

from fsivr.allowed import words
from fsivr.settings.setting import setting

_LANGUAGE = r"[A-Za-z]{2,3}([_-][A-Za-z]{2,8})?"


@dataclasses.dataclass(frozen=True)
class SoundSettings:
    """What callers hear, and in which language."""

    prompts_path: str = setting(
        "",
        "The folder that prompts' names start from; empty leaves it to the switch's sound_prefix.",
        "a path of letters, digits and / . _ - + = @ ~",
        words(r"[\w/.+=@~-]*"),
    )
    prompts_extension: str = setting(
        ".wav",
        "What a prompt's name without an extension gets.",
        "a dot and letters or digits, as '.wav', or nothing",
        words(r"(\.[A-Za-z0-9]+)?"),
    )
    language: str = setting(
        "en",
        "The language that values are said in, and the folder of prompts_path that a prompt is looked for in.",
        "a language of the switch, as 'en' or 'pt_BR'",
        words(_LANGUAGE),
    )
    fallback_languages: tuple[str, ...] = setting(
        (),
        "The languages whose folders a prompt is looked for in next, in order.",
        "a list of languages, as ['en']",
        fields.List(words(_LANGUAGE)),
    )
