"""Prompts: what a handler means, what goes to the switch, and the way back."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsivr import File, Say, Silence, Speak, Tone
from fsivr.prompts import Prompt, PromptLibrary, prompt
from tests.esl.switch_rules import expansions

LIBRARY = PromptLibrary()


def _is_spoken(text: str) -> bool:
    try:
        return Speak(text).text == text
    except ValueError:
        return False


FILES = st.from_regex(r"[a-z0-9_-]{1,8}(/[A-Za-z0-9_+=@~-]{1,8}){0,3}", fullmatch=True)
PLAYED = st.one_of(
    FILES.map(File),
    st.integers(1, 3_600_000).map(lambda milliseconds: Silence(milliseconds / 1000)),
    st.sampled_from(["%(200,100,440)", "%(200,100,440,480);loops=2", "v=-7;%(100,0,941.0,1477.0)"]).map(Tone),
)
PROMPTS = st.one_of(
    PLAYED,
    st.integers(0, 10**9 - 1).map(Say.number),
    st.integers(1, 10**9 - 1).map(Say.ordinal),
    st.from_regex(r"[a-zA-Z0-9@.]( ?[a-zA-Z0-9.@_-]){0,9}", fullmatch=True).map(Say.spelled),
    st.integers(0, 10**7).map(Say.duration),
    st.dates(date(1970, 1, 1)).map(Say.date),
    st.datetimes(datetime(1971, 1, 1), timezones=st.just(UTC)).map(Say.date),
    st.datetimes(datetime(1971, 1, 1), timezones=st.timezones()).map(Say.time),
    st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.timezones()).map(Say.date_time),
    st.from_regex(r"[A-Za-z](.?[a-z?!,'é]){0,30}", fullmatch=True).filter(_is_spoken).map(Speak),
    st.from_regex(r"[0-9]{1,20}", fullmatch=True).map(Say.digits),
    st.decimals(1 - 10**9, 10**9 - 1, places=2).map(Say.currency),
)

#: Text as a caller, a database or a mistake may hold it.
HOSTILE = [
    "a\nb", "a\rb", "a\0b", "a\n\nexit", "${system(id)}", "$${x}", "\\${x}", "it's", 'say "hi"', "a,b", "a!b", "a b",
    "a|b", "{x=y}a", "[x=y]a", "<a>b", "^^:a:b", "a;b", "a&b", "`id`", "%0a", "a%0Ab", "a:b", "file_string://a",
    "shell_stream://id", "http://example.com/a", "a\u2028b", "a\x85b", "é", "\N{PILE OF POO}", "\ud800", "",
    " ", "..", "../../etc/passwd", "a/../b", "/..", "a\n",
]  # fmt: skip


# -- what a handler means --------------------------------------------------------------------


def test_a_str_is_a_file_and_an_int_a_number() -> None:
    assert prompt("bank/welcome") == File("bank/welcome")
    assert prompt(42) == Say.number(42)
    assert prompt(Silence(1)) == Silence(1)


@pytest.mark.parametrize("value", [None, 1.5, True, b"a", ["a"], object()])
def test_what_is_no_prompt(value: Any) -> None:
    with pytest.raises(ValueError, match="a prompt is"):
        prompt(value)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_no_file(text: str) -> None:
    with pytest.raises(ValueError, match="a prompt's name has"):
        prompt(text)
    with pytest.raises(ValueError, match="a prompt's name has"):
        File(text)


@given(st.text())
def test_no_text_becomes_more_than_a_name(text: str) -> None:
    try:
        name = LIBRARY.file(File(text))
    except ValueError:
        return
    assert re.fullmatch(r"[A-Za-z0-9_/.+=@~-]+", name)
    assert ".." not in name.split("/")


@pytest.mark.parametrize("text", [one for one in HOSTILE if re.search("[\r\n\0${}<>|'\"!^&`\\[\u2028\x85\ud800]", one)])
def test_hostile_text_is_not_said(text: str) -> None:
    for make in (lambda: Say("NAME_SPELLED", "PRONOUNCED", text), lambda: Say.digits(text), lambda: Tone(text)):
        with pytest.raises(ValueError, match=r"Say|tone"):
            make()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="two decimals"):
        Say.currency(text)


@pytest.mark.parametrize(
    ("kind", "method"), [("NUMBER x", "PRONOUNCED"), ("NUMBER", "a b"), ("", "PRONOUNCED"), ("${x}", "A")]
)
def test_the_kind_of_a_value_is_a_word(kind: str, method: str) -> None:
    with pytest.raises(ValueError, match="Say"):
        Say(kind, method, "1")


@given(PROMPTS)
def test_nothing_is_expanded(one: Prompt) -> None:
    _, argument = LIBRARY.application(one)
    assert expansions(argument) == []
    assert not re.search("[\r\n\0]", argument)


def test_currency() -> None:
    assert LIBRARY.application(Say.currency(4200)) == ("say", "en CURRENCY PRONOUNCED 4200.00")
    assert LIBRARY.application(Say.currency("42.5")) == ("say", "en CURRENCY PRONOUNCED 42.50")
    assert LIBRARY.application(Say.currency(Decimal("-0.05"))) == ("say", "en CURRENCY PRONOUNCED -0.05")


@pytest.mark.parametrize(
    "value",
    [
        "4.255",
        "NaN",
        "inf",
        "-Infinity",
        "1e9",
        "-1e9",
        "1e999999",
        Decimal("1e30"),
        Decimal("sNaN"),
        None,
        [],
        "4,2",
        "٤٢.٥٥٥",
    ],
)
def test_what_is_no_amount(value: Any) -> None:
    with pytest.raises(ValueError, match="two decimals"):
        Say.currency(value)


@pytest.mark.parametrize("value", [1.0, "1", None, True, Decimal(1), -1, 10**9, 10**100])
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(ValueError, match="whole number"):
        Say.number(value)


@pytest.mark.parametrize("value", [-1, "12a", "", "1 2", "\u0661", None, "1" * 128])
def test_what_are_no_digits(value: Any) -> None:
    with pytest.raises(ValueError, match="digits"):
        Say.digits(value)


@pytest.mark.parametrize("seconds", [0, -1, 0.0001, 3601, math.nan, math.inf])
def test_what_is_no_silence(seconds: float) -> None:
    with pytest.raises(ValueError, match="Silence takes seconds"):
        Silence(seconds)


def test_a_silence_is_never_endless() -> None:
    """``silence_stream://0`` and ``-1`` do not end by themselves."""
    for seconds in (0.001, 0.0015, 0.5, 3600):
        assert int(LIBRARY.file(Silence(seconds)).removeprefix("silence_stream://")) >= 1


# -- what goes to the switch -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "application", "argument"),
    [
        (File("bank/welcome"), "playback", "bank/welcome.wav"),
        (File("bank/welcome.mp3"), "playback", "bank/welcome.mp3"),
        (File("v1.2/welcome"), "playback", "v1.2/welcome.wav"),
        (File("/var/prompts/a"), "playback", "/var/prompts/a.wav"),
        (Say.number(7), "say", "en NUMBER PRONOUNCED 7"),
        (Say.spelled("John Smith"), "say", "en NAME_SPELLED PRONOUNCED 'John Smith'"),
        (Speak("Hello.", voice="kal"), "speak", "flite|kal|Hello."),
        (Say.digits("007"), "say", "en NUMBER ITERATED 007"),
        (Silence(2), "playback", "silence_stream://2000"),
        (Tone("%(200,0,800)"), "playback", "tone_stream://%(200,0,800)"),
    ],
)
def test_applications(one: Prompt, application: str, argument: str) -> None:
    assert LIBRARY.application(one) == (application, argument)


def test_a_library_of_its_own() -> None:
    library = PromptLibrary(path="/srv/prompts/", extension=".ulaw", language="de")
    assert library.application(File("a/b")) == ("playback", "/srv/prompts/a/b.ulaw")
    assert library.application(File("/a/b")) == ("playback", "/a/b.ulaw")
    assert library.application(Say.number(1)) == ("say", "de NUMBER PRONOUNCED 1")
    assert PromptLibrary(extension="").application(File("a")) == ("playback", "a")


def test_file_strings() -> None:
    assert LIBRARY.file_string([File("a")]) == "a.wav"
    assert LIBRARY.file_string([File("a"), Silence(1), File("b")]) == "file_string://a.wav!silence_stream://1000!b.wav"
    with pytest.raises(ValueError, match="no file"):
        LIBRARY.file_string([File("a"), Say.number(1)])


# -- and back ------------------------------------------------------------------------------------


@given(PROMPTS)
def test_what_was_sent_is_read_back(one: Prompt) -> None:
    assert LIBRARY.read(*LIBRARY.application(one)) == [one]


@given(st.lists(PLAYED, min_size=1, max_size=5))
def test_several_are_read_back(several: list[Prompt]) -> None:
    assert LIBRARY.read("play_and_get_digits", LIBRARY.file_string(several)) == several


@given(FILES)
def test_a_path_is_read_back(name: str) -> None:
    library = PromptLibrary(path="/srv/prompts")
    assert library.read(*library.application(File(name))) == [File(name)]


@given(st.sampled_from(["playback", "say", "speak", "play_and_get_digits"]), st.text())
def test_anything_can_be_read(application: str, argument: str) -> None:
    for one in LIBRARY.read(application, argument):
        assert isinstance(one, Prompt)


@given(PROMPTS)
def test_a_prompt_is_written_as_in_a_test(one: Prompt) -> None:
    names = {"Say": Say, "Silence": Silence, "Speak": Speak, "Tone": Tone}
    assert prompt(eval(str(one), names)) == one


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (File("bank/welcome"), "'bank/welcome'"),
        (Say.currency(4200), "Say.currency(4200)"),
        (Say.currency("42.50"), "Say.currency('42.50')"),
        (Say.number(7), "Say.number(7)"),
        (Say.digits("007"), "Say.digits('007')"),
        (Silence(2), "Silence(2)"),
        (Tone("%(1,2,3)"), "Tone('%(1,2,3)')"),
    ],
)
def test_how_prompts_are_written(one: Prompt, text: str) -> None:
    assert str(one) == text


def test_prompts_are_values() -> None:
    assert {File("a"), File("a"), Say.number(1)} == {File("a"), Say.number(1)}
    with pytest.raises(AttributeError):
        File("a").name = "b"  # type: ignore[misc]
