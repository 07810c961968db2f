"""WAV files of the simulated switch: 8 kHz, 16 bit, silence but for where somebody talks."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable

RATE = 8000
#: Bytes before the first sample.
HEADER = 44
_WIDTH = 2
_SECOND = [round(1200 * math.sin(2 * math.pi * 300 * at / RATE)) for at in range(RATE)]


def size(samples: int, channels: int) -> int:
    """The bytes of a file with so many samples in each channel."""
    return HEADER + samples * channels * _WIDTH


def write(path: str, samples: int, channels: int, sounding: Iterable[tuple[float, float]]) -> None:
    """Write a whole file: a soft tone in the first channel during the given seconds, and silence.

    Silence is not written out, so that an hour of it costs no more than a moment.

    :raises OSError: it cannot be written.
    """
    with open(path, "wb") as file:
        file.write(_header(samples, channels))
        file.truncate(size(samples, channels))
        for start, end in sounding:
            first, last = (min(samples, round(at * RATE)) for at in (start, end))
            file.seek(size(first, channels))
            for at in range(first, last, RATE):
                file.write(_tone(min(RATE, last - at), channels))


def _tone(samples: int, channels: int) -> bytes:
    rest = (0,) * (channels - 1)
    values = [value for sample in _SECOND[:samples] for value in (sample, *rest)]
    return struct.pack(f"<{len(values)}h", *values)


def _header(samples: int, channels: int) -> bytes:
    block = channels * _WIDTH
    data = samples * block
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, RATE, RATE * block, block, _WIDTH * 8)
    return struct.pack("<4sI4s", b"RIFF", HEADER - 8 + data, b"WAVE") + form + struct.pack("<4sI", b"data", data)
