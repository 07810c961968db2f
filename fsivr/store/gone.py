"""Whether an error says that the database cannot be used now."""

from __future__ import annotations

from playhouse.pool import MaxConnectionsExceeded

# PEP 249's names: peewee's errors have them, and so have a driver's own, of what was written past peewee.
_GONE = frozenset({"InterfaceError", "DatabaseError"})
_REFUSED = frozenset({"DataError", "IntegrityError"})


def is_gone(error: BaseException) -> bool:
    """Whether the database is away, locked, full or broken; not where it refused what was asked."""
    if isinstance(error, MaxConnectionsExceeded):
        return True
    names = {kind.__name__ for kind in type(error).__mro__}
    return not names.isdisjoint(_GONE) and names.isdisjoint(_REFUSED)


def first_line(error: BaseException) -> str:
    """What an error says in its first line, its name where it says nothing: a driver's has no password there."""
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__
