"""WAV files of the simulated switch: 8 kHz, 16 bit, silence but for where somebody talks."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import BinaryIO

RATE = 8000
#: Bytes before the first sample.
HEADER = 44
_WIDTH = 2
# What libsndfile writes for the length of a file that it has just opened.
_WHILE_OPEN = 8
_SECOND = [round(1200 * math.sin(2 * math.pi * 300 * at / RATE)) for at in range(RATE)]


def size(samples: int, channels: int) -> int:
    """The bytes of a file with so many samples in each channel."""
    return HEADER + samples * channels * _WIDTH


def begin(path: str, channels: int) -> BinaryIO:
    """A file that is being recorded: its header tells of no length until ``finish``, as libsndfile's (wav.c).

    :raises OSError: it cannot be written.
    """
    file = open(path, "wb", buffering=0)  # noqa: SIM115  it stays open for as long as is recorded
    file.write(_header(0, channels, whole=_WHILE_OPEN))
    return file


def finish(file: BinaryIO, samples: int, channels: int, sounding: Iterable[tuple[float, float]]) -> None:
    """Write the sound, then the header, and close: a soft tone in the first channel during the given seconds.

    Silence is not written out, so that an hour of it costs no more than a moment.

    :raises OSError: it cannot be written.
    """
    with file:
        file.truncate(size(samples, channels))
        for start, end in sounding:
            first, last = (min(samples, round(at * RATE)) for at in (start, end))
            file.seek(size(first, channels))
            for at in range(first, last, RATE):
                file.write(_tone(min(RATE, last - at), channels))
        file.seek(0)
        file.write(_header(samples, channels))


def write(path: str, samples: int, channels: int, sounding: Iterable[tuple[float, float]]) -> None:
    """Write a whole file, see ``finish``.

    :raises OSError: it cannot be written.
    """
    finish(begin(path, channels), samples, channels, sounding)


def _tone(samples: int, channels: int) -> bytes:
    rest = (0,) * (channels - 1)
    values = [value for sample in _SECOND[:samples] for value in (sample, *rest)]
    return struct.pack(f"<{len(values)}h", *values)


def _header(samples: int, channels: int, *, whole: int | None = None) -> bytes:
    block = channels * _WIDTH
    data = samples * block
    whole = HEADER - 8 + data if whole is None else whole
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, RATE, RATE * block, block, _WIDTH * 8)
    return struct.pack("<4sI4s", b"RIFF", whole, b"WAVE") + form + struct.pack("<4sI", b"data", data)
