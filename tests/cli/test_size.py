"""``fsivr size``."""

from __future__ import annotations

import json


def test_it_says_what_is_needed_and_why_it_differs(fsivr) -> None:
    code, out, err = fsivr("size", "--ports", "240", "--codec", "pcmu", "--hours", "10", "--retention", "90")
    assert (code, err) == (0, "")
    assert "6 cores, 32 GiB, class XL" in out
    assert "6 cores, 32 GB, L, for up to 240 ports" in out
    assert "57.6 MB mono, 115.2 MB stereo; published: 90 MB" in out
    assert "12.4 TB, of 90 days: have a disk of 15.6 TB" in out


def test_a_link_that_is_too_slow_is_told(fsivr) -> None:
    assert "more than a day has: take a faster link" in fsivr("size", "--link", "0.5")[1]


def test_the_figures_for_programs(fsivr) -> None:
    figures = json.loads(fsivr("size", "--ports", "30", "--json")[1])
    assert figures["published"]["published"] == "1-2 cores, 4 GB, S-M"
    assert figures["hour"] == 30 * 57_600_000


def test_what_cannot_be_is_refused(fsivr) -> None:
    assert fsivr("size", "--ports", "0") == (
        2,
        "",
        "fsivr: ports is from 1 to 100000, not 0 ('fsivr size --help' tells more)\n",
    )
