"""The line to the caller: what is known of a call, and what every verb stands on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NoReturn

from fsivr.call.channel import Channel, Described, Variables
from fsivr.call.keys import Keypad
from fsivr.call.music import Music, sound
from fsivr.call.playing import Interruptible, ending_keys
from fsivr.call.session import Session
from fsivr.causes import HangupCause
from fsivr.errors import Hangup, ModuleMissing, PromptError
from fsivr.prompts import Prompt, PromptLibrary, PromptLike

# Digits that end a prompt or a sleep by themselves would make either's length the
# caller's choice: `*` ends a playback by default (capture 11j_playback_terminators).
_AT_START = "playback_terminators=none;sleep_eat_digits=true"


class Line:
    """One call, as far as every kind of verb needs it."""

    def __init__(self, session: Session, library: PromptLibrary | None = None) -> None:
        self._session = session
        self._library = library or PromptLibrary()
        #: The caller's leg: number, name, dialled number, variables.
        self.channel = Channel(session)
        self._keypad: Keypad | None = None
        self._music = False
        session.post("uuid_setvar_multi", f"{session.uuid} {_AT_START}")

    def __repr__(self) -> str:
        return f"<Call {self.uuid}>"

    # -- what is known ----------------------------------------------------------------

    @property
    def uuid(self) -> str:
        """The call's id, the same in the switch's log and in ours."""
        return self._session.uuid

    @property
    def caller(self) -> str:
        """The caller's number; text the caller chose, ``""`` where there is none."""
        return self.channel.caller_number

    @property
    def destination(self) -> str:
        """The number that was dialled."""
        return self.channel.destination

    @property
    def variables(self) -> Variables:
        """The caller's channel variables, to read and to set."""
        return self.channel.variables

    @property
    def language(self) -> str:
        """The language of prompts and values from here on, the setting ``language`` until it is set."""
        return self._library.language

    @language.setter
    def language(self, language: str) -> None:
        self._library = self._library.in_language(language)

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self._session.over

    @property
    def hangup_cause(self) -> HangupCause | None:
        """Why the call ended; None while it is up."""
        return self._session.hangup_cause

    # -- the verbs of every call ------------------------------------------------------

    def answer(self) -> None:
        """Answer the call; does nothing to one that is answered."""
        self._session.execute("answer")

    def play(self, *prompts: PromptLike, timeout: float | None = None, interrupt: str = "") -> str:
        """The key that ended the prompts, which are played one after the other; ``""`` where they were heard whole.

        Without ``interrupt`` no key ends them, and there is no gap between them.

        :param prompts: sound files by name, whole numbers to say, ``Say``, ``Speak``, ``Tone``, ``Silence``.
        :param timeout: seconds they may take together.
        :param interrupt: the keys that end them, as ``"#"``, or ``"any"``; an ``Uninterrupted`` one is heard whole.
        :raises PromptError: the switch could not play one of them; the others were played.
        """
        if not prompts:
            raise ValueError("nothing to play: give at least one prompt")
        if interrupt or not isinstance(interrupt, str):
            keys = ending_keys(interrupt)
            return self._play_until(keys, self._library.steps(prompts), timeout)
        steps = self._library.steps(prompts)
        completions = self._session.execute_all([step for _, step in steps], timeout=timeout)
        for at, completion in enumerate(completions):
            said = completion.get("Application-Response")
            if said == "FILE NOT FOUND" or said == "PLAYBACK ERROR":  # noqa: PLR1714
                self._not_played(steps[at][0], said)
        return ""

    def music(self, prompt: PromptLike) -> Music:
        """A ``with`` block in which the caller hears a sound again and again, while the program works.

        Verbs inside the block interrupt it, and it goes on after them.

        :param prompt: a sound file of at least half a second, or a ``Tone``.
        :raises ValueError: it is text or a value to say, or there is music already.
        :raises PromptError: at the end of the block: the switch could not play it.
        """
        return Music(self._session, *sound(self._library, prompt), self._take_music)

    def execute(self, application: str, argument: str = "", *, timeout: float | None = None) -> Described:
        """What the switch said at the end of any dialplan application.

        For what has no verb here. The switch expands ``${...}`` in the argument:
        never build it of text that comes from a caller.

        :param timeout: seconds it may take.
        """
        return self._session.execute(application, argument, timeout=timeout)

    def hangup(self, cause: HangupCause = HangupCause.NORMAL_CLEARING) -> NoReturn:
        """End the call here; does not return.

        :raises Hangup: always.
        """
        if not isinstance(cause, HangupCause):
            raise TypeError(f"hangup takes a HangupCause, as HangupCause.USER_BUSY, not {cause!r}")
        if not self.over:
            self._session.kill(cause)
            raise Hangup(cause)
        raise Hangup(self._session.hangup_cause or cause)

    # -- how they work ----------------------------------------------------------------

    def _require(self, module: str, verb: str) -> None:
        """Make sure that the switch has a module: an application it does not know ends the call (FACTS 3.8).

        :raises ModuleMissing: it has not.
        """
        if self._session.api("module_exists", module).strip() != "true":
            raise ModuleMissing(f"{verb} needs {module}, which the switch has not loaded")

    def _masked(self) -> AbstractContextManager[None]:
        """Keep what is keyed within out of every recording; nothing where nothing records."""
        return nullcontext()

    def _use_keys(self) -> None:
        """What was keyed until now was for the verb that has ended, and is typed ahead of nothing."""
        if self._keypad is not None:
            self._keypad.forget(self._session.channel)

    def _take_music(self, plays: bool) -> None:
        if plays and self._music:
            # To end the inner one ends the outer one too (switch_ivr_parse_event, CF_STOP_BROADCAST).
            raise ValueError("there is music already: end its block first")
        self._music = plays

    def _play_one(self, one: Prompt) -> None:
        self.play(one)

    def _play_until(
        self, keys: str, steps: Sequence[tuple[Prompt, tuple[str, str]]], timeout: float | None = None
    ) -> str:
        playing = Interruptible(self._session, keys)
        key = playing.play(steps, timeout)
        if key and self._keypad is not None:
            self._keypad.use(key)
        for one, said in playing.failed:
            self._not_played(one, said)
        return key

    def _not_played(self, played: Prompt, said: str) -> NoReturn:
        if said == "PLAYBACK ERROR":
            # Also what a transfer from outside leaves behind (capture
            # 11f_uuid_transfer_from_outside): one round trip, and we know.
            self._session.api("uuid_exists", self.uuid)
        raise PromptError(f"the switch could not play {played}: {said}")
