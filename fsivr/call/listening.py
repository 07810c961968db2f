"""The verbs that listen: what the caller says, and whether a machine answered."""

from __future__ import annotations

from collections.abc import Mapping

from fsivr.call.answerer import Answerer, detect
from fsivr.call.hearing import SpokenQuestion
from fsivr.call.line import Line
from fsivr.call.ranges import check_seconds
from fsivr.call.speech import Missed, Speech
from fsivr.prompts import PromptLike, prompt

_LONGEST = 600


class Listening(Line):
    """A call in which what is said is understood."""

    def listen(
        self,
        *prompts: PromptLike,
        grammar: str = "default",
        engine: str = "pocketsphinx",
        timeout: float = 5.0,
        limit: float = 15.0,
        tries: int = 3,
        no_input: PromptLike | None = None,
        no_match: PromptLike | None = None,
        confidence: float = 0.0,
        parameters: Mapping[str, str | int] | None = None,
    ) -> Speech:
        """What the caller said, as a speech engine of the switch understood it.

        The caller may speak before sound files have ended, and ends them so; what is
        said during a value that is said (``Say``, ``Speak``, a number) is lost.

        :param grammar: what may be said: a grammar file of the switch by its name, or one the
            engine has built in, as ``builtin:grammar/boolean``; engines without grammars ignore it.
        :param engine: the engine's module without ``mod_``, also with a profile: ``unimrcp:profile``.
        :param timeout: seconds until the caller begins to speak, after the prompts.
        :param limit: seconds the caller may speak.
        :param tries: how often to ask before giving up.
        :param no_input: played after a try in which nothing was said, before the next.
        :param no_match: played after a try with something else, before the next.
        :param confidence: how sure the engine must be at least, from 0 to 1; what is below is no match.
        :param parameters: further ones for the engine, as ``{"speech-language": "de-DE"}``.
        :raises NoInput: nothing was said in the last try.
        :raises NoMatch: something that the engine did not understand, or not surely enough; ``.digits`` is ``""``.
        :raises SpeechError: the engine failed, or its answer cannot be read.
        :raises ModuleMissing: the switch has not loaded the engine's module.
        :raises PromptError: the switch could not play the prompts.
        """
        asked = SpokenQuestion(
            self._library,
            [prompt(each) for each in prompts],
            grammar,
            engine,
            timeout,
            limit,
            tries,
            confidence,
            None if no_input is None else prompt(no_input),
            None if no_match is None else prompt(no_match),
            parameters or {},
        )
        try:
            return asked.ask(self._session, self.play, self._not_played, self._spoken_try)
        finally:
            self._use_keys()

    def detect_machine(self, *, timeout: float = 10.0, beep: bool = False, beep_timeout: float = 30.0) -> Answerer:
        """Who has answered a call that was placed: a person or an answering machine.

        Needs mod_amd, which is no part of FreeSWITCH's own source, and for the beep mod_avmd,
        which hears it on calls that the switch placed (mod_avmd.c, its setting ``outbound_channel``).

        :param timeout: seconds to decide; then it is ``Answerer.UNKNOWN``.
        :param beep: where it is a machine, wait for its beep, after which it records.
        :param beep_timeout: seconds to wait for that.
        :raises ModuleMissing: the switch has not loaded them.
        """
        for name, seconds in (("timeout", timeout), ("beep_timeout", beep_timeout)):
            check_seconds(name, seconds, _LONGEST)
        self._require("mod_amd", "detect_machine")
        if beep:
            self._require("mod_avmd", "detect_machine with beep=True")
        return detect(self._session, timeout, beep_timeout if beep else None)

    # -- how they work ----------------------------------------------------------------------

    def _spoken_try(self, answer: Speech | Missed) -> None:
        """A question was asked once, and this came of it."""
