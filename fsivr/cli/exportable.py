"""What the commands of ``fsivr export`` share: their options, and the archive of the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from fsivr.cli.commands import config_option
from fsivr.cli.moments import in_utc
from fsivr.config import Settings
from fsivr.errors import FsivrError

if TYPE_CHECKING:
    from fsivr.recordings import Archive


class Moment(click.ParamType[datetime]):
    """A day or a time in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time that a text says."""
        try:
            return in_utc(str(value))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no day or time, as 2026-11-24 or 2026-11-24T18:00:00Z", param, ctx)


def choosing(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command with the options that say which recordings are meant."""
    for option in (
        config_option,
        click.option("--until", type=Moment(), metavar="TIME", help="Those that began before, in UTC."),
        click.option("--since", type=Moment(), metavar="TIME", help="Those that began then or later, in UTC."),
    ):
        function = option(function)
    return function


@contextmanager
def opened_archive(settings: Settings) -> Iterator[Archive]:
    """The archive of the settings, with a database that is up to date.

    :raises FsivrError: the database cannot be used.
    """
    from fsivr.recordings import Archive
    from fsivr.store import Store, first_line, is_gone

    # Nobody waits for this process but itself.
    store = Store(settings.database, connections=32, busy=30.0)
    try:
        store.migrate()
        yield Archive.of(settings, store)
    except Exception as error:
        if not is_gone(error):
            raise
        raise FsivrError(f"the database cannot be used: {first_line(error)}") from None
    finally:
        store.close()
