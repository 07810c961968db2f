"""Texts made into sound files by espeak-ng, so that an application speaks before its studio recordings are there."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from fsivr.errors import FsivrError
from fsivr.prompts.sound import Sound, for_telephone, read_sound, write_sound

_PROGRAM = "espeak-ng"
_SPEED = "150"  # words a minute; the program's own 175 is fast for a telephone
_LONGEST = 120.0  # seconds
#: Languages that espeak-ng knows by another name.
_VOICES = {"zh": "cmn", "no": "nb"}


class NotRendered(FsivrError):
    """A text could not be made into a sound file; the message says what to do."""


def render(text: str, language: str, path: Path) -> Sound:
    """The sound of a text, written to a WAV file of 8 kHz, one channel, 16 bits.

    :raises NotRendered: espeak-ng is not installed, has no voice for the language, or failed.
    :raises OSError: the file cannot be written.
    """
    if shutil.which(_PROGRAM) is None:
        raise NotRendered("espeak-ng is not installed; on Debian and Ubuntu: apt install espeak-ng")
    with tempfile.TemporaryDirectory(prefix="fsivr-") as folder:
        spoken = Path(folder) / "spoken.wav"
        for voice in _voices(language):
            said = _speak(text, voice, spoken)
            if spoken.exists():
                sound = for_telephone(read_sound(spoken))
                write_sound(path, sound)
                return sound
    raise NotRendered(f"espeak-ng made no sound in {language}: {said}; 'espeak-ng --voices' lists its languages")


def _voices(language: str) -> list[str]:
    """What the language may be called, the exact name first: ``pt_BR`` is ``pt-br``, else ``pt``."""
    exact = language.replace("_", "-").lower()
    alone = exact.partition("-")[0]
    return list(dict.fromkeys([exact, _VOICES.get(alone, alone)]))


def _speak(text: str, voice: str, path: Path) -> str:
    """Have a text spoken; returns what the program said, in one line."""
    command = [_PROGRAM, "-v", voice, "-s", _SPEED, "-b", "1", "--stdin", "-w", str(path)]
    try:
        # By standard input: a text that begins with "-" is no option there.
        ran = subprocess.run(command, input=text.encode(), capture_output=True, timeout=_LONGEST, check=False)
    except subprocess.TimeoutExpired:
        path.unlink(missing_ok=True)
        return f"it took longer than {_LONGEST:g} s"
    if ran.returncode:
        path.unlink(missing_ok=True)
    return " ".join(ran.stderr.decode(errors="replace").split()) or f"exit code {ran.returncode}"
