"""The database: reached, up to date, and quick enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, warning
from fsivr.doctor.site import Site
from fsivr.errors import ConfigError
from fsivr.store import Store, is_gone
from fsivr.store.address import sqlite_path
from fsivr.store.condition import Condition, condition

_SLOW, _SLOWER = 0.1, 1.0
_GB = 1e9
_LARGE = 50 * _GB


class _Gone(NotLookedAt):
    """It cannot be used; the cause says why."""


class _Newer(NotLookedAt):
    """It is of a newer fsivr; the cause says so."""


@contextmanager
def opened(site: Site) -> Iterator[Store]:
    """The database, as it is: it is neither made nor brought up to date.

    :raises NotLookedAt: there is none, it cannot be used, or it is of a newer fsivr.
    """
    path = sqlite_path(site.settings.database)
    if path is not None and not path.exists():
        raise NotLookedAt(f"there is no database {path} yet: 'fsivr serve' makes it")
    store = Store(site.settings.database)
    try:
        yield store
    except ConfigError as newer:
        raise _Newer("the database is of a newer fsivr: see database.schema") from newer
    except Exception as failure:
        if not is_gone(failure):
            raise
        raise _Gone("the database cannot be used: see database.reachable") from failure
    finally:
        store.close()


def _condition(site: Site) -> Condition:
    with opened(site) as store:
        return condition(store, site.settings.database)


def _reachable(site: Site) -> Iterator[Told]:
    path = sqlite_path(site.settings.database)
    if path is not None and not path.exists():
        yield note(f"there is no file {path.absolute()} yet", "fsivr serve makes it; is this the folder that serves?")
        return
    try:
        _condition(site)
    except _Newer:
        yield ok("it is reached")
    except _Gone as gone:
        said = " ".join(str(gone.__cause__).split())[:300] or type(gone.__cause__).__name__
        mend = (
            f"ls -l {path.absolute()}*; df -h" if path else "systemctl status postgresql; pg_isready; see the setting"
        )
        yield error(f"it cannot be used: {said}", mend)
    else:
        yield ok("it is reached, and can be written")


def _schema(site: Site) -> Iterator[Told]:
    try:
        found = _condition(site)
    except _Newer as newer:
        yield error(str(newer.__cause__), "pip install --upgrade fsivr")
        return
    if found.schema < found.newest:
        yield warning(f"it has had {found.schema} of {found.newest} steps", "fsivr serve, which brings it up to date")
    else:
        yield ok(f"all {found.newest} steps are done")


def _size(site: Site) -> Iterator[Told]:
    size = _condition(site).bytes
    said = f"it takes {size / _GB:.2f} GB"
    yield note(said, "PostgreSQL for several nodes, or an older part put away") if size > _LARGE else ok(said)


def _writing(site: Site) -> Iterator[Told]:
    seconds = _condition(site).writing
    if seconds is None:
        raise NotLookedAt("it has no tables yet: 'fsivr serve' makes them")
    said = f"the slowest of a few transactions took {seconds * 1000:.1f} ms"
    mend = "look for what keeps the disk or the database busy: iostat -x 1; SELECT * FROM pg_stat_activity"
    yield error(said, mend) if seconds > _SLOWER else warning(said, mend) if seconds > _SLOW else ok(said)


def ahead(site: Site) -> float:
    """The seconds that the database's clock is ahead of this machine's."""
    found = _condition(site).ahead
    if found is None:
        raise NotLookedAt("a file has no clock")
    return found


AREA = "database"
CHECKS = (
    Check(AREA, "reachable", _reachable, "what happens while it is away is kept only as far as memory goes", True),
    Check(AREA, "schema", _schema, "an older fsivr does not write into a newer database", True),
    Check(AREA, "size", _size, "a large database is slow to search and to save", True),
    Check(AREA, "writing", _writing, "rows that wait too long are dropped", True),
)
