"""Examining: every check side by side, each with an end of its own."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gevent
from gevent.threadpool import ThreadPool

from fsivr.doctor.finding import Check, Finding, Level, NotLookedAt, Told, error, skipped
from fsivr.doctor.site import Site

#: What stands in place of a secret.
HIDDEN = "********"
# Shorter ones would be found in every line.
_SHORTEST_SECRET = 4
# Seconds that a check which took too long has to put away what it made.
_GRACE = 3.0
_THREADS = 32


def examine(site: Site, checks: Sequence[Check]) -> list[Finding]:
    """What the checks found, in their order.

    All run at the same time, so that it takes as long as the slowest, which has a deadline.
    Nothing is raised: a check that fails is a finding itself.
    """
    threads = ThreadPool(_THREADS)
    running = [gevent.spawn(_told, site, check, threads) for check in checks]
    gevent.joinall(running)
    return [_finding(site, check, told) for check, each in zip(checks, running, strict=True) for told in each.get()]


def _told(site: Site, check: Check, threads: ThreadPool) -> list[Told]:
    told: list[Told] = []
    look = threads.spawn if check.threaded else gevent.spawn
    looking: Any = look(_look, site, check, told)
    try:
        looking.get(timeout=check.deadline)
    except gevent.Timeout:
        # What it had told until then is kept; a thread cannot be ended, and is left behind.
        told = [*told, error(f"it had not ended after {check.deadline:g} s", "see what hangs there")]
        if not check.threaded:
            looking.kill(timeout=_GRACE)
    except BaseException as failure:
        told.append(_failed(failure))
    return told or [skipped("there was nothing to look at")]


def _look(site: Site, check: Check, told: list[Told]) -> None:
    try:
        for one in check.look(site):
            told.append(one)
    except NotLookedAt as why:
        told.append(skipped(str(why)))
    except PermissionError as refused:
        told.append(skipped(f"{refused.filename or 'something'} may not be looked at by this user"))
    except Exception as failure:
        told.append(_failed(failure))


def _failed(failure: BaseException) -> Told:
    """A fault of the check itself: its class and place, and not its text, which may hold anything."""
    frames = traceback.extract_tb(failure.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return error(f"the check itself failed with {type(failure).__name__}{place}", "tell those who make fsivr")


def _finding(site: Site, check: Check, told: Told) -> Finding:
    why = "" if told.level is Level.OK else check.why
    secrets = sorted((each for each in site.secrets if len(each) >= _SHORTEST_SECRET), key=len, reverse=True)
    what, mend = (_without(text, secrets) for text in (told.what, told.mend))
    return Finding(check.area, check.name, told.level, what, why, mend)


def _without(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def counts(findings: Sequence[Finding]) -> Iterator[tuple[Level, int]]:
    """How many findings there are of each level."""
    for level in Level:
        yield level, sum(each.level is level for each in findings)
