"""Questions that callers answer in words: one try on the switch at a time, judged here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import gevent

from fsivr.call.channel import Described, time_of
from fsivr.call.ranges import check_seconds, check_tries, is_from
from fsivr.call.session import Session
from fsivr.call.speech import Missed, Speech, read_answer
from fsivr.errors import ModuleMissing, NoInput, NoMatch, SpeechError
from fsivr.prompts import Prompt, PromptLibrary, Silence

# In the argument, a blank, a quote and a backslash part and join words, "{" and "," hold
# parameters, "detect:" the engine (mod_dptools.c, switch_core_asr.c); a scheme as "http:"
# or "inline:" makes mod_unimrcp fetch or obey what it names. None can be in a name.
_NAME = re.compile(r"[\w/.+@~-]{1,200}", re.ASCII)
_BUILTIN = re.compile(r"builtin:[\w/.+@~?=;&-]{1,200}", re.ASCII)
_ENGINE = re.compile(r"[\w-]{1,80}(:[\w.-]{1,80})?", re.ASCII)
_PARAMETER = re.compile(r"[A-Za-z][\w.-]{0,80}", re.ASCII)
_VALUE = re.compile(r"[\w/.+@~-]{1,200}", re.ASCII)

#: The modules of engines whose names differ from theirs by ``mod_`` alone.
_MODULES = {"pocketsphinx", "test", "unimrcp", "vosk"}
# Their confidence goes to 100 (mod_pocketsphinx.c and mod_test.c).
_PERCENT = {"pocketsphinx", "test"}
_OURS = ("start-input-timers", "no-input-timeout", "recognition-timeout")
_NOTHING = Silence(0.001)
# Seconds for prompts of whatever length, and for an engine to end by itself.
_PROMPTS = 3600.0
_LATE = 2.0


@dataclass(frozen=True, slots=True)
class SpokenQuestion:
    """What to ask, and what counts as an answer; see ``Call.listen``.

    :raises ValueError: a name or number that is not allowed, named in the message.
    """

    library: PromptLibrary
    prompts: Sequence[Prompt]
    grammar: str
    engine: str
    timeout: float
    limit: float
    tries: int
    confidence: float
    no_input: Prompt | None
    no_match: Prompt | None
    parameters: Mapping[str, str | int]

    def __post_init__(self) -> None:
        if not _is_grammar(self.grammar):
            raise ValueError(
                "a grammar is a name of letters, digits and / . _ - + @ ~ without a '..' step, or "
                f"'builtin:' and what the engine has built in, not {str(self.grammar)[:80]!r}"
            )
        if not isinstance(self.engine, str) or not _ENGINE.fullmatch(self.engine):
            raise ValueError(f"an engine is written as 'pocketsphinx' or 'unimrcp:profile', not {self.engine!r:.80}")
        for name in ("timeout", "limit"):
            check_seconds(name, getattr(self, name), 600)
        check_tries(self.tries)
        if not is_from(self.confidence, 0, 1):
            raise ValueError(f"confidence is a number from 0 to 1, not {self.confidence!r}")
        for name, value in self.parameters.items():
            _check_parameter(name, value)

    def ask(
        self,
        session: Session,
        play: Callable[..., object],
        not_played: Callable[[Prompt, str], object],
        tried: Callable[[Speech | Missed], object] = lambda answer: None,
    ) -> Speech:
        """What was said and is an answer.

        :param tried: called with what came of each try.
        :raises NoInput, NoMatch, SpeechError, PromptError, ModuleMissing: see ``Call.listen``.
        """
        answer: Speech | Missed = Missed.SILENCE
        for remaining in reversed(range(self.tries)):
            answer = self._one_try(session, play, not_played)
            tried(answer)
            if isinstance(answer, Speech):
                return answer
            again = self.no_input if answer is Missed.SILENCE else self.no_match
            if remaining and again is not None:
                play(again)
        tries = "1 try" if self.tries == 1 else f"{self.tries} tries"
        if answer is Missed.SILENCE:
            raise NoInput(f"nothing was said in {tries}")
        # What was said may be a secret: it is never in the text.
        raise NoMatch(f"what was said is no answer, after {tries}")

    # -- one try ---------------------------------------------------------------------------

    def _one_try(
        self, session: Session, play: Callable[..., object], not_played: Callable[[Prompt, str], object]
    ) -> Speech | Missed:
        said, files = self._parts()
        if said:
            play(*said)
        completion, early = self._recognise(session, files)
        if early:
            # What an earlier recognition left behind can end the next at once (FACTS 9.3).
            completion, early = self._recognise(session, files)
        response = completion.get("Application-Response")
        if response == "ERROR" and files:
            not_played(files[0], "PLAYBACK ERROR")
        if response not in (None, "DONE"):
            raise self._failure(session, str(response))
        if early:
            raise SpeechError(f"the engine {self.engine} ended without an answer")
        answer = read_answer(_result(completion), percent=self.engine in _PERCENT)
        if isinstance(answer, Speech) and answer.confidence < self.confidence:
            return Missed.NO_MATCH
        return answer

    def _parts(self) -> tuple[Sequence[Prompt], Sequence[Prompt]]:
        """The prompts that must be played before, and those that the caller may interrupt by speaking."""
        spoken = [at for at, each in enumerate(self.prompts) if not self.library.is_file(each)]
        split = spoken[-1] + 1 if spoken else 0
        return self.prompts[:split], self.prompts[split:]

    def _recognise(self, session: Session, files: Sequence[Prompt]) -> tuple[Described, bool]:
        """The end of one recognition, and whether it came without an answer before its time."""
        # An engine that stays open is the call's only one, and hears what is said between two questions (FACTS 9.3).
        session.post("uuid_setvar_multi", f"{session.uuid} play_and_detect_speech_close_asr=true")
        ends: list[float] = []
        alarms = []

        def prompt_ended(event: Described) -> None:
            if not ends:
                ends.append(time_of(event))
                alarms.append(gevent.spawn_later(self.timeout + self.limit + _LATE, _stop, session))

        cancel = session.watch("PLAYBACK_STOP", prompt_ended)
        try:
            completion = session.execute(
                "play_and_detect_speech", self._argument(files), timeout=_PROMPTS + self.timeout + self.limit
            )
        except BaseException:
            _stop(session)
            raise
        finally:
            cancel()
            for alarm in alarms:
                alarm.kill(block=False)
        waited = time_of(completion) - ends[0] if ends and ends[0] else self.timeout
        done = completion.get("Application-Response") == "DONE"
        return completion, done and not _result(completion) and waited < self.timeout * 0.9

    def _argument(self, files: Sequence[Prompt]) -> str:
        """``<file> detect:<engine> {param=value,…}<grammar>`` (mod_dptools.c, PLAY_AND_DETECT_SPEECH_SYNTAX)."""
        times = ("false", round(self.timeout * 1000), round(self.limit * 1000))
        given = {**dict(zip(_OURS, times, strict=True)), **self.parameters}
        parameters = ",".join(f"{name}={value}" for name, value in given.items())
        return f"{self.library.file_string(files or [_NOTHING])} detect:{self.engine} {{{parameters}}}{self.grammar}"

    def _failure(self, session: Session, response: str) -> ModuleMissing | SpeechError:
        """What to raise for what ``play_and_detect_speech`` says of a failure (mod_dptools.c)."""
        engine = self.engine.partition(":")[0]
        if response == "GRAMMAR ERROR":
            return SpeechError(f"the engine {self.engine} could not load the grammar {self.grammar!r}")
        if response != "ASR INIT ERROR":
            return SpeechError(f"the engine {self.engine} failed: {response}")
        module = f"mod_{engine}"
        if engine in _MODULES and session.api("module_exists", module).strip() != "true":
            return ModuleMissing(f"listen needs {module}, which the switch has not loaded")
        return SpeechError(f"the engine {self.engine} could not be started: is its module loaded?")


def _stop(session: Session) -> None:
    """Have the engine closed inside what waits for it: ``uuid_break`` does not end that (FACTS 9.2)."""
    if not session.over:
        session.begin("detect_speech", "stop")


def _is_grammar(grammar: object) -> bool:
    if not isinstance(grammar, str):
        return False
    if _BUILTIN.fullmatch(grammar):
        return True
    return _NAME.fullmatch(grammar) is not None and ".." not in grammar.split("/")


def _check_parameter(name: object, value: object) -> None:
    if not isinstance(name, str) or not _PARAMETER.fullmatch(name):
        raise ValueError(f"a parameter's name has letters, digits and . _ -, not {str(name)[:80]!r}")
    if name.lower() in _OURS:
        raise ValueError(f"listen sets {name} itself: give timeout or limit")
    if not isinstance(value, str | int) or not _VALUE.fullmatch(str(value)):
        raise ValueError(f"the parameter {name} takes letters, digits and / . _ - + @ ~, not {str(value)[:80]!r}")


def _result(completion: Described) -> str:
    return completion.get("variable_detect_speech_result") or ""
