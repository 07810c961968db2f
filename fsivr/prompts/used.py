"""The prompts that handlers play, found by reading their source: nothing of it is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fsivr.prompts.prompt import File

_ALL = "all positional arguments"
_FIRST = "the first positional argument"
_NONE = "keyword arguments alone"
#: Which arguments of a call's verbs are prompts.
_VERBS = {
    "play": _ALL,
    "ask": _ALL,
    "confirm": _ALL,
    "listen": _ALL,
    "consent": _ALL,
    "menu": _FIRST,
    "music": _FIRST,
    "bridge": _NONE,
    "conference": _NONE,  # pin_prompt, wrong_pin
    "park": _NONE,  # music
    "queue": _NONE,  # music, announce
    "record": _NONE,
    "transfer": _NONE,
}
_KEYWORDS = {
    *("prompt", "prompts", "no_input", "no_match", "confirm", "whisper", "ringback", "greeting", "music"),
    *("pin_prompt", "wrong_pin", "announce"),
}
#: What makes a prompt that is no file.
_NO_FILES = {"Say", "Speak", "Silence", "Tone"}
#: The methods of a handler whose second parameter is the call.
_METHODS = {"run", "on_hangup", "on_error"}
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a handler's source."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(slots=True)
class Uses:
    """What was found in the source."""

    #: Where each prompt is played; the first place first.
    names: dict[str, list[Place]] = field(default_factory=dict)
    #: Names that are put together as the call goes on, as in ``f"day/{number}"``.
    patterns: list[tuple[re.Pattern[str], Place]] = field(default_factory=list)
    #: Prompts whose name the source does not tell.
    unknown: list[Place] = field(default_factory=list)
    #: Every other text in the source: one that is a prompt's name may be played by it.
    texts: dict[str, Path] = field(default_factory=dict)

    def user(self, name: str) -> Path | None:
        """The first file that plays a prompt, or may; None where none does."""
        if name in self.names:
            return self.names[name][0].path
        found = (place.path for pattern, place in self.patterns if pattern.fullmatch(name))
        return next(found, None) or self.texts.get(name)


def uses_in(paths: Iterable[Path]) -> Uses:
    """The prompts that the source in these files plays.

    :raises OSError: a file cannot be read.
    :raises SyntaxError: it is no Python.
    """
    uses = Uses()
    for path in paths:
        _Reader(path, ast.parse(path.read_bytes(), str(path)), uses)
    return uses


class _Reader:
    """Reads one module into what was found."""

    def __init__(self, path: Path, tree: ast.Module, uses: Uses) -> None:
        self._path = path
        self._uses = uses
        self._calls = {"call", *_parameters(tree)}
        outside = {**_assigned(tree.body)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                outside.update(_assigned(node.body))
        self._read(tree, outside)

    def _read(self, node: ast.AST, known: Mapping[str, ast.expr]) -> None:
        for child in ast.iter_child_nodes(node):
            inside = known
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                own = {argument.arg for argument in ast.walk(child.args) if isinstance(argument, ast.arg)}
                inside = {name: value for name, value in known.items() if name not in own}
                inside |= _assigned(node for node in ast.walk(child) if isinstance(node, ast.stmt))
            elif isinstance(child, ast.Call):
                for value in self._prompts(child):
                    self._take(value, Place(self._path, value.lineno), known)
            elif isinstance(child, ast.Constant) and isinstance(child.value, str):
                self._uses.texts.setdefault(child.value, self._path)
            self._read(child, inside)

    def _prompts(self, call: ast.Call) -> Iterator[ast.expr]:
        """The arguments of a call that are prompts."""
        name = _last(call.func)
        if name == "File":
            yield from (value for value in call.args[:1] if isinstance(value, ast.Constant))
        if not isinstance(call.func, ast.Attribute) or _last(call.func.value) not in self._calls or name not in _VERBS:
            return
        taken = {_ALL: len(call.args), _FIRST: 1, _NONE: 0}[_VERBS[name]]
        yield from call.args[:taken]
        yield from (keyword.value for keyword in call.keywords if keyword.arg in _KEYWORDS)

    def _take(self, value: ast.expr, place: Place, known: Mapping[str, ast.expr], depth: int = 0) -> None:
        """Add what an expression can be as a prompt."""
        match value:
            case ast.Constant(value=str() as name):
                if _is_name(name):
                    self._uses.names.setdefault(name, []).append(place)
            case ast.JoinedStr() | ast.BinOp(op=ast.Add()):
                self._uses.patterns.append((re.compile(_pattern(value), re.S), place))
            case ast.Call(func=ast.Attribute(value=ast.Name(id=maker)) | ast.Name(id=maker)) if maker in _NO_FILES:
                pass
            case ast.Call(func=function) if _last(function) == "File":
                pass  # it is looked at wherever it stands
            case _ if depth < _DEEPEST and (parts := _parts(value, known)) is not None:
                for part in parts:
                    self._take(part, place, known, depth + 1)
            case ast.Constant():
                pass
            case _:
                self._uses.unknown.append(place)


def _parts(value: ast.expr, known: Mapping[str, ast.expr]) -> list[ast.expr] | None:
    """The expressions of which each or one is the prompt; None where that is not to be seen."""
    match value:
        case ast.IfExp():
            return [value.body, value.orelse]
        case ast.BoolOp():
            return value.values
        case ast.List() | ast.Tuple():
            return value.elts
        case ast.Dict():
            return value.values
        case ast.Starred() | ast.Subscript():
            return [value.value]
        case ast.Call(func=function) if _last(function) == "Uninterrupted":
            return value.args
        case ast.Name() | ast.Attribute() if (found := known.get(_last(value))) is not None:
            return [found]
    return None


def _parameters(tree: ast.Module) -> set[str]:
    """What the handlers of a module call the call."""
    return {
        node.args.args[1].arg
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in _METHODS and len(node.args.args) > 1
    }


def _assigned(statements: Iterable[ast.stmt]) -> dict[str, ast.expr]:
    """What names stand for; one that is assigned twice stands for either."""
    found: dict[str, ast.expr] = {}
    for statement in statements:
        targets: list[ast.expr]
        match statement:
            case ast.AnnAssign(value=ast.expr() as value):
                targets = [statement.target]
            case ast.Assign(value=value):
                targets = statement.targets
            case _:
                continue
        for target in targets:
            if isinstance(target, ast.Name):
                before = found.get(target.id)
                found[target.id] = value if before is None else ast.Tuple([before, value], ast.Load())
    return found


def _pattern(value: ast.expr) -> str:
    match value:
        case ast.Constant(value=str() as text):
            return re.escape(text)
        case ast.JoinedStr():
            return "".join(map(_pattern, value.values))
        case ast.BinOp(op=ast.Add()):
            return _pattern(value.left) + _pattern(value.right)
    return ".+"


def _last(function: ast.expr) -> str:
    """The last word of a dotted name; ``""`` where it is no name."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _is_name(text: str) -> bool:
    try:
        return not File(text).name.startswith("/")
    except ValueError:
        return False
