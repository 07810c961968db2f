"""Dialplan: which handler answers which number; the first match does."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fsivr.errors import ConfigError
from fsivr.handler import Handler

# A number comes from outside; a pattern's work on it grows with its length.
_LONGEST_NUMBER = 256


@dataclass(frozen=True, slots=True)
class Extension:
    """One line of the dialplan.

    :param number: a regular expression that the whole dialled number must match;
        plain digits match just themselves.
    :param handler: the class that answers: a ``Handler``, or one written for greenswitch.
    :param context: only calls of this dialplan context; None for any.
    :param path: only calls whose ``socket`` action names this path after the
        port, as ``socket 127.0.0.1:8084/sales async full``; None for any.
    :raises ConfigError: an expression that is none, or a handler without ``run``.
    """

    number: str
    handler: type[Any]
    context: str | None = None
    path: str | None = None
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __init__(self, number: str, handler: type[Any], *, context: str | None = None, path: str | None = None) -> None:
        try:
            pattern = re.compile(number, re.ASCII)
        except (re.error, TypeError) as error:
            raise ConfigError(f"the extension's number {number!r} is no regular expression: {error}") from None
        if not isinstance(handler, type) or not callable(getattr(handler, "run", None)):
            raise ConfigError(f"the extension {number!r} needs a handler: a class with run, not {handler!r}")
        _check_made_with_session(number, handler)
        path = path.strip("/") if path else path
        for name, value in (
            ("number", number),
            ("handler", handler),
            ("context", context),
            ("path", path),
            ("_pattern", pattern),
        ):
            object.__setattr__(self, name, value)

    def why_not(self, number: str, context: str = "", path: str = "") -> str:
        """Why a call does not match, in words; ``""`` where it does."""
        if len(number) > _LONGEST_NUMBER or self._pattern.fullmatch(number) is None:
            return f"the number is not {self.number}"
        if self.context is not None and self.context != context:
            return f"the context is not {self.context}"
        if self.path is not None and self.path != path.strip("/"):
            return f"the socket path is not {self.path}"
        return ""


def _check_made_with_session(number: str, handler: type[Any]) -> None:
    """A class that is no ``Handler`` is one written for greenswitch, which is made with the session."""
    if issubclass(handler, Handler):
        return
    try:
        inspect.signature(handler).bind(None)
    except TypeError:
        raise ConfigError(
            f"the extension {number!r} needs a handler: {handler.__qualname__} should be a subclass of fsivr.Handler"
        ) from None
    except ValueError:  # a class of C, whose signature is not known
        pass


class Dialplan:
    """An ordered table of extensions.

    :param outbound: handlers of calls that are placed, beside those of the extensions.
    :raises ConfigError: what is in it is no extension or no handler, or an extension is there twice.
    """

    def __init__(self, extensions: Iterable[Extension] = (), *, outbound: Iterable[type[Handler]] = ()) -> None:
        self._extensions = tuple(extensions)
        self._named: dict[str, type[Any] | None] = {}  # None where two have the name
        seen: set[tuple[str, str | None, str | None]] = set()
        for each in self._extensions:
            if not isinstance(each, Extension):
                raise ConfigError(f"a dialplan holds extensions, not {each!r}")
            key = (each.number, each.context, each.path)
            if key in seen:
                raise ConfigError(
                    f"the extension {each.number!r} is in the dialplan twice; the second could never answer"
                )
            seen.add(key)
            self._name(each.handler)
        for handler in outbound:
            if not (isinstance(handler, type) and issubclass(handler, Handler)):
                raise ConfigError(f"outbound holds Handler classes, not {handler!r}")
            self._name(handler)
        #: Whether any extension looks at the socket's path.
        self.has_paths = any(path is not None for _, _, path in seen)

    def __iter__(self) -> Iterator[Extension]:
        return iter(self._extensions)

    def __len__(self) -> int:
        return len(self._extensions)

    def match(self, number: str, context: str = "", path: str = "") -> Extension | None:
        """The first extension that a call matches; None where none does."""
        for each in self._extensions:
            if not each.why_not(number, context, path):
                return each
        return None

    def handler(self, name: str) -> type[Any] | None:
        """The handler that ``handler_name`` gives a name; None where none here has it, or two have."""
        return self._named.get(name)

    def explain(self, number: str, context: str = "", path: str = "") -> list[tuple[Extension, str]]:
        """Each extension looked at for a call, and why it did not match; the one that did has ``""``."""
        looked_at = []
        for each in self._extensions:
            looked_at.append((each, each.why_not(number, context, path)))
            if not looked_at[-1][1]:
                break
        return looked_at

    def _name(self, handler: type[Any]) -> None:
        name = handler_name(handler)
        self._named[name] = handler if self._named.get(name, handler) is handler else None


def handler_name(handler: type[Any]) -> str:
    """What a placed call is told of its handler: ``module:qualname``."""
    return f"{handler.__module__}:{handler.__qualname__}"


def load_dialplan(where: str) -> Dialplan:
    """The dialplan that a setting like ``apps:dialplan`` names: a module and a name in it.

    The current folder is looked in first.

    :raises ConfigError: no such module, no such name, no dialplan, or an error in it.
    """
    module_name, colon, name = where.partition(":")
    if not (colon and re.fullmatch(r"[\w.]+", module_name) and name.isidentifier()):
        raise ConfigError(f"the dialplan is named as 'module:name', like 'apps:dialplan', not {where!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise ConfigError(f"the dialplan {where!r} names no module: there is no {error.name!r} in {here}") from None
        raise ConfigError(f"the dialplan {where!r} could not be loaded: {error}") from error
    except Exception as error:
        raise ConfigError(f"the dialplan {where!r} could not be loaded: {type(error).__name__}: {error}") from error
    found = getattr(module, name, None)
    if not isinstance(found, Dialplan):
        what = "nothing" if found is None else f"a {type(found).__name__}"
        raise ConfigError(f"{name!r} in the module {module_name!r} should be a Dialplan; it is {what}")
    return found
