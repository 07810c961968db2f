"""FreeSWITCH's quoting, and its lossy percent-encoding."""

from __future__ import annotations

import pytest

from fsivr.simulator.api import run
from fsivr.simulator.tokens import expand, separate
from fsivr.simulator.wire import quote
from tests.simulator.app import App, Wire


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("u name value", ["u", "name", "value"]),
        ("u name two words", ["u", "name", "two words"]),
        ("u name 'two  words '", ["u", "name", "two  words "]),
        (r"u name 'it\'s'", ["u", "name", "it's"]),
        (r"u name a\nb", ["u", "name", "a\nb"]),
        (r"u name a\\b", ["u", "name", r"a\b"]),
        ("u name it's", ["u", "name", "it's"]),
        ("u name", ["u", "name"]),
        ("u  name   value  ", ["u", "name", "value"]),
        ("^^:u:na me:v", ["u", "na me", "v"]),
        ("", []),
    ],
)
def test_words(text: str, parts: list[str]) -> None:
    assert separate(text, " ", 3) == parts


def test_several_variables() -> None:
    assert separate("a=1;b='x;y';c=", ";", 64) == ["a=1", "b=x;y", "c="]


def test_expansion() -> None:
    assert expand("a${x}b${nope}c$${y}", {"x": "1"}.get) == "a1bc"
    assert expand(r"\d{4}$", {}.get) == r"\d{4}$"


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("%41%2B", b"%41%2B"),  # passed through: the loss of FACTS 1.7
        ("%2b", b"%252b"),
        ("%zz", b"%25zz"),
        ("a b+c", b"a%20b%2Bc"),
        ("žluť☎", b"%C5%BElu%C5%A5%E2%98%8E"),
        ("Mon, 1/2!*'()$~_-.", b"Mon,%201/2!*'()$~_-."),
        ("\udcff", b"%FF"),
    ],
)
def test_values_are_encoded_as_the_switch_does(value: str, encoded: bytes) -> None:
    assert quote(value) == encoded


def test_variables_are_set_and_read_through_the_api() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        uuid = wire.until(lambda frame: frame.get("Unique-ID")).get("Unique-ID")
        for command, answer in (
            (f"uuid_setvar {uuid} a 'it\\'s  here'", "+OK\n"),
            (f"uuid_getvar {uuid} a", "it's  here"),
            (f"uuid_setvar_multi {uuid} b=1;c=2", "+OK\n"),
            (f"uuid_getvar {uuid} c", "2"),
            (f"uuid_setvar {uuid} a", "+OK\n"),
            (f"uuid_getvar {uuid} a", "_undef_"),
            ("uuid_setvar nobody a b", "-ERR No such channel!\n"),
            (f"uuid_exists {uuid}", "true"),
            ("uuid_exists nobody", "false"),
        ):
            wire.send(f"api {command}")
            while (said := wire.reply()).startswith(("+OK will", "+OK Events", "+OK event")):
                pass
            assert said == answer, command
        wire.send("sendmsg\ncall-command: hangup")

    with App(script) as app, app.switch.call("1") as caller:
        assert run(app.switch, "nosuch", "") == "-ERR nosuch Command not found!\n"
        caller.join()
