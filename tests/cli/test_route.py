"""``fsivr route``."""

from __future__ import annotations

import sys

import pytest

DIALPLAN = """
from fsivr import Dialplan, Extension, Handler


class Sales(Handler):
    def run(self, call): ...


class Support(Handler):
    def run(self, call): ...


dialplan = Dialplan(
    [
        Extension("41..", Sales, context="public"),
        Extension("4100", Support, path="support"),
        Extension(r"4\\d+", Support),
    ]
)
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch) -> None:
    (tmp_path / "lines.py").write_text(DIALPLAN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "lines", raising=False)


def test_the_first_that_matches_answers(fsivr) -> None:
    assert fsivr("route", "4100", "--dialplan", "lines:dialplan") == (
        0,
        "  * 41.. context public lines.Sales: answers\n4100 reaches lines.Sales\n",
        "",
    )


def test_each_that_was_looked_at_says_why_not(fsivr) -> None:
    ran = fsivr("route", "4100", "--context", "internal", "--path", "/apps", "--dialplan", "lines:dialplan")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "  - 41.. context public lines.Sales: the context is not public",
        "  - 4100 path support lines.Support: the socket path is not support",
        "  * 4\\d+ lines.Support: answers",
        "4100 reaches lines.Support",
    ]


def test_a_number_that_nothing_answers_is_a_failure(fsivr) -> None:
    ran = fsivr("route", "[bold]9", "--dialplan", "lines:dialplan")
    assert ran.code == 1
    assert ran.out.splitlines()[-1] == "[bold]9 reaches nothing in lines:dialplan"
    assert ran.out.count("the number is not") == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (", "could not be loaded: SyntaxError: "),
        ("import nowhere_at_all", "could not be loaded: No module named 'nowhere_at_all'"),
        ("1 / 0", "could not be loaded: ZeroDivisionError: division by zero"),
        ("dialplan = []", "should be a Dialplan; it is a list"),
        ("", "should be a Dialplan; it is nothing"),
        ("from fsivr import *\ndialplan = Dialplan([Extension('(', Handler)])", "is no regular expression"),
    ],
)
def test_a_dialplan_that_cannot_be_loaded_is_told(fsivr, tmp_path, monkeypatch, text: str, said: str) -> None:
    (tmp_path / "broken.py").write_text(text)
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    ran = fsivr("route", "1", "--dialplan", "broken:dialplan")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
