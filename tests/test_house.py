"""The rules of the house: imports point one way, files stay small, names say what is in them."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = sorted((ROOT / "fsivr").rglob("*.py"))
CODE = sorted(path for top in ("fsivr", "apps", "tests", "scripts") for path in (ROOT / top).rglob("*.py"))

MOST_LINES = 300
MOST_FUNCTION_LINES = 30

#: What each part of fsivr may import of the others. Nothing imports apps, testing or cli but themselves.
MAY_IMPORT: dict[str, set[str]] = {
    "causes": set(),
    "errors": {"causes"},
    "prompts": {"errors"},
    "allowed": set(),
    "settings": {"allowed", "errors"},
    "config": {"allowed", "settings", "errors"},
    "call": {"causes", "errors", "prompts", "whose"},
    "handler": {"call"},
    "dialplan": {"errors", "handler"},
    "dialplan_xml": {"dialplan", "errors"},
    "durations": set(),
    "esl": {"causes", "durations", "errors", "whose"},
    "switch": {"call", "causes", "config", "dialplan", "errors", "esl"},
    "listening": {"config", "errors"},
    "server": {
        *("call", "causes", "config", "dialplan", "durations", "errors", "esl", "handler", "listening", "store"),
        *("prompts", "recordings", "switch", "whose"),
    },
    "supervisor": {"config", "errors", "listening", "store"},
    "store": {"errors"},
    "recordings": {"config", "errors", "store"},
    "exporter": {"config", "errors", "recordings", "store"},
    "api": {"call", "causes", "config", "dialplan", "errors", "store", "switch"},
    "simulator": {"causes", "prompts"},
    "testing": {"call", "config", "dialplan", "prompts", "server", "simulator", "switch"},
    "cli": {
        *("api", "causes", "config", "dialplan", "dialplan_xml", "doctor", "errors", "exporter", "listening", "logs"),
        *("prompts", "recordings", "server", "simulator", "sizing", "store", "supervisor", "switch"),
    },
    "doctor": {
        *("config", "dialplan", "dialplan_xml", "errors", "exporter", "prompts", "sizing", "store", "switch"),
    },
    "sizing": set(),
    "logs": {"whose"},
    "whose": set(),
    "__main__": {"cli"},
    "__init__": {"call", "causes", "dialplan", "errors", "handler", "prompts", "switch"},
}

#: Libraries that have one place: a change of library is a change there.
ONLY_IN = {
    "greenswitch": {"esl"},
    "click": {"cli"},
    "rich": {"cli"},
    "marshmallow": {"allowed", "api", "exporter", "settings"},
    "tomllib": {"config", "prompts"},
    "flask": {"api"},
    "flask_smorest": {"api"},
    "werkzeug": {"api"},
    "prometheus_client": {"api"},
    "boto3": {"exporter"},
    "botocore": {"exporter"},
    "pysftp": {"exporter"},
    "paramiko": {"exporter"},
    "ftplib": {"exporter"},
    "tenacity": {"exporter"},
    "structlog": {"logs"},
    "peewee": {"store"},
    "playhouse": {"store"},
    "psycopg": {"store"},
    "pytest": {"testing"},
    "_pytest": {"testing"},
}

#: Names that say nothing about what is inside.
BANNED = {"utils.py", "util.py", "helpers.py", "base.py", "common.py", "misc.py", "manager.py", "core.py"}

#: Functions that are one table or one sequence, and clearer whole: "path:name".
LONG_FUNCTIONS: set[str] = set()


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _part(path: Path) -> str:
    """The part of fsivr that a file belongs to: its package, or its own name."""
    return path.relative_to(ROOT / "fsivr").parts[0].removesuffix(".py")


def _imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, also in functions and for the type checker alone."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_named(path)}:{node.lineno} imports relatively"
            assert node.module is not None
            if node.module == "fsivr":
                yield from (f"fsivr.{alias.name}" for alias in node.names)
            else:
                yield node.module


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function's body, without its signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return 0 if not body else (function.body[-1].end_lineno or 0) - body[0].lineno + 1


@pytest.mark.parametrize("path", PACKAGE, ids=_named)
def test_imports_point_one_way(path: Path) -> None:
    part = _part(path)
    wrong = [
        name
        for name in _imports(path)
        if name.startswith("fsivr.") and name.split(".")[1] not in MAY_IMPORT[part] | {part}
    ]
    assert not wrong, f"{part} may not import {', '.join(wrong)}"


@pytest.mark.parametrize("path", PACKAGE, ids=_named)
def test_a_library_is_used_in_one_place(path: Path) -> None:
    wrong = [name for name in _imports(path) if _part(path) not in ONLY_IN.get(name.split(".")[0], {_part(path)})]
    assert not wrong
    assert not [name for name in _imports(path) if name.split(".")[0] in ("apps", "tests")]


def test_the_table_of_imports_is_true() -> None:
    """Each part is there, and what it may import is no more than what it does."""
    imported: dict[str, set[str]] = {_part(path): set() for path in PACKAGE}
    for path in PACKAGE:
        imported[_part(path)] |= {name.split(".")[1] for name in _imports(path) if name.startswith("fsivr.")}
    assert {part: names - {part} for part, names in imported.items()} == MAY_IMPORT


@pytest.mark.parametrize("path", sorted((ROOT / "apps").rglob("*.py")), ids=_named)
def test_applications_use_the_public_names_alone(path: Path) -> None:
    import fsivr

    for name in _imports(path):
        if name.startswith("fsivr"):
            assert name.removeprefix("fsivr.") in fsivr.__all__, f"{name} is not public"


@pytest.mark.parametrize("path", CODE, ids=_named)
def test_files_and_functions_stay_small(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= MOST_LINES, f"{lines} lines"
    long = {
        f"{_named(path)}:{function.name}": _body_lines(function)
        for function in _functions(path)
        if _body_lines(function) > MOST_FUNCTION_LINES
    }
    assert not {name: length for name, length in long.items() if name not in LONG_FUNCTIONS}


def test_the_exceptions_are_needed() -> None:
    long = {
        f"{_named(path)}:{function.name}"
        for path in CODE
        for function in _functions(path)
        if _body_lines(function) > MOST_FUNCTION_LINES
    }
    assert long >= LONG_FUNCTIONS


@pytest.mark.parametrize("path", CODE, ids=_named)
def test_names_say_what_is_inside(path: Path) -> None:
    assert path.name not in BANNED
    classes = [node.name for node in ast.walk(_tree(path)) if isinstance(node, ast.ClassDef)]
    assert not [name for name in classes if name.endswith(("Manager", "Helper", "Utils"))]


def _is_setter(node: ast.AST) -> bool:
    """Whether it is the second half of a property, which the first one describes."""
    decorators = getattr(node, "decorator_list", [])
    return any(isinstance(decorator, ast.Attribute) and decorator.attr == "setter" for decorator in decorators)


@pytest.mark.parametrize("path", PACKAGE, ids=_named)
def test_what_is_public_says_what_the_caller_gets(path: Path) -> None:
    tree = _tree(path)
    assert ast.get_docstring(tree), "the module has no docstring"
    missing = [
        node.name
        for holder in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]
        for node in holder.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        and not node.name.startswith("_")
        and not getattr(holder, "name", "").startswith("_")
        and not _is_setter(node)
        and ast.get_docstring(node) is None
    ]
    assert not missing


def test_the_public_names_are_sorted_and_there() -> None:
    import fsivr

    assert fsivr.__all__ == sorted(fsivr.__all__)
    assert all(hasattr(fsivr, name) for name in fsivr.__all__)


def test_a_process_without_calls_imports_nothing_of_them() -> None:
    code = "import sys, fsivr.exporter.worker; sys.exit('fsivr.call' in sys.modules or 'gevent' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        importlib.import_module("fsivr").Nothing  # noqa: B018


TEXTS = sorted(
    path
    for pattern in ("*.md", "*.cfg", "*.toml", "docs/**/*.md", "scripts/**/*", ".ci/*")
    for path in ROOT.glob(pattern)
    if path.is_file() and not re.search(r"/(__pycache__|\.(?!ci/)[^/]*/)", f"/{path.relative_to(ROOT)}")
)


@pytest.mark.parametrize("path", sorted({*TEXTS, *CODE}), ids=_named)
def test_nothing_names_a_place_of_one_machine(path: Path) -> None:
    text = path.read_text()
    for place in ("/wo" + "rk/", "/ho" + "me/", "/tmp/" + "w/"):
        assert place not in text


@pytest.mark.parametrize("path", sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file()), ids=_named)
def test_scripts_can_be_run(path: Path) -> None:
    assert path.stat().st_mode & 0o111 == 0o111
    assert path.read_text().startswith("#!")
