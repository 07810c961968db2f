"""Call: the conversation a handler holds, from the dialplan to the hangup."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NoReturn, Protocol, TypeVar

from fsivr.causes import HangupCause
from fsivr.channel import Channel, Control, Described, Variables
from fsivr.dialstring import checked_destination
from fsivr.errors import Hangup, PromptError
from fsivr.leg import Leg
from fsivr.prompts import Prompt, PromptLibrary, PromptLike
from fsivr.questions import choices_of, question

T = TypeVar("T")

# Digits that end a prompt or a sleep by themselves would make either's length the
# caller's choice: `*` ends a playback by default (capture 11j_playback_terminators).
_AT_START = "playback_terminators=none;sleep_eat_digits=true"


class Session(Control, Protocol):
    """What a call needs of the event socket; each method raises ``Hangup`` when the call is over."""

    @property
    def over(self) -> bool:
        """Whether the call is over."""

    @property
    def hangup_cause(self) -> HangupCause | None:
        """Why it ended."""

    def execute(self, application: str, argument: str = "", *, timeout: float | None = None) -> Described:
        """Run an application and wait for its end."""

    def execute_all(self, steps: Sequence[tuple[str, str]], *, timeout: float | None = None) -> Sequence[Described]:
        """Run several without a gap and wait for the end of the last."""

    def api(self, command: str, argument: str = "") -> str:
        """Ask an API command and wait for what it prints."""

    def post(self, command: str, argument: str = "") -> None:
        """Have an API command run before what is sent next."""

    def kill(self, cause: HangupCause) -> None:
        """Hang up now."""


class Call:
    """One call. Its verbs block until done and return what happened.

    Every verb raises ``Hangup`` as soon as the call is over, and
    ``fsivr.ReplyTimeout`` when the switch has not finished it in time.
    """

    def __init__(self, session: Session, library: PromptLibrary | None = None) -> None:
        self._session = session
        self._library = library or PromptLibrary()
        #: The caller's leg: number, name, dialled number, variables.
        self.channel = Channel(session)
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

    # -- the verbs --------------------------------------------------------------------

    def answer(self) -> None:
        """Answer the call; does nothing to one that is answered."""
        self._session.execute("answer")

    def play(self, *prompts: PromptLike, timeout: float | None = None) -> None:
        """Play prompts one after the other, without a gap between them.

        :param prompts: sound files by name, whole numbers to say, ``Say``, ``Speak``, ``Tone``, ``Silence``.
        :param timeout: seconds they may take together.
        :raises PromptError: the switch could not play one of them; the others were played.
        """
        if not prompts:
            raise ValueError("nothing to play: give at least one prompt")
        steps = self._library.steps(prompts)
        completions = self._session.execute_all([step for _, step in steps], timeout=timeout)
        for at, completion in enumerate(completions):
            said = completion.get("Application-Response")
            if said == "FILE NOT FOUND" or said == "PLAYBACK ERROR":  # noqa: PLR1714
                self._not_played(steps[at][0], said)

    def ask(
        self,
        *prompts: PromptLike,
        digits: int | tuple[int, int],
        timeout: float = 5.0,
        digit_timeout: float = 3.0,
        terminator: str = "#",
        pattern: str | None = None,
        tries: int = 3,
        no_input: PromptLike | None = None,
        no_match: PromptLike | None = None,
    ) -> str:
        """The digits the caller keyed.

        The caller may key before the prompts have ended, and the first digit ends
        them; but keys pressed during a value that is said (``Say``, a number) are lost.

        :param digits: how many: ``4``, or the fewest and the most as ``(1, 8)``.
        :param timeout: seconds to wait for the first digit after the prompts.
        :param digit_timeout: seconds to wait for each further digit.
        :param terminator: keys that end the input; ``""`` for none.
        :param pattern: a regular expression that the digits must match whole.
        :param tries: how often to ask before giving up.
        :param no_input: played after a try without a digit, before the next.
        :param no_match: played after a try with the wrong digits, before the next.
        :raises NoInput: nothing was keyed in the last try.
        :raises NoMatch: something else was; ``.digits`` holds it.
        :raises PromptError: the switch could not play the prompts.
        """
        asked = question(
            self._library, digits, timeout, digit_timeout, terminator, pattern, tries, no_input, no_match, *prompts
        )
        return asked.ask(self._session, self._play_one)

    def menu(
        self,
        prompts: PromptLike | Sequence[PromptLike],
        choices: Mapping[str, T],
        *,
        timeout: float = 5.0,
        digit_timeout: float = 3.0,
        tries: int = 3,
        no_input: PromptLike | None = None,
        no_match: PromptLike | None = None,
    ) -> T:
        """The choice the caller made: the value of the keys that were pressed.

        :param prompts: what tells the caller the choices: one prompt, or several.
        :param choices: by the keys that choose them, as ``{"1": self.sales, "0": self.agent}``.
        :raises NoInput: nothing was keyed in the last try.
        :raises NoMatch: something that is no choice was.
        """
        spoken = [prompts] if isinstance(prompts, PromptLike) else prompts
        keys = choices_of(choices)
        keyed = self.ask(
            *spoken,
            digits=keys.digits,
            timeout=timeout,
            digit_timeout=digit_timeout,
            terminator=keys.terminator,
            pattern=keys.pattern,
            tries=tries,
            no_input=no_input,
            no_match=no_match,
        )
        return choices[keyed]

    def sleep(self, seconds: float) -> None:
        """Keep the line open in silence for so many seconds; keys pressed meanwhile are dropped."""
        if not 0 < seconds <= 86400:
            raise ValueError(f"sleep takes seconds above 0 and up to 86400, not {seconds!r}")
        self._session.execute("sleep", str(max(1, round(seconds * 1000))), timeout=seconds + 30)

    def bridge(self, destination: str, *, timeout: float = 30.0) -> Leg:
        """The other party's leg, once it has failed or the conversation has ended.

        A failure does not end the call: look at ``answered`` and ``hangup_cause``.

        :param destination: an endpoint, as ``user/agent`` or ``sofia/gateway/carrier/4930123``.
        :param timeout: seconds to ring.
        :raises ValueError: a destination with characters that would mean something else to the switch.
        """
        checked_destination(destination)
        if not 0 < timeout <= 3600:
            raise ValueError(f"bridge rings for seconds above 0 and up to 3600, not {timeout!r}")
        self._session.post(
            "uuid_setvar_multi",
            f"{self.uuid} continue_on_fail=true;hangup_after_bridge=false;call_timeout={math.ceil(timeout)}",
        )
        # Early media would end the ringing for the switch, and with it the timeout.
        return _leg(
            destination, self._session.execute("bridge", "{ignore_early_media=true}" + destination, timeout=86400)
        )

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

    def _play_one(self, one: Prompt) -> None:
        self.play(one)

    def _not_played(self, played: Prompt, said: str) -> NoReturn:
        if said == "PLAYBACK ERROR":
            # Also what a transfer from outside leaves behind (capture
            # 11f_uuid_transfer_from_outside): one round trip, and we know.
            self._session.api("uuid_exists", self.uuid)
        raise PromptError(f"the switch could not play {played}: {said}")


def _leg(destination: str, completion: Described) -> Leg:
    """Read a bridge's outcome from its variables, of which many are left over from earlier ones.

    FACTS 7.3 in docs/esl-quirks.md (captures 05a to 05k): only
    ``originate_disposition`` is set anew by every attempt.
    """
    disposition = completion.get("variable_originate_disposition")
    if disposition != "SUCCESS":
        return Leg(destination, False, HangupCause.parse(disposition), 0.0, "")
    # A leg that only sent early media is a success to the switch too.
    answered = _microseconds(completion, "Other-Leg-Channel-Answered-Time")
    ended = _microseconds(completion, "Event-Date-Timestamp")
    return Leg(
        destination,
        bool(answered),
        HangupCause.parse(completion.get("variable_bridge_hangup_cause"), HangupCause.NORMAL_CLEARING),
        max(0.0, (ended - answered) / 1e6) if answered else 0.0,
        completion.get("variable_bridge_uuid") or "",
    )


def _microseconds(completion: Described, header: str) -> int:
    text = completion.get(header) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
