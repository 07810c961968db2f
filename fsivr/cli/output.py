"""What the command line prints: colours on a terminal, whole lines to a file or pipe."""

from __future__ import annotations

import errno
import io
import os
import shlex
import shutil
import sys
from pathlib import Path

from rich.console import Console

#: Where there is no terminal nothing is folded, so that each row stays one line for grep.
_UNFOLDED = 1000


class _Screen(Console):
    def on_broken_pipe(self) -> None:
        # That of rich ends the process, with all its calls.
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def console(stderr: bool = False) -> Console:
    """A console on what standard output is now, or standard error.

    Printing raises ``BrokenPipeError`` where its reader has left.
    """
    # There is none where it was closed, as by `>&-`.
    stream = (sys.stderr if stderr else sys.stdout) or io.StringIO()
    return _Screen(
        file=stream,
        width=None if stream.isatty() else _UNFOLDED,
        highlight=False,
        markup=False,
        emoji=False,
    )


def complain(message: str) -> None:
    """Say what went wrong, in one line on standard error."""
    screen = console(stderr=True)
    screen.print("fsivr:", style="bold red", end=" ")
    screen.print(" ".join(message.splitlines()), soft_wrap=True)


def program(name: str) -> str:
    """How to start a program of this Python's environment from the current folder, as ``.venv/bin/fsivr``.

    Quoted for a shell, where the folder's name needs it.
    """
    folder = Path(sys.executable).parent
    on_path = shutil.which(name)
    if on_path and Path(on_path).parent == folder:
        return name
    here = Path.cwd()
    whole = folder / name
    return shlex.quote(str(whole.relative_to(here)) if whole.is_relative_to(here) else str(whole))


def plain(text: object) -> str:
    """Text from outside as a terminal may be given it: what is no letter is shown as such."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in str(text))
