"""The verbs that connect the caller with someone else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

from gevent.event import Event

from fsivr.call.dialling import RINGBACK, Dialling, dialling, legs_of, outcome
from fsivr.call.leg import Leg
from fsivr.call.line import Line
from fsivr.causes import HangupCause
from fsivr.errors import ReplyTimeout
from fsivr.prompts import PromptLike

_LONGEST = 86400  # seconds of a conversation
_TAKEN = 10.0  # seconds that the switch has to take a call away

# A blank separates the words of a transfer, a minus begins an option, `$` a variable.
_EXTENSION = re.compile(r"[A-Za-z0-9_+*#][A-Za-z0-9_.+*#@~-]{0,127}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class Connecting(Line):
    """A call that can be connected with others."""

    def bridge(
        self,
        destination: str | Sequence[str],
        *,
        timeout: float = 30.0,
        in_order: bool = False,
        caller_id: str | None = None,
        caller_name: str | None = None,
        confirm: PromptLike | Sequence[PromptLike] | None = None,
        confirm_key: str = "1",
        confirm_timeout: float = 15.0,
        whisper: PromptLike | Sequence[PromptLike] | None = None,
        ringback: PromptLike | None = None,
    ) -> Leg:
        """The other party's leg, once it has failed or the conversation has ended.

        A failure does not end the call: look at ``answered`` and ``hangup_cause``.

        :param destination: an endpoint, as ``user/agent`` or ``sofia/gateway/carrier/4930123``; or several, all
            called at once, of which the first to answer gets the caller.
        :param timeout: seconds to ring.
        :param in_order: call one after the other instead, each for ``timeout``.
        :param caller_id: the number the others see, the caller's own where left out. What a number cannot have
            is dropped from it, and nothing is sent of an empty one.
        :param caller_name: the name they see, in the same way.
        :param confirm: played, again and again, to whoever answers, who gets the caller by pressing ``confirm_key``.
        :param confirm_timeout: seconds to press it; then that leg counts as not answered.
        :param whisper: played to whoever answers before they are connected; the caller does not hear it.
        :param ringback: what the caller hears meanwhile, again and again: a sound file, a ``Tone``, ``Silence``.
            Where left out, what the other side sends, if only one is called.
        :raises ValueError: a destination with characters that would mean something else to the switch, or another
            argument out of range.
        """
        wanted = [destination] if isinstance(destination, str) else list(destination)
        legs = legs_of(wanted)
        dial = dialling(
            self._library,
            timeout=timeout,
            caller_id=caller_id,
            name=caller_name,
            confirm=confirm,
            confirm_key=confirm_key,
            confirm_timeout=confirm_timeout,
            whisper=whisper,
            ringback=ringback,
        )
        leg = self._in_order(dial, legs) if in_order and len(legs) > 1 else self._dial(dial, legs)
        self._use_keys()
        return leg

    def transfer(self, extension: str, *, context: str = "default", dialplan: str = "XML") -> NoReturn:
        """Hand the call to the switch's own dialplan; does not return.

        The call goes on there, out of our hands; ``on_hangup`` is called now, with the
        cause ``BLIND_TRANSFER``. A dialplan that does not know the extension ends the call.

        :param extension: the number in that dialplan.
        :raises Hangup: always, unless the switch does not take the call.
        :raises ReplyTimeout: it does not.
        :raises ValueError: words with characters that would mean something else to the switch.
        """
        if not isinstance(extension, str) or not _EXTENSION.fullmatch(extension):
            raise ValueError(
                f"an extension has letters, digits and _ . + * # @ ~ -, and no - first, not {str(extension)[:80]!r}"
            )
        for what, name in (("context", context), ("dialplan", dialplan)):
            # An inline dialplan is no name but a list of applications.
            if not isinstance(name, str) or not _NAME.fullmatch(name) or name.lower() == "inline":
                raise ValueError(f"a {what} is a name of letters, digits and _ . -, not {str(name)[:80]!r}")
        gone = Event()
        cancel = self._session.when_over(gone.set)
        try:
            self._session.execute("transfer", f"{extension} {dialplan} {context}", timeout=_TAKEN)
            # Only the end of the socket application, right after, says that it was taken (FACTS 5.5).
            gone.wait(_TAKEN)
        finally:
            cancel()
        self._session.api("uuid_exists", self.uuid)  # raises Hangup, with what it was
        raise ReplyTimeout(f"the switch did not take the call to {extension!r} within {_TAKEN:g} s")

    # -- how they work ----------------------------------------------------------------

    def _in_order(self, dial: Dialling, legs: Mapping[str, str]) -> Leg:
        causes: dict[str, HangupCause] = {}
        for each in legs:
            leg = self._dial(dial, {each: legs[each]})
            if leg.answered:
                return replace(leg, causes=causes)
            causes[leg.destination] = leg.hangup_cause
        return replace(leg, destination="", causes=causes)

    def _dial(self, dial: Dialling, legs: Mapping[str, str]) -> Leg:
        self._session.post("uuid_setvar_multi", f"{self.uuid} {dial.settings()}")
        before = self._ring_with(dial.ringback) if dial.ringback else {}
        try:
            return outcome(self._session.execute("bridge", dial.text(legs), timeout=_LONGEST), legs)
        finally:
            for name, value in before.items():
                self._session.post("uuid_setvar", f"{self.uuid} {name} {value}".rstrip())

    def _ring_with(self, sound: str) -> dict[str, str]:
        """What the caller heard while it rings until now, to be set again."""
        before = {name: self.variables.get(name, "") for name in RINGBACK}
        for name in RINGBACK:
            self._session.post("uuid_setvar", f"{self.uuid} {name} {sound}")
        # A sound's name has none of these; with them, it would be another text to the command.
        return {name: "" if set(value) & set("'\\\r\n\0") else value for name, value in before.items()}
