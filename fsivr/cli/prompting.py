"""What the commands of ``fsivr prompts`` work on: handlers' sources, the catalogue and the sound files."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from fsivr.config import Settings, load
from fsivr.dialplan import Dialplan, load_dialplan
from fsivr.errors import ConfigError
from fsivr.prompts.catalogue import FILE_NAME, Catalogue, load_catalogue
from fsivr.prompts.checked import Shelf
from fsivr.prompts.used import Uses, uses_in


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything about the prompts of one dialplan."""

    catalogue: Catalogue
    sources: tuple[Path, ...]
    uses: Uses
    shelf: Shelf
    languages: tuple[str, ...]
    fallback_languages: tuple[str, ...]
    prompts_path: str


def open_workshop(
    *,
    languages: Sequence[str] = (),
    catalogue: str | None = None,
    sounds: str | None = None,
    dialplan: str | None = None,
    config: str | None = None,
) -> Workshop:
    """What the options of a command name.

    :raises ConfigError: the settings, the dialplan, the catalogue or a language is wrong.
    """
    settings = load(config, dialplan=dialplan)
    table = load_dialplan(settings.dialplan)
    beside = _file(sys.modules[settings.dialplan.partition(":")[0]]).parent
    read = load_catalogue(_shown(Path(catalogue) if catalogue else beside / FILE_NAME))
    sources = tuple(_sources(table, beside))
    known = read.languages or (settings.language,)
    for language in languages:
        if language not in known:
            raise ConfigError(f"there is no text in {language} in {read.path}: allowed is {', '.join(known)}")
    folder = sounds or settings.prompts_path or str(read.path.parent / "sounds")
    return Workshop(
        read,
        sources,
        uses_in(sources),
        Shelf(_shown(Path(folder)), settings.prompts_extension),
        tuple(dict.fromkeys(languages)) or known,
        settings.fallback_languages,
        settings.prompts_path,
    )


def played(settings: Settings) -> Mapping[str, str]:
    """The prompts that the handlers of the settings' dialplan play by their names, each with where.

    :raises ConfigError: the dialplan cannot be loaded.
    """
    table = load_dialplan(settings.dialplan)
    beside = _file(sys.modules[settings.dialplan.partition(":")[0]]).parent
    return {name: str(places[0]) for name, places in uses_in(_sources(table, beside)).names.items()}


def _sources(table: Dialplan, beside: Path) -> Iterator[Path]:
    """The files of the handlers, in the dialplan's order, and of what they import from the folders of these."""
    waiting = [sys.modules[extension.handler.__module__] for extension in table]
    homes = {beside, *(_file(module).parent for module in waiting)}
    seen: set[str] = set()
    while waiting:
        module = waiting.pop(0)
        if module.__name__ in seen:
            continue
        seen.add(module.__name__)
        path = _file(module)
        yield _shown(path)
        waiting += [other for other in _imported(module, path) if homes & {*_file(other).parents} and _is_own(other)]


def _imported(module: ModuleType, path: Path) -> Iterator[ModuleType]:
    package = module.__package__ or ""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            whole = importlib.util.resolve_name(start, package) if node.level else start
            names = [whole, *(f"{whole}.{alias.name}" for alias in node.names)]
        for name in names:
            if (found := sys.modules.get(name)) is not None and getattr(found, "__file__", None):
                yield found


def _is_own(module: ModuleType) -> bool:
    return module.__name__.partition(".")[0] != "fsivr" and "site-packages" not in _file(module).parts


def _file(module: ModuleType) -> Path:
    if not module.__file__ or not module.__file__.endswith(".py"):
        raise ConfigError(f"the module {module.__name__} has no source to look for prompts in")
    return Path(module.__file__)


def _shown(path: Path) -> Path:
    """The path from the current folder, where it is below."""
    whole = Path(os.path.abspath(path))
    return whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole
