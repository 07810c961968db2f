"""Playing what keys may end: one prompt at a time, and the rest not at all."""

from __future__ import annotations

import time
from collections.abc import Sequence

from fsivr.call.channel import Described
from fsivr.call.keys import ALL, KEYS
from fsivr.call.session import Session
from fsivr.prompts import Prompt, Uninterrupted

#: What the switch says of a prompt that it could not play (FACTS 3.12).
FAILED = ("FILE NOT FOUND", "PLAYBACK ERROR")


def not_played(completion: Described) -> str:
    """What the switch said of a prompt that it could not play; ``""`` where it played it."""
    said = completion.get("Application-Response") or ""
    return said if said in FAILED else ""


def ending_keys(interrupt: str) -> str:
    """The keys that ``Call.play``'s ``interrupt`` means.

    :raises ValueError: it is neither ``any`` nor keys.
    """
    if interrupt == "any":
        return ALL
    if not isinstance(interrupt, str) or not KEYS.fullmatch(interrupt):
        raise ValueError(f"interrupt holds keys 0-9 * # A-D, or is 'any', not {interrupt!r}")
    return interrupt


class Interruptible:
    """Prompts that keys may end.

    Queued together, each of them would take a key of its own to end (FACTS 4.4); what
    was queued and is then flushed would never be heard of (FACTS 3.7). So each is sent
    when the one before it has ended.

    :param keys: those that end them.
    """

    def __init__(self, session: Session, keys: str) -> None:
        self._session = session
        self._keys = keys
        self._listening = False
        self._pressed = ""
        #: Each prompt that was not played, and what the switch said of it.
        self.failed: list[tuple[Prompt, str]] = []

    def play(self, steps: Sequence[tuple[Prompt, tuple[str, str]]], timeout: float | None) -> str:
        """The key that ended them; ``""`` where they were heard to their end."""
        ends = None if timeout is None else time.monotonic() + timeout
        cancel = self._session.watch("DTMF", self._on_digit)
        try:
            for one, (application, argument) in steps:
                left = None if ends is None else max(0.0, ends - time.monotonic())
                if key := self._one(one, application, argument, left):
                    return key
            return ""
        finally:
            cancel()
            self._set("none", now=True)  # or keys would end the music around it

    def _one(self, one: Prompt, application: str, argument: str, timeout: float | None) -> str:
        whole = isinstance(one, Uninterrupted)
        self._set("none" if whole else self._keys)
        self._listening = not whole
        completion = self._session.execute(application, argument, timeout=timeout)
        if said := not_played(completion):
            self.failed.append((one, said))
        if whole:
            return ""
        # The key may have been taken between two prompts, where nothing looks at it (FACTS 4.2).
        return self._pressed or completion.get("variable_playback_terminator_used") or ""

    def _set(self, terminators: str, *, now: bool = False) -> None:
        self._session.post(
            "uuid_setvar_multi",
            f"{self._session.uuid} playback_terminators={terminators};playback_terminator_used=",
            now=now,
        )

    def _on_digit(self, event: Described) -> None:
        key = event.get("DTMF-Digit") or ""
        if self._listening and not self._pressed and len(key) == 1 and key in self._keys:
            self._pressed = key
