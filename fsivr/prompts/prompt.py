"""The kinds of prompt: sound files, text to speech, tones and silence; ``say`` has the spoken values."""

from __future__ import annotations

import re
from dataclasses import dataclass

# No blank, quote, comma, "!", "$" or "%": each means something to some part of
# the switch, so a name made of caller's text can never become more than a name.
_FILE_NAME = re.compile(r"[\w/.+=@~-]+", re.ASCII)
_ENGINE = re.compile(r"[\w.+@-]+", re.ASCII)
# "|" parts engine, voice and text; "${" and a backslash are the switch's, "{" the start of an
# engine's own parameters (switch_core_speech.c), "<" the start of SSML, a backtick the shell's.
_UNSPEAKABLE = re.compile(r"[|{}<>`\\\x00-\x1f\x7f-\x9f\ud800-\udfff]|[$][$]")
_MOST_SPOKEN = 4000
_TONES = re.compile(r"[\w%(),.;=/+*#-]+", re.ASCII)


class Prompt:
    """Something a caller can be made to hear; ``str()`` of it is what a test would write."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class File(Prompt):
    """A sound file, named below the library's folder and without its extension.

    :raises ValueError: a name with characters other than letters, digits and
        ``/ . _ - + = @ ~``, or with a ``..`` step.
    """

    name: str

    def __post_init__(self) -> None:
        if not _FILE_NAME.fullmatch(self.name) or ".." in self.name.split("/"):
            raise ValueError(
                f"a prompt's name has letters, digits and / . _ - + = @ ~ and no '..' step, not {self.name[:80]!r}"
            )

    def __str__(self) -> str:
        return repr(self.name)


@dataclass(frozen=True, slots=True)
class Speak(Prompt):
    """Text spoken by a speech engine of the switch; line breaks and runs of blanks become one blank.

    An engine or voice that the switch does not have is silence: it tells nobody
    (capture ``11b_speak_flite``).

    :param text: up to 4000 characters; the engine's voice decides the language.
    :param engine: the engine's module, as ``flite`` of mod_flite.
    :raises ValueError: characters that would be more than text to the switch or the
        engine: ``| \\ { } < >``, a backtick, ``$$``, control characters.
    """

    text: str
    engine: str = "flite"
    voice: str = "slt"

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", " ".join(self.text.split()))
        for name in ("engine", "voice"):
            if not _ENGINE.fullmatch(getattr(self, name)):
                raise ValueError(
                    f"Speak's {name} is a name of letters, digits and . _ - + @, not {getattr(self, name)[:80]!r}"
                )
        if not 0 < len(self.text) <= _MOST_SPOKEN:
            raise ValueError(f"Speak takes 1 to {_MOST_SPOKEN} characters, not {len(self.text)}")
        if refused := _UNSPEAKABLE.search(self.text):
            raise ValueError(f"Speak takes no {refused[0]!r}, which would be more than text")

    def __str__(self) -> str:
        given = "".join(
            f", {name}={getattr(self, name)!r}"
            for name, usual in (("engine", "flite"), ("voice", "slt"))
            if getattr(self, name) != usual
        )
        return f"Speak({self.text!r}{given})"


@dataclass(frozen=True, slots=True)
class Silence(Prompt):
    """Nothing to hear, for so many seconds."""

    seconds: float

    def __post_init__(self) -> None:
        if not 0.001 <= self.seconds <= 3600:
            raise ValueError(f"Silence takes seconds from 0.001 to 3600, not {self.seconds!r}")

    def __str__(self) -> str:
        return f"Silence({self.seconds!r})"


@dataclass(frozen=True, slots=True)
class Tone(Prompt):
    """A tone in FreeSWITCH's notation: ``%(200,100,440)`` is 200 ms of 440 Hz, then 100 ms of rest."""

    spec: str

    def __post_init__(self) -> None:
        if not _TONES.fullmatch(self.spec):
            raise ValueError(f"a tone is written like '%(200,100,440)', not {self.spec[:80]!r}")

    def __str__(self) -> str:
        return f"Tone({self.spec!r})"
