"""Values and texts that are spoken: what each becomes, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsivr import Handler, Say, Speak
from fsivr.prompts import PromptLibrary, prompt
from tests.esl.switch_rules import expansions, separate
from tests.test_prompts import HOSTILE

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("one", "argument", "written"),
    [
        (Say.number(0), "NUMBER PRONOUNCED 0", "Say.number(0)"),
        (Say.ordinal(3), "NUMBER COUNTED 3", "Say.ordinal(3)"),
        (Say.spelled("AB7"), "NAME_SPELLED PRONOUNCED AB7", "Say.spelled('AB7')"),
        (Say.currency("-0.00"), "CURRENCY PRONOUNCED 0.00", "Say.currency(0)"),
        (Say.currency(999_999_999), "CURRENCY PRONOUNCED 999999999.00", "Say.currency(999999999)"),
        (Say.duration(0), "TIME_MEASUREMENT PRONOUNCED 0:00:00", "Say.duration(0)"),
        (Say.duration(3725.9), "TIME_MEASUREMENT PRONOUNCED 1:02:05", "Say.duration(3725)"),
        (Say.duration(timedelta(days=2, minutes=1)), "TIME_MEASUREMENT PRONOUNCED 48:01:00", "Say.duration(172860)"),
        (Say.date(date(2026, 11, 24)), "CURRENT_DATE PRONOUNCED 1795514400", "Say.date('2026-11-24')"),
        (Say.date("2026-11-24"), "CURRENT_DATE PRONOUNCED 1795514400", "Say.date('2026-11-24')"),
        (Say.date("2026-11-24T14:30Z"), "CURRENT_DATE PRONOUNCED 1795530600", "Say.date('2026-11-24T14:30Z')"),
        (
            Say.time(datetime(2026, 11, 24, 15, 30, tzinfo=BERLIN)),
            "CURRENT_TIME PRONOUNCED 1795530600",
            "Say.time('2026-11-24T14:30Z')",
        ),
        (
            Say.date_time("2026-11-24T14:30:05.9+00:00"),
            "CURRENT_DATE_TIME PRONOUNCED 1795530605",
            "Say.date_time('2026-11-24T14:30:05Z')",
        ),
        (Say("ITEMS", "PRONOUNCED", "3"), "ITEMS PRONOUNCED 3", "Say('ITEMS', 'PRONOUNCED', '3')"),
        (Say("NUMBER", "PRONOUNCED", "-7"), "NUMBER PRONOUNCED -7", "Say('NUMBER', 'PRONOUNCED', '-7')"),
        (
            Say("CURRENT_DATE", "PRONOUNCED", "9" * 30),
            f"CURRENT_DATE PRONOUNCED {'9' * 30}",
            f"Say('CURRENT_DATE', 'PRONOUNCED', '{'9' * 30}')",
        ),
    ],
)
def test_values(one: Say, argument: str, written: str) -> None:
    assert PromptLibrary(language="de").application(one) == ("say", f"de {argument}")
    assert str(one) == written


@pytest.mark.parametrize("hours", [-10, -5, 0, 5.75, 12, 13, 13.75])
@given(day=st.dates(date(1970, 1, 2), date(2100, 1, 1)))
def test_a_date_is_the_same_day_where_people_live(hours: float, day: date) -> None:
    seconds = int(Say.date(day).text)
    assert datetime.fromtimestamp(seconds, timezone(timedelta(hours=hours))).date() == day


@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))
def test_a_moment_is_the_same_in_every_time_zone(moment: datetime) -> None:
    assert Say.time(moment) == Say.time(moment.astimezone(UTC))


@pytest.mark.parametrize("value", ["1969-12-31", date(1969, 12, 31), date.min])
def test_what_comes_before_1970_cannot_be_said(value: Any) -> None:
    with pytest.raises(ValueError, match="after 1969"):
        Say.date(value)


@pytest.mark.parametrize("value", ["1970-01-01T00:00Z", datetime.min.replace(tzinfo=UTC)])
def test_the_first_second_would_be_the_present(value: Any) -> None:
    with pytest.raises(ValueError, match="after 1969"):
        Say.time(value)


@pytest.mark.parametrize("value", [datetime(2026, 11, 24, 9), "2026-11-24T09:00", "tomorrow", 7, None, *HOSTILE])
def test_what_is_no_moment(value: Any) -> None:
    for make in (Say.date, Say.time, Say.date_time):
        with pytest.raises(ValueError, match="a datetime with a time zone"):
            make(value)


def test_a_date_has_no_time() -> None:
    for value in (date(2026, 11, 24), "2026-11-24"):
        for make in (Say.time, Say.date_time):
            with pytest.raises(ValueError, match="a datetime with a time zone"):
                make(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [-1, 10**9, float("nan"), float("inf"), True, "5", None, timedelta(-1)])
def test_what_is_no_duration(value: Any) -> None:
    with pytest.raises(ValueError, match=r"Say\.duration takes"):
        Say.duration(value)


@pytest.mark.parametrize("value", [0, -1, 10**9, 1.0, "1", True])
def test_what_is_no_place_in_a_row(value: Any) -> None:
    with pytest.raises(ValueError, match=r"Say\.ordinal takes"):
        Say.ordinal(value)


@pytest.mark.parametrize("value", ["é", "O'Brien", " a", "a ", "", "a" * 101, "a\n", "${x}", "a|b", 7, None])
def test_what_cannot_be_spelled(value: Any) -> None:
    with pytest.raises(ValueError, match=r"Say\.spelled takes"):
        Say.spelled(value)


@given(st.from_regex(r"[a-z0-9.]([a-z0-9 .@]{0,20}[a-z0-9.])?", fullmatch=True))
def test_a_value_is_four_words_to_the_switch(text: str) -> None:
    """Of five, ``say`` takes the fourth for a gender (mod_dptools.c)."""
    _, argument = PromptLibrary().application(Say.spelled(text))
    assert separate(argument, " ", 5) == ["en", "NAME_SPELLED", "PRONOUNCED", text]


def test_a_gender_is_no_part_of_the_value() -> None:
    assert PromptLibrary().read("say", "ru NUMBER PRONOUNCED FEMININE 1") == []


# -- text to speech ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ('It\'s $5, said she: "50 %!" (née Smith) 💩', 'It\'s $5, said she: "50 %!" (née Smith) 💩'),
        ("two\nlines\r\nand\ta\u2028third ", "two lines and a third"),
        ("%0a %41", "%0a %41"),
        ("a,b!c;d&e", "a,b!c;d&e"),
    ],
)
def test_text_arrives_as_it_was_meant(given: str, text: str) -> None:
    assert PromptLibrary().application(Speak(given)) == ("speak", f"flite|slt|{text}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "a|b",
        "${system(id)}",
        "$${x}",
        "$$",
        "\\${x}",
        "\\n",
        "{voice=x}a",
        "<speak>",
        "`id`",
        "a\0b",
        "\ud800",
        "a\x1b[1m",
        "a" * 4001,
        "x" * 70000,
    ],
)
def test_text_that_would_be_more_than_text(text: str) -> None:
    with pytest.raises(ValueError, match="Speak takes"):
        Speak(text)


@pytest.mark.parametrize("name", ["", "a b", "a|b", "${x}", "{a=b}flite", "flite\n", "'flite", "^^:a"])
def test_engines_and_voices_are_names(name: str) -> None:
    for wrong in ({"engine": name}, {"voice": name}):
        with pytest.raises(ValueError, match=f"Speak's {next(iter(wrong))} is a name"):
            Speak("a", **wrong)


@given(st.text())
def test_no_text_leaves_its_place(text: str) -> None:
    try:
        meant = Speak(text, engine="tts", voice="anna")
    except ValueError:
        return
    _, argument = PromptLibrary().application(meant)
    assert separate(argument, "|", 3)[:2] == ["tts", "anna"]
    assert argument.removeprefix("tts|anna|").split() == text.split()
    assert expansions(argument) == []
    assert not set(argument) & set("\r\n\0")
    assert PromptLibrary().read("speak", argument) == [meant]


def test_text_is_no_file() -> None:
    with pytest.raises(ValueError, match="is no file"):
        PromptLibrary().file(Speak("a"))


@pytest.mark.parametrize(
    ("one", "written"),
    [
        (Speak("Hello."), "Speak('Hello.')"),
        (Speak("Hello.", voice="kal"), "Speak('Hello.', voice='kal')"),
        (Speak("Hallo.", engine="cepstral", voice="Katrin"), "Speak('Hallo.', engine='cepstral', voice='Katrin')"),
    ],
)
def test_how_text_is_written(one: Speak, written: str) -> None:
    assert str(one) == written
    assert prompt(one) is one


class _Speaks(Handler):
    def run(self, call: Any) -> None:
        call.answer()
        call.play(Speak("Your name is:\nO'Brien, isn't it?"), Say.spelled("O Brien"))
        if call.ask(Speak("Press 1."), Say.ordinal(2), digits=1) == "1":
            call.play(Say.date("2026-11-24"))


def test_what_is_spoken_is_heard(switch: Any) -> None:
    with switch.call(handler=_Speaks) as caller:
        caller.hears(Speak("Your name is: O'Brien, isn't it?"), Say.spelled("O Brien"), Speak("Press 1."))
        caller.hears(Say.ordinal(2))
        caller.waits(1)
        caller.dials("1")
        caller.hears(Say.date("2026-11-24"))
