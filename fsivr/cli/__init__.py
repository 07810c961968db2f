"""The command line. Whatever goes wrong is one clear line and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import click

from fsivr.cli.commands import commands
from fsivr.cli.output import complain
from fsivr.errors import ConfigError, FsivrError

#: Exit codes: what was asked went wrong; it was asked for wrongly; ctrl-C.
FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130


def run(arguments: Sequence[str]) -> int:
    """The exit code of one command."""
    try:
        # Exit is an int only where a command ended with one by context.exit().
        ended = commands.main(args=list(arguments), prog_name="fsivr", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        return ended if isinstance(ended, int) else 0
    except click.UsageError as error:
        return _misused(error)
    except click.ClickException as error:
        complain(error.format_message())
        return WRONG_USE
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except ConfigError as error:
        for line in str(error).splitlines():
            complain(line)
        return WRONG_USE
    except BrokenPipeError:
        # The reader left, as `head` does. Nothing more can be said, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (FsivrError, OSError) as error:
        complain(str(error) or type(error).__name__)
        return FAILED
    except Exception as error:
        complain(_unforeseen(error))
        return FAILED


def _misused(error: click.UsageError) -> int:
    command = error.ctx.command_path if error.ctx else "fsivr"
    complain(f"{error.format_message()} ('{command} --help' tells more)")
    return WRONG_USE


def _unforeseen(error: Exception) -> str:
    """A fault of ours in one line that still says where it is."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    said = " ".join(str(error).split())
    return f"unexpected {type(error).__name__}: {said} ({os.path.relpath(place.filename)}:{place.lineno})"
