"""Every check has an end, is told of, and gives no secret away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from fsivr.config import Settings
from fsivr.doctor.checks import AREAS, CHECKS
from fsivr.doctor.examining import _GRACE, HIDDEN, examine
from fsivr.doctor.finding import Check, Level, NotLookedAt, Told, error, ok
from fsivr.doctor.site import Site

DOCS = (Path(__file__).parent.parent.parent / "docs/doctor.md").read_text()


def look(*checks: Check, **settings: object) -> list[tuple[str, Level, str]]:
    site = Site(Settings.defaults(**settings))
    return [(each.check, each.level, each.what) for each in examine(site, checks)]


def fails(site: Site) -> Iterator[Told]:
    yield ok("so far")
    raise KeyError("S3cret")


def hangs(site: Site) -> Iterator[Told]:
    yield ok("so far")
    gevent.sleep(60)


def blocks(site: Site) -> Iterator[Told]:
    from gevent.monkey import get_original

    yield ok("so far")
    get_original("time", "sleep")(2)


def cannot(site: Site) -> Iterator[Told]:
    raise NotLookedAt("there is none")
    yield ok("never")


def test_a_check_that_fails_is_a_finding_without_the_errors_text() -> None:
    told = look(Check("a", "b", fails, "why"), Check("a", "c", fails, "why", threaded=True))
    assert [each[:2] for each in told] == [("b", Level.OK), ("b", Level.ERROR), ("c", Level.OK), ("c", Level.ERROR)]
    assert re.fullmatch(r"the check itself failed with KeyError \(test_examining.py:\d+\)", told[1][2])
    assert told[3][2] == told[1][2]


@pytest.mark.parametrize(("hang", "threaded"), [(hangs, False), (blocks, True)])
def test_a_check_that_hangs_ends_and_what_it_told_is_kept(hang, threaded: bool) -> None:
    told = look(Check("a", "b", hang, "why", threaded=threaded, deadline=0.05), Check("a", "c", cannot, "why"))
    assert told == [
        ("b", Level.OK, "so far"),
        ("b", Level.ERROR, "it had not ended after 0.05 s"),
        ("c", Level.SKIPPED, "there is none"),
    ]


def test_what_this_user_may_not_see_is_skipped() -> None:
    def refused(site: Site) -> Iterator[Told]:
        raise PermissionError(13, "Permission denied", "/etc/fsivr/tls.key")
        yield ok("never")

    assert look(Check("a", "b", refused, "why")) == [
        ("b", Level.SKIPPED, "/etc/fsivr/tls.key may not be looked at by this user")
    ]


def test_all_run_at_the_same_time() -> None:
    waiting: list[str] = []

    def meets(site: Site) -> Iterator[Told]:
        waiting.append("")
        while len(waiting) < 20:
            gevent.sleep(0.001)
        yield ok("met")

    assert {each[2] for each in look(*(Check("a", str(n), meets, "why") for n in range(20)))} == {"met"}


def test_a_check_that_tells_nothing_did_not_look() -> None:
    assert look(Check("a", "b", lambda site: [], "why")) == [("b", Level.SKIPPED, "there was nothing to look at")]


def test_no_finding_holds_a_secret() -> None:
    def tells(site: Site) -> Iterator[Told]:
        yield error(f"it is {site.settings.switch_password}", f"not {site.settings.switch_password}")

    site = Site(Settings.defaults(switch_password="S3cret-of-tests"))
    (found,) = examine(site, [Check("a", "b", tells, "why")])
    assert (found.what, found.mend, found.why) == (f"it is {HIDDEN}", f"not {HIDDEN}", "why")


def test_wrong_settings_are_told_and_the_rest_is_skipped() -> None:
    site = Site(None, wrong="there is no setting prots\nsetting ports is 0")
    found = {each.check: each for each in examine(site, [each for each in CHECKS if each.area == "settings"])}
    assert [found["valid"].level, found["dialplan"].level] == [Level.ERROR, Level.SKIPPED]
    assert found["dialplan"].what == "the settings are wrong: see settings.valid"
    skipped = examine(site, [each for each in CHECKS if each.area in ("switch", "database", "targets", "recordings")])
    assert {each.level for each in skipped} == {Level.SKIPPED}


def test_each_check_is_in_the_document_and_no_other() -> None:
    assert re.findall(r"^\| `([a-z]+\.[a-z-]+)` \|", DOCS, re.M) == [check.whole_name for check in CHECKS]
    assert re.findall(r"^## ([a-z]+)$", DOCS, re.M) == list(AREAS)
    assert len({check.whole_name for check in CHECKS}) == len(CHECKS)


def test_the_document_says_how_long_it_takes_at_most() -> None:
    longest = max(check.deadline for check in CHECKS)
    assert longest + _GRACE <= 45
    assert "no longer than 45 seconds" in DOCS


def test_it_ends_where_a_switch_takes_connections_and_says_nothing() -> None:
    with gevent.socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        site = Site(Settings.defaults(switch_address=address, reply_timeout=0.1))
        found = {each.check: each for each in examine(site, [each for each in CHECKS if each.area == "switch"])}
        site.close()
    assert found["reachable"].level is Level.ERROR
    assert "did not greet like an event socket" in found["reachable"].what
    assert {each.level for name, each in found.items() if name != "reachable"} == {Level.SKIPPED}


def test_an_error_of_a_disk_is_raised_here_and_printed_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    site = Site(Settings.defaults())
    assert site.on_disk(len, "four") == 4
    with pytest.raises(FileNotFoundError):
        site.on_disk(open, "/no/such/file")
    assert capfd.readouterr().err == ""
