"""The studio script: what a speaker reads, language by language, application by application."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fsivr.prompts.catalogue import Catalogue
from fsivr.prompts.used import Uses


@dataclass(frozen=True, slots=True)
class Part:
    """The prompts of one application in one language, in the order of the catalogue.

    :param application: the application's name and what it is, from its source.
    :param lines: each prompt's name and text.
    """

    language: str
    application: str
    lines: tuple[tuple[str, str], ...]


def parts(catalogue: Catalogue, uses: Uses, sources: Iterable[Path], languages: Iterable[str]) -> list[Part]:
    """The script, in the order of the languages and of the applications; what none plays comes last."""
    applications = [*sources, None]
    return [
        Part(language, _title(source), lines)
        for language in languages
        for source in applications
        if (lines := tuple(_lines(catalogue, uses, source, language)))
    ]


def _lines(catalogue: Catalogue, uses: Uses, source: Path | None, language: str) -> Iterator[tuple[str, str]]:
    for name in catalogue.texts:
        text = catalogue.text(name, language)
        if text is not None and uses.user(name) == source:
            yield name, text


def _title(source: Path | None) -> str:
    if source is None:
        return "Not played by any application"
    described = ast.get_docstring(ast.parse(source.read_bytes())) or ""
    first = described.partition("\n")[0].rstrip(".")
    return f"{source.stem}: {first}" if first else source.stem


def markdown(script: Iterable[Part]) -> Iterator[str]:
    """The lines of the script as Markdown: a heading a language and application, a row a prompt."""
    language = ""
    for part in script:
        if part.language != language:
            yield from ([] if not language else [""])
            language = part.language
            yield f"# {language}"
        yield from ("", f"## {part.application}", "", "| prompt | text |", "|---|---|")
        yield from (f"| `{name}` | {_cell(text)} |" for name, text in part.lines)


def plain(script: Iterable[Part]) -> Iterator[str]:
    """The lines of the script as text: language, prompt and text, parted by tabs."""
    for part in script:
        yield from (f"{part.language}\t{name}\t{text}" for name, text in part.lines)


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|")
