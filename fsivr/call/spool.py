"""Spool: the folder that recordings are written into, and whether the switch can."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fsivr.call.session import Session
from fsivr.causes import HangupCause
from fsivr.errors import CommandRefused, Hangup, RecordingError

if TYPE_CHECKING:
    from fsivr.call.keeping import Keeper

# It becomes part of commands and of applications' arguments, where blanks part words.
_FOLDER = re.compile(r"/[\w/.+=@-]+", re.ASCII)
# Seconds for which a folder that could be written into is not tried again.
_TRUSTED = 300.0
# Shorter recordings are thrown away by the switch itself (FACTS 7.12).
_NEVER_KEPT = 3600


class Spool:
    """Names for recordings, of nothing but the time and chance.

    :param folder: as the switch sees it; a relative one is of the current folder.
    :param keeper: who keeps what is recorded; where None, the files stay as the switch leaves them.
    :param classes: the classes of the setting ``retention``.
    """

    def __init__(
        self, folder: str = "recordings", *, keeper: Keeper | None = None, classes: Collection[str] = ("default",)
    ) -> None:
        self.folder = os.path.abspath(folder)
        #: Who keeps what is recorded.
        self.keeper = keeper
        self._classes = classes
        self._proven: dict[str, float] = {}

    def new(self) -> tuple[str, str]:
        """An id that sorts by time, and the path of the file: in the spool, or by its day where nobody keeps it.

        :raises RecordingError: the folder's name has characters that the switch cannot take.
        """
        if not _FOLDER.fullmatch(self.folder):
            raise RecordingError(
                f"recordings cannot go to {self.folder!r}: the setting recordings_path is to be a path of "
                "letters, digits and / . _ - + = @"
            )
        now = datetime.now(UTC)
        id = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z-{secrets.token_hex(6)}"
        return id, day_path(self.folder, id) if self.keeper is None else f"{self.folder}/spool/{id}.wav"

    def check_class(self, retention: str) -> None:
        """See that recordings may be kept as this class says.

        :raises ValueError: the setting ``retention`` has no such class.
        """
        if retention not in self._classes:
            classes = ", ".join(map(repr, self._classes))
            raise ValueError(f"retention is a class of the setting retention, {classes}, not {str(retention)[:80]!r}")

    def prove(self, session: Session, path: str) -> None:
        """See that the switch can write beside a path, by a recording that it throws away; its folder is made.

        ``record`` ends the call where it cannot (FACTS 3.8), ``uuid_record`` says so
        (FACTS 7.11). The switch is asked, for it is the one that writes: as its own
        user, on its own machine.

        :raises RecordingError: it cannot.
        """
        folder = os.path.dirname(path)
        if time.monotonic() < self._proven.get(folder, 0.0):
            return
        trial = f"{folder}/.{secrets.token_hex(6)}.wav"
        session.post("uuid_setvar", f"{session.uuid} RECORD_MIN_SEC {_NEVER_KEPT}")
        try:
            order(session, "start", trial)
        finally:
            session.post("uuid_setvar", f"{session.uuid} RECORD_MIN_SEC")
        order(session, "stop", trial)
        if len(self._proven) > 16:  # one more each day
            self._proven.clear()
        self._proven[folder] = time.monotonic() + _TRUSTED


def day_path(folder: str, id: str) -> str:
    """Where the file of a recording is that is kept: ``FOLDER/2026/11/24/ID.wav``, in UTC."""
    return f"{folder}/{id[:4]}/{id[4:6]}/{id[6:8]}/{id}.wav"


def order(session: Session, action: str, path: str) -> None:
    """Have ``uuid_record`` do something: start, stop, pause, resume, mask, unmask.

    :raises RecordingError: the switch cannot.
    """
    try:
        session.api("uuid_record", f"{session.uuid} {action} {path}")
    except CommandRefused as error:
        # So it answers for a channel that hangs up, too; that event comes with the next answer (FACTS 2.8).
        session.api("uuid_exists", session.uuid)
        if session.over:
            raise Hangup(session.hangup_cause or HangupCause.NORMAL_UNSPECIFIED) from None
        raise RecordingError(f"the switch cannot {action} the recording {path}: {error}") from None
