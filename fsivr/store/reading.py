"""A store opened to be read, with one clear error where that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from peewee import PeeweeException

from fsivr.errors import StoreError
from fsivr.store.address import sqlite_path
from fsivr.store.gone import first_line
from fsivr.store.migrations import NEWEST, version
from fsivr.store.store import Store


@contextmanager
def opened(address: str) -> Iterator[Store]:
    """The store, for a ``with`` block; it is made by nobody but a server.

    :param address: a value of the setting ``database``.
    :raises StoreError: it is not there, not up to date, or cannot be reached.
    :raises ConfigError: it is newer than this fsivr, or its driver is not installed.
    """
    path = sqlite_path(address)
    if path is not None and not path.is_file():
        raise StoreError(f"there is no database {path} yet: 'fsivr serve' makes it; see the setting database")
    store = Store(address)
    try:
        if version(store.database) < NEWEST:
            raise StoreError("the database is not up to date: start 'fsivr serve' with it once")
        yield store
    except PeeweeException as error:
        raise StoreError(f"the database cannot be read: {first_line(error)}") from None
    finally:
        store.close()
