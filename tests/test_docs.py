"""The documents: every snippet runs, and everything public is in them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import click
import pytest

import fsivr
from fsivr.call.placing import CallsSwitch
from fsivr.cli.commands import commands
from fsivr.config import SETTINGS, Setting, Settings
from fsivr.esl.client import Client
from fsivr.simulator import Caller, Phone
from fsivr.simulator.line import Line

ROOT = Path(__file__).parent.parent
DOCS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _snippets(path: Path, language: str) -> list[tuple[int, str]]:
    """The snippets of a document in a language, each with the line it begins at."""
    text = path.read_text()
    return [
        (text[: found.start(1)].count("\n"), found[1])
        for found in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
    ]


def _run(path: Path) -> dict[str, Any]:
    """What a document's Python defines, all snippets in one module."""
    space: dict[str, Any] = {"__name__": f"snippets of {path.name}"}
    for line, snippet in _snippets(path, "python"):
        # Blank lines before it make a traceback point into the document.
        exec(compile("\n" * line + snippet, str(path), "exec"), space)
    return space


def _tests() -> list[Any]:
    """Each test in the documents, with the settings that its marker gives."""
    found = []
    for path in DOCS:
        for _, snippet in _snippets(path, "python"):
            for marker, name in re.findall(
                r"^(?:@pytest\.mark\.fsivr\((.*)\)\n)?def (test_\w+)\(switch\)", snippet, re.M
            ):
                marks = pytest.mark.fsivr(**eval(f"dict({marker})"))
                found.append(pytest.param(path, name, id=f"{_named(path)}:{name}", marks=marks))
    return found


@pytest.mark.parametrize("path", [path for path in DOCS if _snippets(path, "python")], ids=_named)
def test_every_snippet_runs(path: Path) -> None:
    assert _run(path)


@pytest.mark.parametrize("path", DOCS, ids=_named)
def test_no_snippet_takes_the_name_of_another(path: Path) -> None:
    """They are one module: the tests of the first would meet the second's class."""
    text = "\n".join(snippet for _, snippet in _snippets(path, "python"))
    names = re.findall(r"^(?:class|def) (\w+)", text, re.M)
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(("path", "name"), _tests())
def test_every_test_in_the_documents_passes(path: Path, name: str, switch: Any) -> None:
    test: Callable[[Any], None] = _run(path)[name]
    test(switch)


@pytest.mark.parametrize("path", DOCS, ids=_named)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        assert "://" in target or (path.parent / target).exists(), target


def test_the_sample_of_the_readme_is_the_application() -> None:
    snippets = [snippet for _, snippet in _snippets(ROOT / "README.md", "python")]
    assert snippets[0] in (ROOT / "apps/balance.py").read_text()
    assert snippets[1] in (ROOT / "tests/apps/test_balance.py").read_text()


def _row(setting: Setting) -> str:
    default = setting.default
    if isinstance(default, bool):
        default = str(default).lower()
    if isinstance(default, tuple):
        shown = ", ".join(f"`{value}`" for value in default) or "empty"
    else:
        shown = (
            f"`{default:g}`" if isinstance(default, float) else f"`{default}`" if default not in ("", {}) else "empty"
        )
    return f"| `{setting.name}` | {shown} | {setting.help} | {setting.allowed} |"


def test_the_table_of_settings_is_the_one_in_the_code() -> None:
    rows = re.findall(r"^\| `.*$", (ROOT / "docs/settings.md").read_text(), re.M)
    assert rows == [_row(setting) for setting in SETTINGS]


def test_the_sample_settings_are_right() -> None:
    for _, snippet in _snippets(ROOT / "docs/settings.md", "toml"):
        assert Settings.defaults(**tomllib.loads(snippet)) != Settings.defaults()


def test_every_command_and_option_is_documented() -> None:
    text = (ROOT / "docs/cli.md").read_text()
    context = click.Context(commands)
    for name in commands.list_commands(context):
        command = commands.get_command(context, name)
        assert command is not None
        section = re.search(rf"^## `fsivr {name}\b.*?(?=^## |\Z)", text, re.M | re.S)
        assert section, f"docs/cli.md has no section on {name}"
        parts = list(command.commands.values()) if isinstance(command, click.Group) else []
        assert all(f"`{part.name}" in section[0] for part in parts), f"docs/cli.md lacks a part of {name}"
        parameters = [parameter for each in [command, *parts] for parameter in each.params]
        for option in (option for parameter in parameters for option in parameter.opts if option.startswith("-")):
            assert f"`{option}" in section[0], f"docs/cli.md does not tell of {option} of {name}"


def _public(holder: type) -> list[str]:
    """The public names of a class, those of its parents in fsivr included."""
    own = [kind for kind in holder.__mro__ if kind.__module__.startswith("fsivr.")]
    return sorted({name for kind in own for name in vars(kind) if not name.startswith("_")})


HOLDERS = (
    fsivr.Call,
    fsivr.Channel,
    fsivr.Dial,
    fsivr.DialResult,
    fsivr.Dialled,
    fsivr.Handler,
    fsivr.Leg,
    fsivr.Switch,
)


def test_every_public_name_is_documented() -> None:
    text = (ROOT / "docs/handlers.md").read_text()
    missing = [name for name in fsivr.__all__ if not re.search(rf"\b{name}\b", text)]
    missing += [
        f"{holder.__name__}.{name}"
        for holder in (*HOLDERS, CallsSwitch)
        for name in _public(holder)
        if not re.search(rf"\b{name}\b", text)
    ]
    assert not missing


def test_every_error_is_documented_with_the_cause_it_ends_a_call_with() -> None:
    text = (ROOT / "docs/handlers.md").read_text()
    errors = [getattr(fsivr, name) for name in fsivr.__all__ if isinstance(getattr(fsivr, name), type)]
    for error in errors:
        if issubclass(error, fsivr.FsivrError) and error not in (fsivr.NoInput, fsivr.NoMatch):
            assert re.search(rf"^\| `{error.__name__}` \|.*\| `{error.hangup_cause}` \|$", text, re.M), error


def test_the_inbound_client_is_documented() -> None:
    text = (ROOT / "docs/handlers.md").read_text()
    assert not [name for name in _public(Client) if not re.search(rf"\b{name}\b", text)]


def test_everything_a_caller_does_is_documented() -> None:
    text = (ROOT / "docs/testing.md").read_text()
    # A fault is a method that can be told when; what is left is between caller and switch.
    faults = [name for name, found in vars(Line).items() if callable(found) and "at" in signature(found).parameters]
    assert len([name for name in faults if not name.startswith("_")]) > 5
    told = [
        name
        for name in [*_public(Caller), *_public(Phone), *faults]
        if not name.startswith("_") and name not in ("handlers_turn", "ring")
    ]
    assert not [name for name in told if not re.search(rf"\b{name}\b", text)]


def _sources() -> list[str]:
    return [path.read_text() for top in ("fsivr", "tests", "scripts") for path in (ROOT / top).rglob("*.py")]


def test_every_fact_that_the_code_relies_on_is_told() -> None:
    facts = set(re.findall(r"^\*\*(\d+\.\d+)\*\*", (ROOT / "docs/esl-quirks.md").read_text(), re.M))
    used = {number for text in _sources() for number in re.findall(r"FACTS (\d+\.\d+)", text)}
    assert used
    assert used <= facts


def test_every_transcript_that_is_named_is_there() -> None:
    there = {path.name.removesuffix(".jsonl.gz") for path in (ROOT / "tests/esl/transcripts").iterdir()}
    texts = [*_sources(), *(path.read_text() for path in DOCS)]
    named = {name for text in texts for name in re.findall(r"`(\d\d[a-z]+\d?_\w+)`", text)}
    assert named
    assert named <= there
