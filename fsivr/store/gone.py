"""Whether an error says that the database cannot be used now."""

from __future__ import annotations

from peewee import DatabaseError, DataError, IntegrityError, InterfaceError
from playhouse.pool import MaxConnectionsExceeded


def is_gone(error: BaseException) -> bool:
    """Whether the database is away, locked, full or broken; not where it refused what was asked."""
    if isinstance(error, (InterfaceError, MaxConnectionsExceeded)):
        return True
    return isinstance(error, DatabaseError) and not isinstance(error, (DataError, IntegrityError))
