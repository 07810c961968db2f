"""Sound files: how they are brought to 8 kHz, and what is said of wrong ones."""

from __future__ import annotations

import math
import wave
from array import array
from pathlib import Path

import pytest

from fsivr.prompts.sound import RATE, Sound, faults, for_telephone, read_sound, write_sound


def tone(hertz: float, *, rate: int = RATE, seconds: float = 0.5, peak: int = 10000) -> Sound:
    """A sine of one frequency."""
    samples = (peak * math.sin(2 * math.pi * hertz * at / rate) for at in range(round(rate * seconds)))
    return Sound(rate, array("h", [round(sample) for sample in samples]))


def power(sound: Sound, hertz: float) -> float:
    """How much of a frequency there is; 1.0 for a sine of it at full scale."""
    angle = 2 * math.pi * hertz / sound.rate
    real = sum(sample * math.cos(angle * at) for at, sample in enumerate(sound.samples))
    imaginary = sum(sample * math.sin(angle * at) for at, sample in enumerate(sound.samples))
    return 2 * math.hypot(real, imaginary) / len(sound.samples) / 32767


def write(path: Path, data: bytes, *, rate: int = RATE, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(data)
    return path


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_a_tone_of_the_telephones_band_stays(rate: int) -> None:
    made = for_telephone(tone(1000, rate=rate))
    assert made.rate == RATE
    assert made.seconds == pytest.approx(0.5, abs=0.01)
    assert power(made, 1000) == pytest.approx(0.7, rel=0.05)


@pytest.mark.parametrize("hertz", [4600, 6000, 7000, 9000])
def test_what_8_khz_cannot_hold_is_no_other_tone(hertz: int) -> None:
    """Left in, 7 kHz would be heard as 1 kHz."""
    both = array("h", map(sum, zip(tone(500, rate=22050).samples, tone(hertz, rate=22050).samples, strict=True)))
    made = for_telephone(Sound(22050, both))
    assert power(made, 500) > 0.6
    assert power(made, abs(hertz - RATE)) < 0.002


@pytest.mark.parametrize("peak", [200, 5000, 32767])
def test_each_is_as_loud(peak: int) -> None:
    assert max(map(abs, for_telephone(tone(440, rate=22050, peak=peak)).samples)) == pytest.approx(22937, abs=1)


def test_silence_around_it_is_cut() -> None:
    still = array("h", [0] * 22050)
    made = for_telephone(Sound(22050, still + tone(440, rate=22050).samples + still))
    assert made.seconds == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("samples", [[], [0] * 100, [5]])
@pytest.mark.parametrize("rate", [8000, 22050])
def test_hardly_any_sound(samples: list[int], rate: int) -> None:
    assert for_telephone(Sound(rate, array("h", samples))).rate == RATE


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "en" / "a" / "b.wav"
    write_sound(path, tone(440))
    assert read_sound(path) == tone(440)
    assert faults(path) == []
    assert [each.name for each in path.parent.iterdir()] == ["b.wav"]


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "b.wav" / "x").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_sound(tmp_path / "b.wav", tone(440))
    assert [each.name for each in tmp_path.iterdir()] == ["b.wav"]


LOUD = tone(440).samples.tobytes()


@pytest.mark.parametrize(
    ("data", "shape", "said"),
    [
        (LOUD, {"rate": 16000}, ["has 16000 samples a second, not 8000"]),
        (LOUD, {"channels": 2}, ["has 2 channels, not 1"]),
        (LOUD, {"width": 1}, ["has 8 bits a sample, not 16"]),
        (b"", {}, ["is empty"]),
        (b"\0\0" * 800, {}, ["is silent"]),
        (b"\x50\0\xb0\xff" * 800, {"rate": 44100}, ["has 44100 samples a second, not 8000", "is silent"]),
        (LOUD + b"\xff\x7f" * 3, {}, ["is clipped: louder than a sample can hold"]),
        (LOUD + b"\x00\x80" * 3, {}, ["is clipped: louder than a sample can hold"]),
        (LOUD + b"\xff\x7f" * 2 + b"\0\0" + b"\xff\x7f", {}, []),
        (LOUD + b"\xff\x7f\x00\x80" * 9, {}, []),
        (LOUD, {}, []),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, data: bytes, shape: dict[str, int], said: list[str]) -> None:
    assert faults(write(tmp_path / "a.wav", data, **shape)) == said


@pytest.mark.parametrize("content", [b"", b"no sound at all", b"RIFF\x24\0\0\0WAVE", b"RIFF\x04\0\0\0WAVE"])
def test_what_is_no_wav(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    [said] = faults(tmp_path / "a.wav")
    assert said.startswith("is no WAV of 16-bit samples: ")


def test_a_wav_of_another_kind(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", LOUD)
    data = bytearray(path.read_bytes())
    data[20] = 7  # mu-law
    path.write_bytes(data)
    assert faults(path) == ["is no WAV of 16-bit samples: unknown format: 7"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert faults(tmp_path / "a.wav") == ["cannot be read: No such file or directory"]
