"""Sound files: 8 kHz, one channel, 16 bits, which the switch plays as they are; and what is wrong with others."""

from __future__ import annotations

import math
import os
import sys
import wave
from array import array
from dataclasses import dataclass
from operator import mul
from pathlib import Path

#: Samples a second of a telephone call.
RATE = 8000

_FULL = 32767
_SILENT = 104  # a peak of -50 dB: what a caller takes for a dead line
_CLIPPED = 3  # samples in a row at full scale; a loud one has a single one there
_PEAK = 0.7 * _FULL  # -3 dB, which leaves a gateway room
_CUTOFF = 3600.0  # Hz; the telephone's band ends at 3400
_LOBES = 12  # of the sinc, at either side: more is sharper and slower
_QUIET = 0.01  # of the peak: below is no speech
_MARGIN = 0.1  # seconds that are left before and after it


@dataclass(frozen=True, slots=True)
class Sound:
    """One channel of 16-bit samples."""

    rate: int
    samples: array[int]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


def read_sound(path: Path) -> Sound:
    """The sound in a WAV file.

    :raises ValueError: it is no WAV of one channel of 16 bits; the message says what it is.
    :raises OSError: it cannot be read.
    """
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"is no WAV of 16-bit samples: {str(error) or 'it ends too early'}") from None
    if channels != 1:
        raise ValueError(f"has {channels} channels, not 1")
    if width != 2:
        raise ValueError(f"has {8 * width} bits a sample, not 16")
    samples = array("h")
    samples.frombytes(data[: len(data) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return Sound(rate, samples)


def write_sound(path: Path, sound: Sound) -> None:
    """Write a WAV file, whole or not at all; folders are made as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = array("h", sound.samples)
    if sys.byteorder == "big":
        samples.byteswap()
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with wave.open(str(unfinished), "wb") as file:
            file.setparams((1, 2, sound.rate, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def faults(path: Path) -> list[str]:
    """What is wrong with a sound file, in words; none where a caller hears it as it should be."""
    try:
        sound = read_sound(path)
    except ValueError as error:
        return [str(error)]
    except OSError as error:
        return [f"cannot be read: {error.strerror}"]
    found = [] if sound.rate == RATE else [f"has {sound.rate} samples a second, not {RATE}"]
    if not sound.samples:
        return [*found, "is empty"]
    if max(map(abs, sound.samples)) < _SILENT:
        found.append("is silent")
    if _is_clipped(sound.samples):
        found.append("is clipped: louder than a sample can hold")
    return found


def _is_clipped(samples: array[int]) -> bool:
    in_a_row, before = 0, 0
    if max(samples) < _FULL and min(samples) > -_FULL:
        return False
    for sample in samples:
        side = (sample >= _FULL) - (sample <= -_FULL)
        in_a_row = in_a_row + 1 if side and side == before else int(bool(side))
        if in_a_row >= _CLIPPED:
            return True
        before = side
    return False


def for_telephone(sound: Sound) -> Sound:
    """The same at 8 kHz, without the silence around it, and as loud as a prompt should be."""
    samples = _trimmed(_resampled(sound.samples, sound.rate), RATE)
    peak = max(map(abs, samples), default=0.0)
    scale = _PEAK / peak if peak else 0.0
    return Sound(RATE, array("h", [round(sample * scale) for sample in samples]))


def _trimmed(samples: list[float], rate: int) -> list[float]:
    floor = _QUIET * max(map(abs, samples), default=0.0)
    loud = [at for at, sample in enumerate(samples) if abs(sample) > floor]
    if not loud:
        return samples
    margin = round(_MARGIN * rate)
    return samples[max(0, loud[0] - margin) : loud[-1] + 1 + margin]


def _resampled(samples: array[int], rate: int) -> list[float]:
    """At 8 kHz: each new sample is a sum of those around its time, weighed by a windowed sinc."""
    if rate == RATE or not samples:
        return [float(sample) for sample in samples]
    common = math.gcd(rate, RATE)
    step, phases = rate // common, RATE // common
    reach = math.ceil(_LOBES * rate / (2 * _CUTOFF))
    weights = [_weights(phase / phases, reach, rate) for phase in range(phases)]
    padded = array("d", [0.0] * reach) + array("d", samples) + array("d", [0.0] * (reach + 1))
    out = []
    for at in range(len(samples) * phases // step):
        whole, phase = divmod(at * step, phases)
        out.append(sum(map(mul, weights[phase], padded[whole : whole + 2 * reach + 1])))
    return out


def _weights(offset: float, reach: int, rate: int) -> list[float]:
    raw = []
    for tap in range(-reach, reach + 1):
        away = tap - offset
        angle = 2 * math.pi * _CUTOFF / rate * away
        window = 0.5 + 0.5 * math.cos(math.pi * away / (reach + 1))
        raw.append((math.sin(angle) / angle if angle else 1.0) * window)
    total = sum(raw)
    return [weight / total for weight in raw]
