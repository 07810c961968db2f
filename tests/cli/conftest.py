"""The command line, run inside the test."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import NamedTuple

import pytest

from fsivr.cli import run


class Ran(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def fsivr(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs a command: ``fsivr("route", "4100")``."""
    for name in ("FSIVR_CONFIG", "FSIVR_DIALPLAN", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: str) -> Ran:
        importlib.invalidate_caches()  # of modules that the test has just written
        handlers, level = logging.root.handlers[:], logging.root.level
        try:
            code = run(arguments)
        finally:
            # A command sets up logging on what standard error is now.
            logging.root.handlers[:] = handlers
            logging.root.setLevel(level)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Ran(code, out, err)

    return command
