"""The simulated recogniser and the simulated answering machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fsivr import Answerer, Call, InputError, ModuleMissing, NoInput, NoMatch, PromptError, Speech, SpeechError
from fsivr.call.speech import read_answer
from fsivr.simulator import Switch
from fsivr.simulator.recogniser import Recogniser
from tests.call.conversations import HOSTILE, IDS, in_call
from tests.simulator.app import App, Wire


def heard(switch: Switch, act: Callable[[Any], Any], **options: Any) -> tuple[list[Any], Any]:
    """What ``listen`` came to, and when each came; and its caller."""
    got: list[Any] = []

    def run(call: Call) -> None:
        call.answer()
        try:
            got.append(call.listen("one", **{"tries": 1, **options}))
        except (InputError, SpeechError, PromptError, ModuleMissing) as error:
            got.append(error)
        got.append(switch.clock.now())

    with switch.call(handler=in_call(run)) as caller:  # type: ignore[call-arg]
        act(caller)
        caller.join()
    return got, caller


ENGINES = ["pocketsphinx", "unimrcp", "unimrcp:main", "vosk", "test", "google"]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_said_is_understood(switch: Any, engine: str) -> None:
    (speech, _), caller = heard(switch, lambda caller: caller.says("yes & no", confidence=0.75), engine=engine)
    assert isinstance(speech, Speech)
    assert (speech.text, speech.confidence) == ("yes & no", 0.75)
    assert caller.said == ["yes & no"]


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_said(switch: Any, engine: str) -> None:
    (error, at), _ = heard(switch, lambda caller: None, engine=engine)
    assert isinstance(error, NoInput)
    # mod_pocketsphinx.c counts from the start of a prompt of one second, and others from its end.
    assert at == pytest.approx(5.0 if engine == "pocketsphinx" else 6.0, abs=0.1)


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine != "vosk"])
def test_a_grammar_does_not_hold_it(switch: Any, engine: str) -> None:
    switch.understands("yesno", "yes", "no")
    (error, _), _ = heard(switch, lambda caller: caller.says("maybe"), engine=engine, grammar="yesno")
    assert isinstance(error, NoMatch)
    (speech, _), _ = heard(switch, lambda caller: caller.says("Yes"), engine=engine, grammar="yesno")
    assert speech.text == "Yes"


def test_it_is_not_sure_enough(switch: Any) -> None:
    (error, _), _ = heard(switch, lambda caller: caller.says("yes", confidence=0.4), confidence=0.5)
    assert isinstance(error, NoMatch)


def test_confidence_is_a_probability(switch: Any) -> None:
    with (
        switch.call(handler=in_call(lambda call: call.answer())) as caller,
        pytest.raises(ValueError, match=r"from 0 to 1, not 1\.5"),
    ):
        caller.says("yes", confidence=1.5)


def test_speech_ends_the_prompt(switch: Any) -> None:
    switch.lasts("one", 20)

    def act(caller: Any) -> None:
        caller.says("yes", during="one")

    (speech, at), _ = heard(switch, act)
    assert speech.text == "yes"
    assert at < 3


def test_speech_before_anybody_listens_is_lost(switch: Any) -> None:
    def run(call: Call) -> None:
        call.answer()
        call.play("before")
        with pytest.raises(NoInput):
            call.listen("one", tries=1)

    with switch.call(handler=in_call(run)) as caller:
        caller.says("yes", during="before")
        caller.hears("one")
    assert caller.said == ["yes"]


def test_the_next_try_hears_only_its_own(switch: Any) -> None:
    switch.understands("colours", "red")

    def act(caller: Any) -> None:
        caller.hears("one")
        caller.says("rot")
        caller.hears("again", "one")
        caller.says("red")

    (speech, _), _ = heard(switch, act, grammar="colours", tries=3, no_match="again")
    assert speech.text == "red"


def test_two_words_after_each_other_are_one_answer(switch: Any) -> None:
    def act(caller: Any) -> None:
        caller.hears("one")
        caller.says("yes", confidence=0.9)
        caller.waits(0.5)
        caller.says("please", confidence=0.6)

    (speech, _), _ = heard(switch, act)
    assert (speech.text, speech.confidence) == ("yes please", 0.6)


def test_keys_mean_nothing_meanwhile(switch: Any) -> None:
    def act(caller: Any) -> None:
        caller.hears("one")
        caller.dials("1*#")
        caller.says("yes")

    (speech, _), _ = heard(switch, act)
    assert speech.text == "yes"


def test_a_grammar_file_is_missing(switch: Any) -> None:
    switch._missing.add("colours.gram")
    (error, _), _ = heard(switch, lambda caller: None, grammar="colours")
    assert isinstance(error, SpeechError)
    assert "could not load the grammar 'colours'" in str(error)


def test_an_engines_module_is_missing(switch: Any) -> None:
    switch.modules_missing |= {"mod_unimrcp", "mod_google"}
    (error, _), _ = heard(switch, lambda caller: None, engine="unimrcp:main")
    assert isinstance(error, ModuleMissing)
    (error, _), _ = heard(switch, lambda caller: None, engine="google")
    assert isinstance(error, SpeechError)


def test_a_prompt_is_missing(switch: Any) -> None:
    switch.missing("one")
    (error, _), _ = heard(switch, lambda caller: None)
    assert isinstance(error, PromptError)


XML = ("pocketsphinx", "unimrcp", "unimrcp:main")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_hostile_words_keep_an_answers_form(text: str, engine: str) -> None:
    """Whatever is said in a test, the recogniser's answer has one result and no line of its own."""
    recogniser = Recogniser(engine.partition(":")[0], "g", lambda: 0.0, lambda: None)
    recogniser.hear(f"hello {text}"[:5000], 0.9)
    raw = recogniser.answer(lambda grammar, said: True)
    if engine in XML and {"\0", "\ud800"} & set(text):  # XML cannot hold these at all
        with pytest.raises(SpeechError, match="no well-formed XML"):
            read_answer(raw)
        return
    answer = read_answer(raw)
    assert isinstance(answer, Speech)
    assert answer.text.startswith("hello")


# -- the applications, in bytes ---------------------------------------------------------------------


def test_only_a_closed_engine_ends_the_wait() -> None:
    """``uuid_break`` does not (switch_ivr_async.c); ``detect_speech stop``, which nests in it, does."""
    seen: list[Any] = []

    def script(wire: Wire) -> None:
        wire.start()
        wire.execute("answer")
        wire.execute("play_and_detect_speech", "one.wav detect:test {no-input-timeout=60000}yesno")
        seen.append(wire.done("answer").get("Application"))
        wire.send("api uuid_break the-call")
        wire.execute("sleep", "2000")
        seen.append(wire.done("sleep").get("Application"))
        wire.execute("detect_speech", "stop")
        ended = wire.done("play_and_detect_speech")
        seen.append((ended.get("Application-Response"), ended.get("variable_detect_speech_result")))
        wire.send("sendmsg\ncall-command: hangup")
        wire.event("CHANNEL_HANGUP_COMPLETE")

    with App(script) as app, app.switch.call("4100", uuid="the-call") as caller:
        caller.join()
    assert seen == ["answer", "sleep", ("DONE", "")]


@pytest.mark.parametrize(
    ("argument", "response"),
    [
        ("one.wav", "USAGE ERROR"),
        ("one.wav detect:", "USAGE ERROR"),
        ("one.wav detect:test", "USAGE ERROR"),
        ("one.wav detect:test {a=b", "GRAMMAR ERROR"),
        ("one.wav detect:test {a=b}", "GRAMMAR ERROR"),
        ("one.wav detect:test {no-input-timeout=1}yesno", "DONE"),
    ],
)
def test_how_it_reads_its_argument(argument: str, response: str) -> None:
    told: list[str | None] = []

    def script(wire: Wire) -> None:
        wire.start()
        wire.execute("play_and_detect_speech", argument)
        told.append(wire.done("play_and_detect_speech").get("Application-Response"))
        wire.send("sendmsg\ncall-command: hangup")
        wire.event("CHANNEL_HANGUP_COMPLETE")

    with App(script) as app, app.switch.call("4100") as caller:
        caller.join()
    assert told == [response]


# -- the answering machine --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "beep", "asked", "answerer", "earliest", "latest"),
    [
        ("person", None, False, Answerer.PERSON, 1, 2),
        ("person", None, True, Answerer.PERSON, 1, 2),
        ("machine", 9.0, False, Answerer.MACHINE, 1, 2),
        ("machine", 9.0, True, Answerer.MACHINE, 9, 9.5),
        ("machine", None, True, Answerer.MACHINE, 30, 34),
        ("unsure", None, False, Answerer.UNKNOWN, 5, 6),
        ("unsure", 3.0, True, Answerer.MACHINE, 5, 6),
    ],
)
def test_who_answered(
    switch: Any, who: str, beep: float | None, asked: bool, answerer: Answerer, earliest: float, latest: float
) -> None:
    switch.answered_by(who, beep=beep)
    got: list[Any] = []

    def run(call: Call) -> None:
        call.answer()
        got.extend([call.detect_machine(beep=asked), switch.clock.now()])

    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    assert got[0] is answerer
    assert earliest <= got[1] <= latest


def test_only_these_answer(switch: Any) -> None:
    with pytest.raises(ValueError, match="not by 'robot'"):
        switch.answered_by("robot")


def test_the_module_is_missing(switch: Any) -> None:
    switch.modules_missing.add("mod_amd")

    def run(call: Call) -> None:
        call.answer()
        with pytest.raises(ModuleMissing, match="mod_amd"):
            call.detect_machine()
        call.play("still-there")

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("still-there")
