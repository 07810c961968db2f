"""Secrets of a target: given as they are, as the name of a file, or as that of a variable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fsivr.errors import ConfigError

_MOST = 65_536


def with_secrets(name: str, table: Mapping[str, Any], secrets: tuple[str, ...]) -> dict[str, Any]:
    """A target's table, with what ``password_file`` or ``password_env`` lead to as ``password``.

    :param secrets: the keys that may be given so.
    :raises ConfigError: it is given twice, the file cannot be read, or there is no such variable.
    """
    found = dict(table)
    for key in secrets:
        ways = [each for each in (key, f"{key}_file", f"{key}_env") if each in found]
        if len(ways) > 1:
            raise ConfigError(f"target {name}: {' and '.join(ways)} are one and the same: give one of them")
        if f"{key}_file" in found:
            found[key] = _of_file(name, f"{key}_file", found.pop(f"{key}_file"))
        if f"{key}_env" in found:
            found[key] = _of_variable(name, f"{key}_env", found.pop(f"{key}_env"))
    return found


def _of_file(name: str, key: str, path: object) -> str:
    if not isinstance(path, str) or not path:
        raise ConfigError(f"target {name}: {key} is the path of a file")
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(_MOST)
    except OSError as error:
        raise ConfigError(f"target {name}: {key} {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"target {name}: {key} {path} is not text") from None
    if not text.rstrip("\r\n"):
        raise ConfigError(f"target {name}: {key} {path} is empty")
    return text.rstrip("\r\n")


def _of_variable(name: str, key: str, variable: object) -> str:
    found = os.environ.get(variable) if isinstance(variable, str) and variable else None
    if not found:
        raise ConfigError(f"target {name}: {key} is the name of a variable, and there is none {str(variable)[:80]!r}")
    return found
