"""The switch's dialplan, made of ours."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from fsivr import ConfigError, Dialplan, Extension, Handler
from fsivr.dialplan_xml import as_xml, stale

SERVERS = ("10.0.0.5:8084", "10.0.0.6:8084")


class Sales(Handler):
    def run(self, call) -> None: ...


class Support(Handler):
    def run(self, call) -> None: ...


def table(*extensions: Extension) -> Dialplan:
    return Dialplan(extensions or [Extension("4100", Sales), Extension(r"42\d{2}", Support)])


def contexts(text: str) -> dict[str, list[ElementTree.Element]]:
    return {context.get("name"): list(context) for context in ElementTree.fromstring(text).iter("context")}


def actions(extension: ElementTree.Element) -> list[tuple[str | None, str | None]]:
    return [(action.get("application"), action.get("data")) for action in extension.iter("action")]


def test_each_number_calls_the_servers_in_order_and_then_the_fallback() -> None:
    first, second = contexts(as_xml(table(), SERVERS))["public"]
    assert actions(first) == [
        ("set", "socket_resume=true"),
        ("socket", "10.0.0.5:8084|10.0.0.6:8084 async full"),
        ("transfer", "fallback XML fsivr"),
    ]
    assert second.find("condition").attrib == {"field": "destination_number", "expression": r"^(?:42\d{2})$"}


@pytest.mark.parametrize("number", ["4100", r"42\d{2}", "1|2", r"<&\">?.*", "[^\"']+"])
def test_the_expression_takes_the_numbers_that_the_extension_takes(number: str) -> None:
    extension = Extension(number, Sales)
    (printed,) = contexts(as_xml(table(extension), SERVERS))["public"]
    expression = printed.find("condition").get("expression")
    for dialled in ("4100", "4242", "1", "2", "12", "42", '<&">x', "a", ""):
        assert bool(re.search(expression, dialled)) == (not extension.why_not(dialled))


def test_a_path_goes_with_each_server() -> None:
    (printed,) = contexts(as_xml(table(Extension("4100", Sales, path="/sales/")), SERVERS))["public"]
    assert actions(printed)[1] == ("socket", "10.0.0.5:8084/sales|10.0.0.6:8084/sales async full")


def test_an_extension_without_a_context_answers_in_each() -> None:
    printed = contexts(
        as_xml(table(Extension("1", Sales, context="office"), Extension("2", Support)), SERVERS, context="carrier")
    )
    numbers = {name: [each.get("name")[0] for each in found] for name, found in printed.items()}
    assert numbers == {"carrier": ["2"], "office": ["1", "2"]}


@pytest.mark.parametrize("number", ["1${x}", "1\n2"])
def test_what_the_switch_would_understand_otherwise_is_refused(number: str) -> None:
    with pytest.raises(ConfigError, match="otherwise"):
        as_xml(table(Extension(number, Sales)), SERVERS)


def test_a_server_is_needed() -> None:
    with pytest.raises(ConfigError, match="at least one server"):
        as_xml(table(), ())


def test_what_the_file_is_made_of_cannot_end_its_comment() -> None:
    assert len(contexts(as_xml(table(), SERVERS, made_of="a--><x/><!--b"))["public"]) == 2


def test_a_file_that_was_just_made_is_not_stale() -> None:
    text = as_xml(table(), SERVERS)
    assert stale(text, text) == []
    assert stale(text.replace("    ", "\t\t"), text) == []


def test_what_is_stale_is_named() -> None:
    old = as_xml(table(Extension("4100", Sales), Extension("4", Sales)), SERVERS)
    new = as_xml(table(Extension("4100", Sales), Extension("5", Support)), SERVERS)
    here = f"{__name__}"
    assert stale(old, new) == [
        f"extension '4 {here}.Sales' of context 'public' is no longer in the dialplan",
        f"extension '5 {here}.Support' of context 'public' is missing",
    ]
    moved = as_xml(table(), ("10.0.0.7:8084",))
    assert len(stale(moved, as_xml(table(), SERVERS))) == 2
    turned = as_xml(table(*reversed(list(table()))), SERVERS)
    assert stale(turned, as_xml(table(), SERVERS)) == [
        "the order of the extensions has changed, and the first that matches answers"
    ]


def test_a_file_that_is_no_xml_is_told() -> None:
    with pytest.raises(ConfigError, match="no XML"):
        stale("<include>", as_xml(table(), SERVERS))
