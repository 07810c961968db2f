"""Reading a recogniser's answer: the forms of real engines, and what no engine should send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fsivr import Speech, SpeechError
from fsivr.call.speech import Missed, read_answer
from tests.call.conversations import HOSTILE, IDS

# mod_pocketsphinx.c, pocketsphinx_asr_get_results: all that it can say.
POCKETSPHINX = """<?xml version="1.0"?>
<result grammar="yesno">
  <interpretation grammar="yesno" confidence="73">
    <input mode="speech">yes please</input>
  </interpretation>
</result>
"""
# RFC 6787, 9.6.3.2 and 6.3, as mod_unimrcp passes them on.
NLSML = """<?xml version="1.0"?>
<result xmlns="http://www.ietf.org/xml/ns/mrcpv2" xmlns:ex="http://www.example.com/example"
        grammar="http://theYesNoGrammar">
  <interpretation confidence="0.85">
    <instance><ex:city>  Berlin\n</ex:city><ex:day>Monday</ex:day><ex:none/></instance>
    <input mode="speech">to Berlin on Monday</input>
  </interpretation>
  <interpretation confidence="0.10"><input>to Bern on Monday</input></interpretation>
</result>"""


def told(raw: str) -> Any:
    """What an answer came to, without the answer."""
    answer = read_answer(raw)
    return (answer.text, answer.confidence) if isinstance(answer, Speech) else answer


def xml(inside: str, confidence: str = "") -> str:
    return f"<result><interpretation {confidence}>{inside}</interpretation></result>"


def test_pocketsphinx() -> None:
    answer = read_answer(POCKETSPHINX, percent=True)
    assert answer == Speech("yes please", 0.73, raw=POCKETSPHINX)


def test_one_percent_is_not_sure() -> None:
    answer = read_answer(POCKETSPHINX.replace("73", "1"), percent=True)
    assert isinstance(answer, Speech)
    assert answer.confidence == 0.01


def test_nlsml_has_parts() -> None:
    answer = read_answer(NLSML)
    assert isinstance(answer, Speech)
    assert (answer.text, answer.confidence) == ("to Berlin on Monday", 0.85)
    assert answer.meaning == "Berlin Monday"
    assert answer.slots == {"city": "Berlin", "day": "Monday"}
    assert answer.raw == NLSML


def test_a_meaning_without_words_is_the_words() -> None:
    assert read_answer(xml("<instance>true</instance>")) == Speech(
        "true", meaning="true", raw=xml("<instance>true</instance>")
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (xml("<input mode='speech'><noinput/></input>"), Missed.SILENCE),
        (xml("<input mode='speech'><nomatch/></input>"), Missed.NO_MATCH),
        (xml("<input/>"), Missed.NO_MATCH),
        (xml("<input>yes</input>"), ("yes", 1.0)),
        (xml("<input confidence='0.5'>yes</input>"), ("yes", 0.5)),
        (xml("<input>yes</input>", "confidence='85'"), ("yes", 0.85)),
        ("Completion-Cause: 001", Missed.NO_MATCH),
        ("Completion-Cause: 002", Missed.SILENCE),
        ("Completion-Cause: 015", Missed.NO_MATCH),
        ('{"grammar": "g", "text": "agent", "confidence": 87.300000}', ("agent", 0.873)),  # mod_test.c
        ('{"grammar": "g", "text": "", "confidence": 0, "error": "no_input"}', Missed.SILENCE),
        ('{"error": "no_match"}', Missed.NO_MATCH),
        ('{"text": ""}', Missed.SILENCE),  # Vosk
        ('{"result": [{"conf": 1.0, "word": "a"}, {"conf": 0.5, "word": "b"}], "text": "a b"}', ("a b", 0.75)),
        ('{"alternatives": [{"confidence": 214.5, "text": "yes"}, {"text": "no"}]}', ("yes", 1.0)),
        ("yes please\n", ("yes please", 1.0)),  # mod_vosk without its setting return_json
        ("", Missed.SILENCE),
        ("\x00\r\n", Missed.SILENCE),
    ],
)
def test_what_an_engine_may_say(raw: str, expected: Any) -> None:
    assert told(raw) == expected


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("<result>", "no well-formed XML"),
        ("<", "no well-formed XML"),
        ("<a></b>", "no well-formed XML"),
        ("<result>\x00</result>", "no well-formed XML"),
        ("<result>&lol;</result>", "no well-formed XML"),
        ("<result>\ud800</result>", "no well-formed XML"),
        ("<other/>", "no NLSML"),
        ("<result/>", "no interpretation"),
        ("{", "no JSON"),
        ('{"text": "a", "confidence": NaN}', "no JSON"),
        ('{"text": "a", "confidence": -Infinity}', "no JSON"),
        ('{"a": ' * 9000, "no JSON"),
        ('{"a":' + "[" * 60000, "no JSON"),
        ('{"text": "a"} {"text": "b"}', "no JSON"),
        ('{"text": "say "hi""}', "no JSON"),  # mod_test.c and mod_vosk.c do not quote what they say
        ('{"text": 7}', "no text"),
        ('{"text": null}', "no text"),
        ('{"text": ["a"]}', "no text"),
        ("{}", "no text"),
        ('{"alternatives": []}', "no text"),
        ('{"alternatives": ["a"]}', "no text"),
        ('{"alternatives": {"text": "a"}}', "no text"),
        ('{"alternatives": [{"text": {}}]}', "no text"),
        ('{"text": "a", "confidence": 1e999}', "confidence"),
        ('{"text": "a", "confidence": "sure"}', "confidence"),
        ('{"text": "a", "confidence": true}', "confidence"),
        ('{"text": "a", "confidence": [1]}', "confidence"),
        ('{"text": "a", "confidence": {}}', "confidence"),
        ('{"text": "a", "confidence": -0.1}', "confidence"),
        ('{"text": "a", "confidence": 101}', "confidence"),
        ('{"text": "a", "confidence": 1' + "0" * 400 + "}", "confidence"),
        ('{"text": "a", "confidence": 1' + "0" * 5000 + "}", "no JSON"),
        ('{"text": "a", "result": [{"conf": "x"}]}', "confidence"),
        ('{"text": "a", "result": [{"conf": 1}, {}]}', "confidence"),
        ('{"text": "a", "result": [{"conf": 1' + "0" * 400 + "}]}", "confidence"),
        (xml("<input>a</input>", "confidence='nan'"), "confidence"),
        (xml("<input>a</input>", "confidence='inf'"), "confidence"),
        (xml("<input>a</input>", "confidence='-1'"), "confidence"),
        (xml("<input>a</input>", "confidence='a'"), "confidence"),
        ('{"error": "secret words"}', "the engine failed"),
        ('{"error": ["no_input"]}', "the engine failed"),
        ("Completion-Cause: 006", "completion cause 006"),
        ("x" * 65537, "65537 characters"),
    ],
    ids=lambda value: ascii(value[:40]),
)
def test_what_no_engine_should_say(raw: str, reason: str) -> None:
    with pytest.raises(SpeechError, match=reason) as raised:
        read_answer(raw)
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


ENTITIES = {
    "of entities that hold each other": '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><result>&b;</result>',
    "of a file": '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><result>&a;</result>',
    "of a page": '<!DOCTYPE r SYSTEM "http://127.0.0.1/x.dtd"><result/>',
    "after a declaration": '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE r [<!ENTITY a "a">]><result>&a;</result>',
    "after a comment": '<!-- x --><!DOCTYPE r [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><result/>',
}


@pytest.mark.parametrize("raw", ENTITIES.values(), ids=ENTITIES)
def test_no_entity_is_expanded(raw: str) -> None:
    with pytest.raises(SpeechError, match="document type"):
        read_answer(raw)


def test_a_declared_encoding_hides_nothing() -> None:
    """The text is decoded already: what its declaration says of bytes must not make other characters of it."""
    raw = '<?xml version="1.0" encoding="UTF-7"?>' + xml("<input>+ADw-!DOCTYPE r+AD4-</input>")
    assert told(raw) == ("+ADw-!DOCTYPE r+AD4-", 1.0)


def test_deep_xml_is_read_or_refused() -> None:
    deep = "<a>" * 7000 + "yes" + "</a>" * 7000
    assert told(xml(f"<input>{deep}</input>")) == ("yes", 1.0)


def test_a_meaning_has_so_many_parts() -> None:
    parts = "".join(f"<a{number}>x</a{number}>" for number in range(1000))
    answer = read_answer(xml(f"<instance>{parts}</instance>"))
    assert isinstance(answer, Speech)
    assert len(answer.slots) == 64


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_hostile_words_are_words(text: str) -> None:
    """Whatever a caller says is text, without what would end a line or a string; or it is too long."""
    raw = json.dumps({"text": f"hello {text}"})
    if len(raw) > 65536:
        with pytest.raises(SpeechError, match="characters"):
            read_answer(raw)
        return
    answer = read_answer(raw)
    assert isinstance(answer, Speech)
    controls = "\r\n\0\x85\u2028\ud800"
    words = "".join(" " if each in controls else each for each in text).split()
    assert answer.text == " ".join(["hello", *words])


def test_an_answer_does_not_show_itself_in_a_log() -> None:
    assert "mrcpv2" not in repr(read_answer(NLSML))
