"""The settings in force, from ``fsivr.toml``, ``FSIVR_*`` and the command line.

Later places win: the default, the file, the environment, the command line.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from fsivr.allowed import parse_address
from fsivr.errors import ConfigError
from fsivr.settings import HIDDEN, PREFIX, SETTINGS, Setting, Settings, validated

__all__ = ["FILE_NAME", "HIDDEN", "PREFIX", "SETTINGS", "Setting", "Settings", "load", "parse_address"]

#: The file that is read where none is named.
FILE_NAME = "fsivr.toml"
_CONFIG = "FSIVR_CONFIG"
_BY_NAME = {setting.name: setting for setting in SETTINGS}


def load(
    path: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    **overrides: object,
) -> Settings:
    """The settings in force: defaults, then the file, the environment, and the overrides.

    :param path: the file; ``None`` takes ``FSIVR_CONFIG``, or ``fsivr.toml`` of the current folder where there is one.
    :param overrides: what the command line gave; ``None`` is "not given".
    :raises ConfigError: a setting is unknown or wrong; one line for each.
    """
    file = path if path is not None else environ.get(_CONFIG) or None
    given = _from_file(Path(file)) if file is not None else _from_file(Path(FILE_NAME), optional=True)
    given += _from_environment(environ)
    given += [(name, value, f"--{name}") for name, value in overrides.items() if value is not None]
    return validated(given)


_Given = list[tuple[str, object, str]]


def _from_file(path: Path, optional: bool = False) -> _Given:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if optional:
            return []
        raise ConfigError(f"there is no settings file {path}") from None
    except OSError as error:
        raise ConfigError(f"the settings file {path} cannot be read: {error.strerror}") from None
    try:
        table = tomllib.loads(content.decode())
    except ValueError as error:
        raise ConfigError(f"the settings file {path} is not TOML: {error}") from None
    return [(name, value, str(path)) for name, value in table.items()]


def _from_environment(environ: Mapping[str, str]) -> _Given:
    given: _Given = []
    for variable, text in sorted(environ.items()):
        if variable.startswith(PREFIX) and variable != _CONFIG:
            name = variable.removeprefix(PREFIX).lower()
            setting = _BY_NAME.get(name)
            given.append((name, setting.read(text) if setting else text, variable))
    return given
