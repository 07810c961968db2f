"""What the simulated switch writes down of a channel: from when to when, what is left out, what is masked."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fsivr.simulator import wav

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel

Span = tuple[float, float]
_FRAME = 0.02
_FORMATS = (".wav",)


class Tape:
    """A sound file in the making, on the switch's clock.

    :param path: as the switch knows it; it is written below ``switch.root``.
    :raises OSError: it cannot be written, or is of an unknown format.
    """

    def __init__(self, channel: Channel, path: str, channels: int = 1, *, make_folder: bool = False) -> None:
        self._channel = channel
        self._clock = channel.switch.clock
        self.path = path
        self.channels = channels
        self.file = channel.switch.root + path
        if make_folder:
            _make(os.path.dirname(self.file))
        if not path.endswith(_FORMATS):
            raise OSError(f"{path} is of an unknown format")
        self._open = wav.begin(self.file, channels)
        self.began = self._clock.now()
        self._left_out: list[Span] = []
        self._masked: list[Span] = []
        self._since: dict[str, float] = {}

    @property
    def full_at(self) -> float:
        """When the disk has no more room."""
        return self.began + self._channel.switch.room

    def begin(self, what: str) -> None:
        """``pause`` or ``mask`` from now on."""
        self._since.setdefault(what, self._clock.now())

    def end(self, what: str) -> None:
        """``pause`` or ``mask`` no more."""
        since = self._since.pop(what, None)
        if since is not None:
            (self._masked if what == "mask" else self._left_out).append((since, self._clock.now()))

    def leave_out(self, since: float) -> None:
        """What has passed since then is not on the tape."""
        if since < self._clock.now():
            self._left_out.append((since, self._clock.now()))

    def close(self) -> int:
        """Write the file; the samples on it."""
        for what in list(self._since):
            self.end(what)
        samples = int(self._place(self._clock.now()) / _FRAME + 1e-6) * round(_FRAME * wav.RATE)
        if self._channel.silent:
            samples = 0
        spoken = _without(_without(self._channel.talks, self._left_out), self._masked)
        sounding = [(self._place(start), self._place(end)) for start, end in spoken if end > self.began]
        wav.finish(self._open, samples, self.channels, sounding)
        return samples

    def leave(self) -> None:
        """Leave the file as it is, as a switch that is killed does; nothing where it was closed."""
        self._open.close()

    def _place(self, moment: float) -> float:
        """Where a moment is on the tape, in seconds."""
        moment = min(moment, self._clock.now())
        left_out = sum(max(0.0, min(end, moment) - start) for start, end in self._left_out)
        return max(0.0, moment - self.began - left_out)


def _make(folder: str) -> None:
    if not os.path.isdir(folder):
        _make(os.path.dirname(folder))
        os.mkdir(folder, 0o750)


def _without(spans: Iterable[Span], holes: list[Span]) -> list[Span]:
    """Spans with holes cut out of them."""
    found = list(spans)
    for low, high in holes:
        found = [
            part
            for start, end in found
            for part in ((start, min(end, low)), (max(start, high), end))
            if part[0] < part[1]
        ]
    return found
