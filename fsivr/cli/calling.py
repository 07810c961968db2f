"""One call, held in this terminal."""

from __future__ import annotations

import logging
import os
import shlex
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.text import Text

from fsivr.causes import HangupCause
from fsivr.cli.keyboard import Keyboard
from fsivr.cli.output import complain, console, program
from fsivr.cli.telephone import Telephone
from fsivr.config import Settings
from fsivr.dialplan import load_dialplan
from fsivr.errors import FsivrError
from fsivr.listening import written
from fsivr.prompts import PromptLibrary
from fsivr.server import Server
from fsivr.simulator import RealClock, Switch

_FAILED = 1


@contextmanager
def own_server(settings: Settings, number: str, context: str, path: str) -> Iterator[tuple[str, int]]:
    """The address of a server that is there for one call.

    :raises FsivrError: no extension answers the number.
    """
    dialplan = load_dialplan(settings.dialplan)
    if dialplan.match(number, context, path) is None:
        raise FsivrError(_unanswered(number))
    _log_briefly(settings)
    own = Server(dialplan, settings)
    own.start()
    try:
        yield own.address
    finally:
        own.stop(timeout=0)


def _unanswered(number: str) -> str:
    return f"no extension answers {number}; this tells why: {program('fsivr')} route {shlex.quote(number)}"


def place_call(
    address: tuple[str, int],
    settings: Settings,
    number: str,
    *,
    keys: Sequence[str] = (),
    caller_number: str = "1000",
    context: str = "public",
    path: str = "",
) -> int:
    """The exit code of one call, held in this terminal."""
    library = PromptLibrary.of(settings)
    switch = Switch(address, clock=RealClock(), library=library)
    screen = console()
    with Keyboard() as keyboard:
        hint = "; keys are dialled as you type them, ctrl-C hangs up" if keyboard.is_terminal else ""
        screen.print(Text.assemble("calling ", (number, "bold"), (hint, "dim")))
        try:
            caller = switch.call(number, caller_number=caller_number, context=context, path=path)
            ended = Telephone(switch, screen, keys=keys).call(caller, keyboard=keyboard)
        finally:
            switch.stop()
    return _judge(number, address, ended, reached=caller.line.was_open)


def _judge(number: str, address: tuple[str, int], cause: HangupCause | None, *, reached: bool) -> int:
    """The exit code, with a word on what went wrong where the call did not tell it."""
    if cause is HangupCause.NORMAL_CLEARING:
        return 0
    where = written(address)
    if not reached:
        complain(f"nobody listens at {where}; start one: {program('fsivr')} serve --listen {where}")
    elif cause is None:
        complain(f"the server at {where} closed the connection and left the call alone; does its 'allow' hold us?")
    elif cause is HangupCause.NO_ROUTE_DESTINATION:
        complain(_unanswered(number))
    return _FAILED


def _log_briefly(settings: Settings) -> None:
    """Warnings in one line each, a handler's error with its place; all of it at the log level debug."""
    if settings.log_level == "debug":
        logging.basicConfig(format="%(levelname)s %(message)s", level=logging.DEBUG, force=True)
        return
    logging.basicConfig(level=logging.WARNING, force=True)
    logging.getLogger().handlers[0].setFormatter(_Brief("%(levelname)s %(message)s"))


class _Brief(logging.Formatter):
    def formatException(self, ei: object) -> str:
        """The error, and the line of the application that led to it."""
        assert isinstance(ei, tuple)
        _, error, trace = ei
        frames = traceback.extract_tb(trace)
        frame = next((frame for frame in reversed(frames) if _is_applications(frame.filename)), frames[-1])
        said = " ".join(str(error).split())
        return f"  {type(error).__name__}: {said} ({os.path.relpath(frame.filename)}:{frame.lineno})"


def _is_applications(file: str) -> bool:
    path = Path(file)
    ours = Path(__file__).parent.parent
    return path.is_relative_to(Path.cwd()) and not path.is_relative_to(ours) and "site-packages" not in path.parts
