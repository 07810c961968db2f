"""The archive and the keys of the settings, opened for a command; and who runs it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager

from fsivr.config import Settings, load
from fsivr.errors import ConfigError, FsivrError
from fsivr.recordings import Archive
from fsivr.store import Store, first_line, is_gone
from fsivr.store.address import sqlite_path


@contextmanager
def open_archive(config: str | None, *, create: bool = False) -> Iterator[Archive]:
    """The archive that the settings tell of.

    :param config: the settings file; None for the usual one.
    :param create: whether a database that is not there is made.
    :raises ConfigError: a setting is wrong, or there is no such database.
    :raises FsivrError: the database cannot be used.
    """
    settings = load(config)
    with open_store(settings, create=create) as store:
        yield Archive.of(settings, store)


@contextmanager
def open_store(settings: Settings, *, create: bool = False) -> Iterator[Store]:
    """The database that the settings tell of, up to date.

    :param create: whether one that is not there is made.
    :raises ConfigError: there is no such database, or it is of a newer fsivr.
    :raises FsivrError: it cannot be used.
    """
    path = sqlite_path(settings.database)
    if path is not None and not create and not path.exists():
        raise ConfigError(
            f"there is no database {path}: is this the folder that serves, and the setting database right?"
        )
    store = Store(settings.database)
    try:
        store.migrate()
        with store.connected():
            yield store
    except Exception as error:
        if not is_gone(error):
            raise
        raise FsivrError(f"the database cannot be used: {first_line(error)}") from None
    finally:
        store.close()


def operator() -> str:
    """Who runs the command, for the audit: ``cli:NAME``, as the system knows it and not the environment."""
    try:
        return f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"cli:{os.getuid()}"
