"""What is wrong with the prompts of some applications: in the catalogue, on disk, in each language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fsivr.prompts.catalogue import Catalogue
from fsivr.prompts.sound import faults
from fsivr.prompts.used import Uses


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    :param wrong: whether a caller would hear of it; else it is only told.
    :param name: the prompt, or the place in the source.
    :param language: where it is so; ``""`` for all.
    """

    wrong: bool
    name: str
    language: str
    what: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the sound files are.

    :param folder: holds a folder for each language, and what has no language.
    :param extension: what the files' names end with.
    """

    folder: Path
    extension: str = ".wav"

    def place(self, name: str, language: str = "") -> Path:
        """Where a prompt's file is, or would be."""
        last = name.rpartition("/")[2]
        return self.folder / language / (name if "." in last else name + self.extension)

    def find(self, name: str, language: str) -> Path | None:
        """The file that is played in a language, fallback languages left out; None where there is none."""
        places = (self.place(name, language), self.place(name))
        return next((place for place in places if place.is_file()), None)


def check(
    catalogue: Catalogue, uses: Uses, shelf: Shelf, languages: Sequence[str], fallbacks: Sequence[str] = ()
) -> list[Finding]:
    """Everything that is wrong or worth telling; what is wrong with one prompt stands together.

    :param languages: those that callers hear.
    :param fallbacks: those that a prompt is looked for in where one of ``languages`` lacks it.
    """
    found: list[Finding] = []
    for name in sorted({*catalogue.texts, *uses.names}):
        if name not in catalogue.texts:
            found.append(Finding(True, name, "", f"is played at {uses.names[name][0]} and is not in {catalogue.path}"))
        elif uses.user(name) is None:
            found.append(Finding(False, name, "", "is in the catalogue, and no handler plays it"))
            continue
        for language in languages:
            others = [other for other in fallbacks if other != language]
            found += _in_language(name, language, others, catalogue, shelf)
    found += _unused_files(catalogue, uses, shelf, languages)
    found += [Finding(False, str(place), "", "plays a prompt that the source does not name") for place in uses.unknown]
    found += _unmatched(catalogue, uses)
    return found


def _in_language(
    name: str, language: str, others: Iterable[str], catalogue: Catalogue, shelf: Shelf
) -> Iterator[Finding]:
    texts = catalogue.texts.get(name, {})
    file = shelf.find(name, language)
    instead = next((other for other in others if shelf.place(name, other).is_file()), None)
    if texts and language not in texts:
        yield Finding(instead is None, name, language, f"has no text{_heard(instead)}")
    if file is not None:
        yield from (Finding(True, name, language, f"{fault} ({file})") for fault in faults(file))
    elif instead is None or language in texts:
        place = shelf.place(name, language)
        yield Finding(instead is None, name, language, f"has no file {place}{_heard(instead)}")


def _heard(instead: str | None) -> str:
    return f"; it is heard in {instead}" if instead else ""


def _unused_files(catalogue: Catalogue, uses: Uses, shelf: Shelf, languages: Iterable[str]) -> Iterator[Finding]:
    for language in languages:
        folder = shelf.folder / language
        for path in sorted(folder.rglob(f"*{shelf.extension}")):
            name = path.relative_to(folder).as_posix().removesuffix(shelf.extension)
            if name not in catalogue.texts and name not in uses.names:
                yield Finding(False, name, language, f"is no prompt of the catalogue ({path})")


def _unmatched(catalogue: Catalogue, uses: Uses) -> Iterator[Finding]:
    for pattern, place in uses.patterns:
        if not any(map(pattern.fullmatch, catalogue.texts)):
            yield Finding(True, str(place), "", f"plays prompts of a form that none in {catalogue.path} has")
