"""The command line: ``python -m fsivr``, or ``fsivr``."""

from __future__ import annotations

import sys

# An export has no calls: its files are read, hashed and synced by threads that run at the same time.
if sys.argv[1:2] != ["export"]:
    from gevent import monkey

    # First of all: what is imported before keeps the blocking sockets.
    monkey.patch_all()

import io

from fsivr.cli import run


def main() -> int:
    """The exit code: 0, or 1 where the call or the server went wrong, or 2 where it was asked for wrongly."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A letter that the terminal does not have is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
