"""WAV files: what the header says, and a header set right where the switch did not come to write it.

libsndfile writes a header with a length of zero when it opens a file, and the true one when it
closes it (wav.c, wav_write_header): a switch that was killed leaves the first.
"""

from __future__ import annotations

import os
import secrets
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

#: Bytes before the sound in a file of ours.
HEADER = 44
_RATE, _WIDTH = 8000, 2  # of a recording whose header is lost
_UNKNOWN = 0xFFFFFFFF
# Of what follows the sound: anything else there is sound that the header does not count yet.
_AFTER = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"fact", b"cue ", b"PAD ", b"JUNK", b"junk", b"iXML")
_CODECS = {(1, 16): "L16", (1, 8): "L8", (6, 8): "PCMA", (7, 8): "PCMU", (0x31, 0): "GSM"}
_EXTENSIBLE = 0xFFFE
_MOST_CHUNKS = 64
_COPIED = 1 << 20


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound in a WAV file."""

    codec: str
    channels: int
    #: Samples a second.
    rate: int
    #: Where it begins, in bytes.
    at: int
    #: Its bytes.
    length: int
    #: Bytes of a sample of all channels.
    block: int
    #: Bytes a second.
    pace: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.length / self.pace


def read(path: Path) -> Sound | None:
    """The sound of a file, counted by its size where the header is wrong; None where there is no header.

    :raises OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        found = _parse(file)
    return None if found is None else found.sound


def measured(path: Path) -> tuple[Sound, bool] | None:
    """The sound of a file, and whether its header and its size say the same; None where there is no header.

    :raises OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        found = _parse(file)
    return None if found is None else (found.sound, found.right)


def repair(path: Path, *, channels: int | None, spare: Path) -> tuple[Sound, bool]:
    """The sound of a file, whose header is right from now on, and whether it had to be set right.

    A right file is not touched. What is of no known form is taken for sound of 8000 Hz and 16 bits.

    :param channels: of a file without a header; one where None.
    :param spare: a folder of the same disk, where a file without a header is written anew.
    :raises OSError: it cannot be read or written.
    """
    with open(path, "rb") as file:
        found = _parse(file)
    if found is None:
        return _begin_anew(path, channels or 1, spare), True
    if found.right:
        return found.sound, False
    try:
        _set_right(path, found)
    except PermissionError:
        # The switch's file, which its group may only read; the folder is the group's.
        fresh = spare / f".{secrets.token_hex(6)}.wav"
        shutil.copyfile(path, fresh)
        _set_right(fresh, found)
        os.rename(fresh, path)
    return found.sound, True


@dataclass(frozen=True, slots=True)
class _Found:
    sound: Sound
    #: The bytes that the file should have.
    size: int
    #: Whether the header and the size are right as they are.
    right: bool


def _set_right(path: Path, found: _Found) -> None:
    with open(path, "r+b") as file:
        os.truncate(file.fileno(), found.size)
        if found.size - 8 < _UNKNOWN:
            os.pwrite(file.fileno(), struct.pack("<I", found.sound.length), found.sound.at - 4)
            os.pwrite(file.fileno(), struct.pack("<I", found.size - 8), 4)


def _parse(file: BinaryIO) -> _Found | None:
    """What is in a file; None where it has no whole header."""
    size = os.fstat(file.fileno()).st_size
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    form: tuple[str, int, int, int, int] | None = None
    at = 12
    for _ in range(_MOST_CHUNKS):
        chunk = file.read(8)
        if len(chunk) < 8:
            return None
        name, length = chunk[:4], struct.unpack("<I", chunk[4:])[0]
        at += 8
        if name == b"data":
            return None if form is None else _measured(file, form, at, length, size, struct.unpack("<I", head[4:8])[0])
        if name == b"fmt ":
            form = _form(file.read(min(length, 64)))
        at += length + length % 2
        file.seek(at)
    return None


def _form(fields: bytes) -> tuple[str, int, int, int, int] | None:
    """The codec, channels, rate, bytes a second and bytes a block; None where that is no form of sound."""
    if len(fields) < 16:
        return None
    tag, channels, rate, pace, block, bits = struct.unpack("<HHIIHH", fields[:16])
    if tag == _EXTENSIBLE and len(fields) >= 26:
        tag = struct.unpack("<H", fields[24:26])[0]
    if not (0 < channels <= 64 and 0 < rate <= 1_000_000 and pace and block):
        return None
    return _CODECS.get((tag, bits), f"{tag:#x}/{bits}"), channels, rate, pace, block


def _measured(
    file: BinaryIO, form: tuple[str, int, int, int, int], at: int, length: int, size: int, riff: int
) -> _Found:
    codec, channels, rate, pace, block = form
    there = size - at
    counted, end = length, size
    if length == _UNKNOWN or length > there or not _is_followed(file, at + length, size):
        counted = there - there % block
        end = at + counted
    sound = Sound(codec, channels, rate, at, counted, block, pace)
    return _Found(sound, end, counted == length and end == size and riff == min(size - 8, _UNKNOWN))


def _is_followed(file: BinaryIO, at: int, size: int) -> bool:
    """Whether nothing but further chunks comes after a place, to the end of the file."""
    at += at % 2 if at < size else 0
    while at < size:
        file.seek(at)
        chunk = file.read(8)
        if len(chunk) < 8 or chunk[:4] not in _AFTER:
            return False
        length = struct.unpack("<I", chunk[4:])[0]
        at += 8 + length + length % 2
    return at <= size + 1


def _begin_anew(path: Path, channels: int, spare: Path) -> Sound:
    """Write the file with a header before what is in it, which is there whole whenever this is broken off."""
    block = channels * _WIDTH
    with open(path, "rb") as old:
        start = old.read(HEADER)
        # The beginning of a header that was cut off is no sound.
        skipped = len(start) if start[:4] == b"RIFF"[: len(start)] else 0
        length = os.fstat(old.fileno()).st_size - skipped
        length -= length % block
        sound = Sound("L16", channels, _RATE, HEADER, length, block, _RATE * block)
        fresh = spare / f".{secrets.token_hex(6)}.wav"
        with open(fresh, "xb") as new:
            new.write(header(length, channels))
            old.seek(skipped)
            left = length
            while left and (part := old.read(min(left, _COPIED))):
                new.write(part)
                left -= len(part)
            new.flush()
            os.fsync(new.fileno())
    os.rename(fresh, path)
    return sound


def header(length: int, channels: int, rate: int = _RATE) -> bytes:
    """The header of a file with so many bytes of 16 bit sound."""
    block = channels * _WIDTH
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * block, block, _WIDTH * 8)
    return struct.pack("<4sI4s", b"RIFF", HEADER - 8 + length, b"WAVE") + form + struct.pack("<4sI", b"data", length)
