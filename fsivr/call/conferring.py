"""The verb that brings the caller into a conference."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable

from fsivr.call.asking import Asking
from fsivr.call.channel import Described
from fsivr.call.conference import ConferenceStay, checked_conference
from fsivr.call.meeting import LONGEST, between, checked_name, checked_number
from fsivr.errors import NoInput, NoMatch
from fsivr.prompts import PromptLike

_PIN = re.compile(r"[0-9]{1,32}")


class Conferring(Asking):
    """A call that can be in a conference."""

    def conference(
        self,
        name: str,
        *,
        pin: str | None = None,
        pin_prompt: PromptLike | None = None,
        wrong_pin: PromptLike | None = None,
        tries: int = 3,
        moderator: bool = False,
        muted: bool = False,
        limit: int | None = None,
        profile: str = "default",
    ) -> ConferenceStay:
        """What became of the caller in a conference, once it is over for the caller.

        :param name: up to 64 letters, digits and ``_ . -``; the first to come makes the conference.
        :param pin: the digits that let the caller in; asked for with ``pin_prompt``.
        :param wrong_pin: played after a wrong pin, before the next try.
        :param tries: how often the pin is asked for.
        :param limit: the most members, 2 or more; what the first to come says is what counts.
        :param profile: of the switch's conference.conf.
        :raises NoMatch: the pin was wrong in the last try.
        :raises NoInput: nothing was keyed in the last try.
        :raises ModuleMissing: the switch has no mod_conference.
        """
        checked_conference(name)
        checked_name("conference profile", profile)
        size = "" if limit is None else str(checked_number("limit", limit, 2, 100_000))
        if pin is not None:
            _check_pin(pin, pin_prompt, tries)
        self._require("mod_conference", "conference")
        if pin is not None and pin_prompt is not None:
            self._ask_pin(pin, pin_prompt, wrong_pin, tries)
        # Without the first, a conference that ends hangs up its members; the second is
        # set anew for those who are let in (mod_conference.c).
        self._prepare(
            f"hangup_after_conference=false;conference_member_id=;conference_max_members={size};"
            "conference_enforce_security=true"
        )
        flags = "|".join(flag for flag, wanted in (("moderator", moderator), ("mute", muted)) if wanted)
        kicked: list[Described] = []

        def look(event: Described) -> None:
            if event.get("Action") == "kick-member":
                kicked.append(event)

        unwatch = self._session.watch("CUSTOM conference::maintenance", look)
        try:
            argument = f"{name}@{profile}" + (f"+flags{{{flags}}}" if flags else "")
            began, end, _ = self._lend("conference", argument)
        finally:
            unwatch()
        entered = bool(end.get("variable_conference_member_id"))
        return ConferenceStay(name, entered, between(began, end), bool(kicked))

    # -- how they work ----------------------------------------------------------------

    def _lend(
        self, application: str, argument: str, taken: Callable[[Described], bool] | None = None
    ) -> tuple[Described | None, Described, Described | None]:
        """When it began, when it ended, and when the talk that came of it ended."""
        self._session.refresh()
        self.channel._keep_identity()
        began = self._session.channel
        end, back = self._session.lend(application, argument, timeout=LONGEST, taken=taken)
        self._use_keys()
        return began, end, back

    def _prepare(self, variables: str) -> None:
        """Set variables that the switch reads, and delete those of the last time that it does not."""
        self._session.post("uuid_setvar_multi", f"{self.uuid} {variables}")

    def _ask_pin(self, pin: str, pin_prompt: PromptLike, wrong_pin: PromptLike | None, tries: int) -> None:
        """Let nobody pass who does not key the pin, which the switch never sees."""
        for remaining in reversed(range(tries)):
            keyed = ""
            try:
                keyed = self.ask(pin_prompt, digits=(1, len(pin)), tries=1, sensitive=True)
            except NoInput:
                if not remaining:
                    raise
            except NoMatch:
                pass
            if hmac.compare_digest(keyed, pin):
                return
            if wrong_pin is not None and remaining:
                self.play(wrong_pin)
        raise NoMatch(f"the conference's pin was not keyed in {tries} tries" if tries > 1 else "the pin was wrong")


def _check_pin(pin: str, pin_prompt: PromptLike | None, tries: int) -> None:
    if not isinstance(pin, str) or not _PIN.fullmatch(pin):
        raise ValueError("a pin is 1 to 32 digits, as text")  # and what it was is not said
    if pin_prompt is None:
        raise ValueError("a pin needs a pin_prompt, which asks for it")
    checked_number("tries", tries, 1, 100)
