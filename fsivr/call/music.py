"""Music: what the caller hears while the program works."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Self

from fsivr.call.playing import FAILED
from fsivr.call.session import Running, Session
from fsivr.errors import Hangup, PromptError
from fsivr.prompts import Prompt, PromptLibrary, PromptLike, Tone, prompt

log = logging.getLogger(__name__)


def sound(library: PromptLibrary, value: PromptLike) -> tuple[Prompt, str]:
    """A prompt that can be music, and the file that the switch is to repeat.

    :raises ValueError: it is no sound.
    """
    meant = prompt(value)
    if not library.is_file(meant):
        raise ValueError(f"music is a sound file, Tone or Silence, not {meant}")
    file = library.file(meant)
    # A tone is often shorter than what the switch would repeat.
    endless = isinstance(meant, Tone) and "loops=" not in meant.spec
    return meant, f"{file};loops=-1" if endless else file


class Music:
    """A ``with`` block in which the caller hears a sound, again and again.

    :param take_turn: called as it begins and as it is over; refuses a second music inside the first.
    """

    def __init__(self, session: Session, meant: Prompt, file: str, take_turn: Callable[[bool], None]) -> None:
        self._session = session
        self._prompt = meant
        self._file = file
        self._take_turn = take_turn
        self._running: Running | None = None

    def __enter__(self) -> Self:
        self._take_turn(True)
        try:
            self._running = self._session.begin("playback", self._file, loops=-1)
        except BaseException:
            self._take_turn(False)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._take_turn(False)
        running, self._running = self._running, None
        try:
            said = "" if running is None else running.stop()
        except Hangup:
            if error is None:
                raise
            return  # what went wrong in the block is what is to be told
        if said == "PLAYBACK ERROR" and not self._session.over:
            # Also what a transfer from outside leaves behind (capture
            # 11f_uuid_transfer_from_outside): one round trip, and we know.
            self._session.api("uuid_exists", self._session.uuid)
        if said not in FAILED or self._session.over:
            return
        what = f"the switch could not play {self._prompt}: {said}"
        if error is None:
            raise PromptError(what)
        log.warning("call %s: %s", self._session.uuid, what)
