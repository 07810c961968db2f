"""``Call.listen`` and ``Call.detect_machine``: what reaches the wire, and what comes of the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from fsivr import (
    DeadlineExceeded,
    ModuleMissing,
    NoInput,
    NoMatch,
    PromptError,
    Say,
    Speech,
    SpeechError,
)
from tests.call.conversations import HOSTILE, IDS, Open, argument
from tests.esl.peer import OK, UUID, Peer, api_response, complete, event
from tests.esl.switch_rules import Packet

RAW = (
    "%3Cresult%3E%3Cinterpretation%20confidence%3D%2290%22%3E%3Cinput%3Eyes%3C/input%3E"
    "%3C/interpretation%3E%3C/result%3E"
)


def answering(response: str = "DONE", result: str = "", *, at: int = 6_000_000) -> Callable[[Peer, Packet], Any]:
    """A switch whose recognition ends so, so many microseconds after a prompt that ended at 1 s."""

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name") != "play_and_detect_speech":
            return OK + complete(packet) if packet.get("execute-app-name") else NotImplemented
        ended = event("PLAYBACK_STOP", {"Event-Date-Timestamp": "1000000"})
        told = {"Event-Date-Timestamp": str(1_000_000 + at), "variable_detect_speech_result": result}
        return OK + ended + complete(packet, response.replace(" ", "%20"), told)

    return script


def recognitions(peer: Peer) -> list[str]:
    return [argument(each) for each in peer.executed if each.get("execute-app-name") == "play_and_detect_speech"]


# -- what reaches the wire --------------------------------------------------------------------------


def test_what_is_asked_of_the_switch(open_call: Open) -> None:
    call, peer = open_call(answering(result=RAW))
    heard = call.listen(
        "one", "two", grammar="bank/yes-no", engine="unimrcp:main", timeout=4, parameters={"speech-language": "de-DE"}
    )
    assert heard == Speech("yes", 0.9, raw=heard.raw)
    assert recognitions(peer) == [
        "file_string://one.wav!two.wav detect:unimrcp:main {start-input-timers=false,no-input-timeout=4000,"
        "recognition-timeout=15000,speech-language=de-DE}bank/yes-no"
    ]


def test_the_engine_is_closed_after_each_question(open_call: Open) -> None:
    call, peer = open_call(answering(result=RAW))
    call.listen("one")
    words = [packet.command for packet in peer.commands]
    assert f"api uuid_setvar_multi {UUID} play_and_detect_speech_close_asr=true" in words


def test_what_is_said_is_played_before(open_call: Open) -> None:
    call, peer = open_call(answering(result=RAW))
    call.listen("one", 2, "three")
    names = [packet.get("execute-app-name") for packet in peer.executed]
    assert names == ["answer", "playback", "say", "play_and_detect_speech"]
    assert recognitions(peer)[0].startswith("three.wav detect:pocketsphinx {")


def test_without_files_there_is_silence(open_call: Open) -> None:
    call, peer = open_call(answering(result=RAW))
    call.listen(Say.digits("42"))
    call.listen()
    assert [each.partition(" ")[0] for each in recognitions(peer)] == ["silence_stream://1"] * 2


def test_a_call_that_does_not_listen_costs_no_more(open_call: Open) -> None:
    call, peer = open_call()
    call.play("one")
    assert b"PLAYBACK" not in peer.received
    assert b"speech" not in peer.received


@pytest.mark.parametrize("grammar", ["yesno", "bank/yes-no.v2", "builtin:grammar/digits?length=4;x=1", "/etc/fs/a"])
def test_a_grammar_reaches_the_switch_whole(open_call: Open, grammar: str) -> None:
    call, peer = open_call(answering(result=RAW))
    call.listen("one", grammar=grammar)
    assert recognitions(peer)[0].partition("}")[2] == grammar


PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "grammar": lambda text: {"grammar": text},
    "builtin": lambda text: {"grammar": f"builtin:{text}"},
    "engine": lambda text: {"engine": text},
    "profile": lambda text: {"engine": f"unimrcp:{text}"},
    "parameter": lambda text: {"parameters": {text: "1"}},
    "value": lambda text: {"parameters": {"name": text}},
}
#: What is a URI's own, and nothing to the switch.
HARMLESS = [("builtin", "a;b=c"), ("builtin", "a&b")]


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_hostile_text_reaches_nothing(open_call: Open, text: str) -> None:
    call, peer = open_call(answering(result=RAW))
    before = peer.received
    for place, given in PLACES.items():
        if (place, text) not in HARMLESS:
            with pytest.raises(ValueError, match=r"a grammar is|an engine is|a parameter's name|the parameter name"):
                call.listen("one", **given(text))
    assert peer.received == before


@pytest.mark.parametrize(("place", "text"), HARMLESS)
def test_a_uris_own_characters_are_taken(open_call: Open, place: str, text: str) -> None:
    call, peer = open_call(answering(result=RAW))
    call.listen("one", **PLACES[place](text))
    assert recognitions(peer)[0].endswith("}builtin:" + text)


@pytest.mark.parametrize(
    "options",
    [
        {"grammar": ""}, {"grammar": "../x"}, {"grammar": "a/../../x"}, {"grammar": "http://example.com/g"},
        {"grammar": "inline:x"}, {"grammar": "session:x"}, {"grammar": "builtin:"}, {"grammar": 7},
        {"grammar": "x" * 201}, {"engine": ""}, {"engine": None}, {"engine": "a:b:c"}, {"engine": "x detect:y"},
        {"timeout": 0}, {"timeout": float("nan")}, {"timeout": 601}, {"limit": -1}, {"limit": float("inf")},
        {"tries": 0}, {"tries": 101}, {"confidence": -0.1}, {"confidence": 1.1}, {"confidence": float("nan")},
        {"parameters": {"no-input-timeout": 1}}, {"parameters": {"Start-Input-Timers": "true"}},
        {"parameters": {"a": 1.5j}}, {"parameters": {"a": ""}}, {"parameters": {"": "a"}}, {"parameters": {7: "a"}},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_is_said_before_anything_is_sent(open_call: Open, options: dict[str, Any]) -> None:
    call, peer = open_call()
    before = peer.received
    with pytest.raises(ValueError):  # noqa: PT011
        call.listen("one", **options)
    assert peer.received == before


# -- what comes of it -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "error", "match"),
    [
        ("GRAMMAR ERROR", SpeechError, "could not load the grammar 'yesno'"),
        ("ASR INIT ERROR", SpeechError, "could not be started"),
        ("USAGE ERROR", SpeechError, "USAGE ERROR"),
        ("ERROR", PromptError, "could not play 'one'"),
    ],
)
def test_what_the_switch_says_of_a_failure(open_call: Open, response: str, error: type[Exception], match: str) -> None:
    call, _ = open_call(answering(response))
    with pytest.raises(error, match=match):
        call.listen("one", grammar="yesno", engine="google")


def test_an_error_without_a_prompt_is_the_engines(open_call: Open) -> None:
    call, _ = open_call(answering("ERROR"))
    with pytest.raises(SpeechError, match="ERROR"):
        call.listen()


@pytest.mark.parametrize(("loaded", "error"), [("false", ModuleMissing), ("true", SpeechError)])
def test_an_engine_that_does_not_start_may_be_missing(open_call: Open, loaded: str, error: type[Exception]) -> None:
    failing = answering("ASR INIT ERROR")

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.command == "api module_exists mod_unimrcp":
            return api_response(loaded)
        return failing(peer, packet)

    call, _ = open_call(script)
    with pytest.raises(error, match=r"mod_unimrcp|could not be started"):
        call.listen("one", engine="unimrcp:main")


def test_no_answer_after_the_time_is_silence(open_call: Open) -> None:
    call, peer = open_call(answering())
    with pytest.raises(NoInput, match="nothing was said in 2 tries"):
        call.listen("one", tries=2)
    assert len(recognitions(peer)) == 2


def test_no_answer_before_its_time_is_asked_once_more(open_call: Open) -> None:
    """What an earlier recognition left in the channel's queue may end the next at once."""
    early, late = answering(at=20_000), answering(result=RAW)

    def script(peer: Peer, packet: Packet) -> Any:
        return (early if len(recognitions(peer)) < 2 else late)(peer, packet)

    call, peer = open_call(script)
    assert call.listen("one", tries=1).text == "yes"
    assert len(recognitions(peer)) == 2


def test_an_engine_that_gives_up_at_once_has_failed(open_call: Open) -> None:
    call, peer = open_call(answering(at=20_000))
    with pytest.raises(SpeechError, match="ended without an answer"):
        call.listen("one", engine="vosk")
    assert len(recognitions(peer)) == 2


def test_an_answer_that_cannot_be_read(open_call: Open) -> None:
    call, _ = open_call(answering(result="%3Cresult%3Emy%20secret"))
    with pytest.raises(SpeechError, match="cannot be read") as raised:
        call.listen("one")
    assert "secret" not in str(raised.value)


def test_what_was_said_is_in_no_message(open_call: Open) -> None:
    call, _ = open_call(answering(result=RAW))
    with pytest.raises(NoMatch, match="what was said is no answer, after 1 try") as raised:
        call.listen("one", tries=1, confidence=0.95)
    assert raised.value.digits == ""
    assert "yes" not in str(raised.value)


# -- it always ends ---------------------------------------------------------------------------------


class Endless:
    """A switch with an engine that has no time limits, and whose wait nothing but a closed engine ends."""

    def __init__(self) -> None:
        self.waiting: Packet | None = None

    def __call__(self, peer: Peer, packet: Packet) -> Any:
        application = packet.get("execute-app-name")
        if application == "play_and_detect_speech":
            self.waiting = packet
            return OK + event("PLAYBACK_STOP", {"Event-Date-Timestamp": "1000000"})
        if application == "detect_speech" and self.waiting is not None:
            closed = complete(self.waiting, "DONE", {"Event-Date-Timestamp": "9000000"})
            return OK + complete(packet) + closed
        return OK + complete(packet) if application else NotImplemented


def test_an_engine_without_limits_is_closed(open_call: Open, monkeypatch: Any) -> None:
    monkeypatch.setattr("fsivr.call.hearing._LATE", 0.01)
    call, peer = open_call(Endless())
    with pytest.raises(NoInput):
        call.listen("one", engine="vosk", timeout=0.01, limit=0.01, tries=2)
    names = [packet.get("execute-app-name") for packet in peer.executed]
    assert names == ["answer", *["play_and_detect_speech", "detect_speech"] * 2]
    assert [argument(each) for each in peer.executed[2::2]] == ["stop", "stop"]


def test_what_breaks_it_off_closes_the_engine(open_call: Open) -> None:
    call, peer = open_call(Endless())
    with pytest.raises(DeadlineExceeded), call.deadline(0.05):
        call.listen("one")
    gevent.sleep(0.02)
    assert [argument(each) for each in peer.executed[2:]] == ["stop"]


def test_nothing_is_left_of_a_recognition_that_ended(open_call: Open) -> None:
    call, peer = open_call(answering(result=RAW))
    call.listen("one", timeout=0.01, limit=0.01)
    gevent.sleep(0.05)
    assert "detect_speech" not in [packet.get("execute-app-name") for packet in peer.executed]
