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


@contextmanager
def opened(site: Site) -> Iterator[Store]:
    """The database, as it is: it is neither made nor brought up to date."""
    path = sqlite_path(site.settings.database)
    if path is not None and not path.exists():
        raise NotLookedAt(f"there is no database {path} yet: 'fsivr serve' makes it")
    store = Store(site.settings.database)
    try:
        yield store
    except ConfigError:
        raise NotLookedAt("the database is of a newer fsivr: see database.schema") from None
    except Exception as failure:
        if not is_gone(failure):
            raise
        raise NotLookedAt("the database cannot be used: see database.reachable") from None
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
    store = Store(site.settings.database)
    try:
        condition(store, site.settings.database)
    except ConfigError:
        pass  # it was reached
    except Exception as failure:
        if not is_gone(failure):
            raise
        said = " ".join(str(failure).split())[:300] or type(failure).__name__
        mend = (
            f"ls -l {path.absolute()}*; df -h" if path else "systemctl status postgresql; pg_isready; see the setting"
        )
        yield error(f"it cannot be used: {said}", mend)
        return
    finally:
        store.close()
    yield ok("a transaction was written")


def _schema(site: Site) -> Iterator[Told]:
    path = sqlite_path(site.settings.database)
    if path is not None and not path.exists():
        raise NotLookedAt(f"there is no database {path} yet: 'fsivr serve' makes it")
    store = Store(site.settings.database)
    try:
        found = condition(store, site.settings.database)
    except ConfigError as newer:
        yield error(str(newer), "pip install --upgrade fsivr")
        return
    except Exception as failure:
        if not is_gone(failure):
            raise
        raise NotLookedAt("the database cannot be used: see database.reachable") from None
    finally:
        store.close()
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
