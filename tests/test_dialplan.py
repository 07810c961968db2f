"""Which handler answers which number, and why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsivr import Call, ConfigError, Dialplan, Extension, Handler
from fsivr.dialplan import load_dialplan


class First(Handler):
    def run(self, call: Call) -> None: ...


class Second(First): ...


class Third(First): ...


class Legacy:
    """What greenswitch would construct with a session."""

    def __init__(self, session: Any) -> None: ...

    def run(self) -> None: ...


@pytest.mark.parametrize(
    ("expression", "number", "matches"),
    [
        ("4100", "4100", True),
        ("4100", "41000", False),
        ("4100", "04100", False),
        ("4100", "4100\n", False),
        ("41..", "4199", True),
        ("41..", "419", False),
        (r"4\d+", "4", False),
        (r"4\d+", "41234", True),
        (r"4\d+", "4\u0661", False),  # a digit of another script is none that can be dialled
        (r"\+49.*", "+4930123", True),
        (r"4100|4200", "4200", True),
        (r"4100|4200", "41004200", False),
        (r".*", "", True),
        (r"^4100$", "4100", True),
    ],
)
def test_an_expression_matches_the_whole_number(expression: str, number: str, matches: bool) -> None:
    found = Dialplan([Extension(expression, First)]).match(number)
    assert (found is not None) == matches


@pytest.mark.parametrize(
    ("context", "path", "call", "matches"),
    [
        (None, None, ("public", "sales"), True),
        ("public", None, ("public", ""), True),
        ("public", None, ("default", ""), False),
        ("public", None, ("publicity", ""), False),
        ("", None, ("", ""), True),
        ("", None, ("public", ""), False),
        (None, "sales", ("public", "sales"), True),
        (None, "/sales/", ("public", "sales"), True),
        (None, "sales", ("public", "/sales"), True),
        (None, "sales", ("public", "sales/eu"), False),
        (None, "sales", ("public", ""), False),
        ("public", "sales", ("public", "sales"), True),
        ("public", "sales", ("default", "sales"), False),
    ],
)
def test_context_and_path(context: str | None, path: str | None, call: tuple[str, str], matches: bool) -> None:
    found = Dialplan([Extension("4100", First, context=context, path=path)]).match("4100", *call)
    assert (found is not None) == matches


def test_the_first_match_answers() -> None:
    table = [Extension("41..", First), Extension("4100", Second), Extension(".*", Third)]
    found = Dialplan(table).match("4100")
    assert found is not None
    assert found.handler is First
    reverse = Dialplan(reversed(table)).match("4100")
    assert reverse is not None
    assert reverse.handler is Third


def test_no_match() -> None:
    assert Dialplan().match("4100") is None
    assert Dialplan([Extension("4100", First)]).match("4200") is None


def test_why() -> None:
    table = [
        Extension("4200", First),
        Extension("4100", First, context="default"),
        Extension("4100", Second, path="/sales"),
        Extension("4100", Third),
        Extension(".*", First),
    ]
    looked_at = Dialplan(table).explain("4100", "public", "support")
    assert looked_at == [
        (table[0], "the number is not 4200"),
        (table[1], "the context is not default"),
        (table[2], "the socket path is not sales"),
        (table[3], ""),
    ]
    assert len(Dialplan(table[:3]).explain("4100")) == 3


@given(number=st.text(max_size=300), context=st.text(max_size=20), path=st.text(max_size=20))
def test_any_number_is_matched_or_not(number: str, context: str, path: str) -> None:
    dialplan = Dialplan([Extension(r"4\d{3}", First), Extension(r"\+?[0-9]+", Second, context="public")])
    found = dialplan.match(number, context, path)
    explained = dialplan.explain(number, context, path)
    assert (explained[-1][1] == "") == (found is not None)
    if found is not None:
        assert explained[-1][0] is found


def test_a_number_of_endless_length_costs_nothing() -> None:
    """A caller chooses it, and a pattern's work grows with it."""
    assert Dialplan([Extension(r"(4+)+", First)]).match("4" * 10_000 + "x") is None


def test_the_table_can_be_read() -> None:
    table = [Extension("1", First), Extension("2", Second)]
    dialplan = Dialplan(table)
    assert list(dialplan) == table
    assert len(dialplan) == 2
    assert Extension("1", First) == Extension("1", First)
    assert Extension("1", First) != Extension("1", Second)
    assert "First" in repr(table[0])


def test_a_class_for_greenswitch_can_stand_in_it() -> None:
    found = Dialplan([Extension("1", Legacy)]).match("1")
    assert found is not None
    assert found.handler is Legacy


# -- what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize("number", ["(", "[4", "*", 4100, None])
def test_an_expression_that_is_none(number: Any) -> None:
    with pytest.raises(ConfigError, match="no regular expression"):
        Extension(number, First)


@pytest.mark.parametrize("handler", [None, "First", First(), object, Dialplan, lambda call: None])
def test_a_handler_that_is_none(handler: Any) -> None:
    with pytest.raises(ConfigError, match="'4100' needs a handler"):
        Extension("4100", handler)


@pytest.mark.parametrize("entry", ["4100", First, None, ("4100", First)])
def test_an_entry_that_is_no_extension(entry: Any) -> None:
    with pytest.raises(ConfigError, match="holds extensions"):
        Dialplan([entry])


def test_an_extension_that_could_never_answer() -> None:
    with pytest.raises(ConfigError, match=r"'4100' .* twice"):
        Dialplan([Extension("4100", First), Extension("4100", Second)])
    Dialplan([Extension("4100", First, context="a"), Extension("4100", Second)])  # this one could


# -- loading ---------------------------------------------------------------------------------


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty module ``dialplan_of_a_test`` in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    known = set(sys.modules)
    yield tmp_path / "dialplan_of_a_test.py"
    for name in set(sys.modules) - known:
        del sys.modules[name]


GOOD = """
from fsivr import Dialplan, Extension, Handler
class One(Handler):
    def run(self, call): ...
dialplan = Dialplan([Extension("1", One)])
number = 1
"""


def test_it_is_loaded_from_the_current_folder(module: Path) -> None:
    module.write_text(GOOD)
    found = load_dialplan("dialplan_of_a_test:dialplan").match("1")
    assert found is not None
    assert found.handler.__name__ == "One"


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (GOOD, "dialplan_of_a_test", "named as 'module:name'"),
        (GOOD, "dialplan_of_a_test:", "named as 'module:name'"),
        (GOOD, ":dialplan", "named as 'module:name'"),
        (GOOD, "dialplan_of_a_test.py:dialplan", "no.*dialplan_of_a_test.py"),
        (GOOD, "../dialplan_of_a_test:dialplan", "named as 'module:name'"),
        (GOOD, "no_such_module_here:dialplan", "there is no 'no_such_module_here'"),
        (GOOD, "dialplan_of_a_test:nothing", "'nothing' .*should be a Dialplan; it is nothing"),
        (GOOD, "dialplan_of_a_test:number", "should be a Dialplan; it is a int"),
        (GOOD, "dialplan_of_a_test:One", "should be a Dialplan; it is a "),
        ("import no_such_module_here", "dialplan_of_a_test:dialplan", "could not be loaded.*no_such_module_here"),
        ("this is no python", "dialplan_of_a_test:dialplan", "could not be loaded: SyntaxError"),
        ("1 / 0", "dialplan_of_a_test:dialplan", "could not be loaded: ZeroDivisionError"),
    ],
)
def test_what_cannot_be_loaded(module: Path, text: str, where: str, message: str) -> None:
    module.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_dialplan(where)
