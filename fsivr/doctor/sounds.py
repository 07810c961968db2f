"""The sounds: each prompt that handlers play is there for the switch, and what values are said with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsivr.doctor.finding import Check, NotLookedAt, Told, error, ok, skipped, warning
from fsivr.doctor.site import Site
from fsivr.errors import ConfigError
from fsivr.prompts import File
from fsivr.prompts.library import PromptLibrary

_MOST_TOLD = 3
# A file of one rate lies in a folder of it (mod_sndfile.c, sndfile_file_open).
_RATES = (8000, 16000, 32000, 48000)
_PATH = re.compile(r"[\w/.+=@~:-]+")
_BUILD = "fsivr prompts check; fsivr prompts build"


def _prompts(site: Site) -> Iterator[Told]:
    try:
        wanted = site.prompts
    except ConfigError as failure:
        raise NotLookedAt(f"the handlers cannot be read: {str(failure).splitlines()[0]}") from None
    if not wanted:
        raise NotLookedAt("the handlers play no prompt by its name")
    library = PromptLibrary.of(site.settings)
    missing: list[str] = []
    for name, where in sorted(wanted.items()):
        path = _whole(site, site.on_disk(library.file, File(name)))
        if path is None:
            yield skipped(f"{name} has a path that cannot be asked for")
        elif not _there(site, path):
            missing.append(f"{path} (played at {where})")
    if missing:
        more = f" and {len(missing) - _MOST_TOLD} more" if len(missing) > _MOST_TOLD else ""
        lacks = ", ".join(missing[:_MOST_TOLD])
        yield error(f"the switch lacks {len(missing)} of {len(wanted)} prompts: {lacks}{more}", _BUILD)
    else:
        yield ok(f"the switch has each of {len(wanted)} prompts in {library.language}")


def _whole(site: Site, path: str) -> str | None:
    """The path as the switch looks for it; None for one that would be more than a word to it."""
    if not path.startswith("/"):
        prefix = site.ask("global_getvar", "sound_prefix") or site.ask("global_getvar", "sounds_dir")
        path = f"{prefix}/{path}"
    return path if _PATH.fullmatch(path) else None


def _there(site: Site, path: str) -> bool:
    folder, _, name = path.rpartition("/")
    places = (path, *(f"{folder}/{rate}/{name}" for rate in _RATES))
    return any(site.ask("file_exists", place) == "true" for place in places)


def _values(site: Site) -> Iterator[Told]:
    """A digit, by which ``Say`` is heard in the language of the settings."""
    language = site.settings.language
    if site.ask("module_exists", f"mod_say_{language[:2].lower()}") != "true":
        raise NotLookedAt(f"mod_say_{language[:2].lower()} is not loaded: see switch.modules")
    said = site.ask("say_string", f"{language[:2].lower()}.wav {language} number pronounced 5")
    parts = said.removeprefix("file_string://").split("!")
    names = [each for each in parts if each.endswith(".wav")]
    if not names:
        raise NotLookedAt("the switch does not tell which files a number is said with")
    folder = _of_language(site, language)
    for name in names:
        path = name if name.startswith("/") else f"{folder}/{name}"
        if _there(site, path):
            yield ok(f"numbers are said with the files in {folder}")
        else:
            yield warning(
                f"the switch has no {path}, with which it says the number 5",
                "apt-get install freeswitch-sounds-en-us-callie; see sound-prefix in freeswitch/lang",
            )


def _of_language(site: Site, language: str) -> str:
    """The folder of a language's sounds, which its phrases name."""
    try:
        found = site.located(f"languages language name {language}")
    except NotLookedAt:
        return site.ask("global_getvar", "sound_prefix")
    return found.get("sound-prefix") or found.get("sound-path") or site.ask("global_getvar", "sound_prefix")


AREA = "sounds"
CHECKS = (
    Check(AREA, "prompts", _prompts, "a call whose prompt is missing fails at it", deadline=20.0),
    Check(AREA, "values", _values, "numbers, dates and amounts are said with the switch's own sounds"),
)
