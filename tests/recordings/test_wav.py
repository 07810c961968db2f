"""Headers of WAV files: read, set right where they are wrong, and left alone where they are not."""

from __future__ import annotations

import os
import struct
import wave
from pathlib import Path

import pytest

from fsivr.recordings.wav import HEADER, header, read, repair

SOUND = struct.pack("<4000h", *range(4000))  # half a second


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def file_of(*chunks: bytes, riff: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if riff is None else riff) + body


FORM = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16))
TITLE = chunk(b"LIST", b"INFOINAM\x06\0\0\0title\0")


def repaired(path: Path, data: bytes, channels: int | None = 1) -> bool:
    """Whether a file with this in it had to be set right; it can be played then."""
    path.write_bytes(data)
    sound, changed = repair(path, channels=channels, spare=path.parent)
    assert os.listdir(path.parent) == [path.name]
    assert repair(path, channels=channels, spare=path.parent) == (sound, False)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate()) == (sound.channels, sound.rate)
        assert file.getnframes() / file.getframerate() == sound.seconds
    assert struct.unpack("<I", path.read_bytes()[4:8])[0] == path.stat().st_size - 8
    return changed


def played(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        return file.readframes(file.getnframes())


@pytest.mark.parametrize(
    "data",
    [
        header(len(SOUND), 1) + SOUND,
        header(len(SOUND), 2) + SOUND,
        header(0, 1),
        file_of(FORM, TITLE, chunk(b"data", SOUND)),
        file_of(FORM, chunk(b"data", SOUND), TITLE),
        file_of(FORM, chunk(b"data", b""), TITLE),
    ],
)
def test_a_right_file_is_not_touched(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    os.chmod(path, 0o400)
    os.utime(path, (1, 1))
    before = path.stat()
    assert not repaired_alone(path)
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert path.read_bytes() == data


def repaired_alone(path: Path) -> bool:
    return repair(path, channels=1, spare=path.parent)[1]


@pytest.mark.parametrize("riff", [0, 8, 36, 36 + len(SOUND), 0xFFFFFFFF])
@pytest.mark.parametrize("length", [0, 2, len(SOUND) + 2, 0x7FFFFFFF, 0xFFFFFFFF])
def test_lengths_that_are_wrong_are_set_right(tmp_path: Path, riff: int, length: int) -> None:
    """As libsndfile leaves them when it is killed (8 and 0), and as other writers do."""
    broken = bytearray(header(len(SOUND), 1) + SOUND)
    struct.pack_into("<I", broken, 4, riff)
    struct.pack_into("<I", broken, HEADER - 4, length)
    assert repaired(tmp_path / "a.wav", bytes(broken))
    assert played(tmp_path / "a.wav") == SOUND


def test_what_stands_before_the_sound_stays(tmp_path: Path) -> None:
    broken = file_of(FORM, TITLE, b"data\0\0\0\0" + SOUND, riff=8)
    assert repaired(tmp_path / "a.wav", broken)
    assert TITLE in (tmp_path / "a.wav").read_bytes()
    assert played(tmp_path / "a.wav") == SOUND


@pytest.mark.parametrize("channels", [1, 2])
def test_half_a_frame_is_cut(tmp_path: Path, channels: int) -> None:
    assert repaired(tmp_path / "a.wav", header(0, channels) + SOUND + b"\1")
    assert played(tmp_path / "a.wav") == SOUND


@pytest.mark.parametrize("kept", [0, 1, 3, 4, 8, 12, 20, 36, 40, 43])
def test_half_a_header_is_made_whole(tmp_path: Path, kept: int) -> None:
    assert repaired(tmp_path / "a.wav", header(len(SOUND), 1)[:kept], 2)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getnframes()) == (2, 0)


def test_sound_without_a_header_gets_one(tmp_path: Path) -> None:
    assert repaired(tmp_path / "a.wav", SOUND + b"\1", 2)
    assert played(tmp_path / "a.wav") == SOUND
    assert repaired(tmp_path / "a.wav", bytes(HEADER) + SOUND, None)
    assert played(tmp_path / "a.wav") == bytes(HEADER) + SOUND


def test_a_file_with_a_header_that_says_nonsense(tmp_path: Path) -> None:
    for form in (b"", bytes(16), struct.pack("<HHIIHH", 1, 0, 8000, 16000, 2, 16)):
        assert repaired(tmp_path / "a.wav", file_of(chunk(b"fmt ", form), chunk(b"data", SOUND)))


def test_a_file_that_is_not_ours_to_write_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the switch is another user: for root, who runs this where it runs in a container, it is made so."""
    path = tmp_path / "a.wav"
    path.write_bytes(header(0, 1) + SOUND)
    before = path.stat().st_ino
    truncate = os.truncate

    def refused(file: int, length: int) -> None:
        if os.fstat(file).st_ino == before:
            raise PermissionError
        truncate(file, length)

    monkeypatch.setattr(os, "truncate", refused)
    assert repaired(path, path.read_bytes())
    assert path.stat().st_ino != before
    assert played(path) == SOUND


def test_other_sound_is_told_by_its_name(tmp_path: Path) -> None:
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 7, 2, 8000, 16000, 2, 8))
    path = tmp_path / "a.wav"
    path.write_bytes(file_of(form, b"data\0\0\0\0" + SOUND))
    sound, changed = repair(path, channels=1, spare=tmp_path)
    assert (sound.codec, sound.channels, sound.seconds, changed) == ("PCMU", 2, 0.5, True)
    assert read(path) == sound
    path.write_bytes(b"no sound")
    assert read(path) is None
