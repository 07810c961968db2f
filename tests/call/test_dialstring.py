"""Dial strings: read back by FreeSWITCH's rules, they hold what was put in and nothing else."""

from __future__ import annotations

import pytest

from fsivr.call.dialstring import carried, dial_string
from tests.call.conversations import HOSTILE, IDS
from tests.call.dialstrings import read


@pytest.mark.parametrize("text", [*HOSTILE, "a=b=c", "", "tone_stream://%(200,100,440,480);loops=-1"])
def test_a_value_arrives_as_it_is_or_is_refused(text: str) -> None:
    if not carried(text):
        with pytest.raises(ValueError, match="cannot carry the value of note"):
            dial_string("user/agent", {"note": text, "last": "1"})
        return
    [leg] = read(dial_string("user/agent", {"first": "1", "note": text, "last": "1"}))
    assert leg == ("user/agent", {"first": "1", "note": text, "last": "1"})


def test_what_is_carried() -> None:
    assert [text for text in HOSTILE if carried(text)] == [
        'say "hi"', "a,b", "a!b", "a|b", "a b", "%0a", "%0AEvent-Name: X", "%41", "[x=y]a", "<x=y>a", "a;b=c",
        "^^:a:b", "a&b", "`id`", "é", "\N{PILE OF POO}",
    ]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_a_name_or_a_destination_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a variable's name"):
        dial_string("user/agent", {text + " ": "1"})
    with pytest.raises(ValueError, match="a destination is one endpoint"):
        dial_string(f"user/{text}|", {})


def test_a_splitting_at_blanks_before_it_changes_nothing() -> None:
    """As ``api originate '{…}user/x' …``."""
    from tests.esl.switch_rules import separate

    whole = dial_string("user/x", {"name": "Smith, John", "note": "a b"})
    first, rest = separate(f"'{whole}' &park()")
    assert rest == "&park()"
    assert read(first) == [("user/x", {"name": "Smith, John", "note": "a b"})]
