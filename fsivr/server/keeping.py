"""What a server's calls record, told to the keeper of recordings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fsivr.call import Circumstances, Recording
from fsivr.config import Settings
from fsivr.recordings import Folders, Keeper, Sidecar
from fsivr.store import Journal


class Keeping:
    """A ``fsivr.call.Keeper`` that seals files, and has rows written.

    :param settings: ``recordings_path`` and ``node`` of them.
    :param journal: what writes the rows.
    """

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._node = settings.node_name
        self._keeper = Keeper(Folders(settings.recordings_path), journal, node=self._node)
        self.start = self._keeper.start
        self.close = self._keeper.close

    def begin(self, recording: Recording, known: Circumstances) -> None:
        """Have its ticket on the disk.

        :raises RecordingError: it cannot be written.
        """
        self._keeper.begin(recording.id, partial(self._ticket, recording, known))

    def began(self, recording: Recording, known: Circumstances) -> None:
        """Have its row written."""
        self._keeper.began(self._ticket(recording, known))

    def end(self, recording: Recording, known: Circumstances, moved: Callable[[bool], None]) -> None:
        """Have it moved, and sealed soon."""
        self._keeper.end(recording.id, partial(self._ticket, recording, known), moved, why=known.why_lost)

    def leave(self, recording: Recording, known: Circumstances) -> None:
        """Leave it to whoever reconciles."""
        self._keeper.leave(recording.id, partial(self._ticket, recording, known))

    def drop(self, recording: Recording, known: Circumstances) -> None:
        """Forget it, where there is no file."""
        self._keeper.drop(recording.id, partial(self._ticket, recording, known))

    def _ticket(self, recording: Recording, known: Circumstances, owner: str = "") -> Sidecar:
        ended = known.stopped is not None
        return Sidecar(
            id=recording.id,
            call=known.call,
            leg=known.call,
            handler=known.handler,
            caller=known.caller,
            dialled=known.dialled,
            started=recording.started,
            stopped=known.stopped,
            duration=recording.duration if ended else None,
            channels=recording.channels,
            rate=None,
            state="recording",
            completion="" if recording.completion is None else recording.completion.name,
            hangup_cause=known.hangup_cause,
            consent=recording.consent,
            mask_spans=recording.masked,
            node=self._node,
            retention=known.retention,
            owner=owner,
        )
