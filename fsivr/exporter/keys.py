"""Keys: what a recording is called at a target, made of nothing that a caller chose."""

from __future__ import annotations

import re
from typing import NamedTuple

from fsivr.errors import ConfigError
from fsivr.recordings import Sidecar

_ID = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[0-9a-f]{12}")
_KEY = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", re.ASCII)
_MOST_WORD = 64


class Keys(NamedTuple):
    """The keys of a recording: its sound file's, and that of what is told of it."""

    audio: str
    sidecar: str


def keys_of(template: str, sidecar: Sidecar) -> Keys:
    """The keys of a recording by the setting ``export_key``.

    :raises ConfigError: the template makes none, which its setting does not allow.
    """
    id = sidecar.id
    audio = template.format(
        id=id,
        year=id[:4],
        month=id[4:6],
        day=id[6:8],
        hour=id[9:11],
        handler=word(sidecar.handler.rpartition(".")[2]),
        node=word(sidecar.node),
        retention=word(sidecar.retention),
    )
    dots = any(not segment.strip(".") for segment in audio.split("/"))
    if not _KEY.fullmatch(audio) or dots or not audio.endswith(".wav"):
        raise ConfigError(f"setting export_key makes {audio[:100]!r} of recording {id}, which is no key")
    return Keys(audio, audio.removesuffix(".wav") + ".json")


def word(text: str) -> str:
    """A text as one word of a key: letters, digits and ``_ -``, whatever it was."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text, flags=re.ASCII)[:_MOST_WORD] or "none"


def id_in(key: str) -> str:
    """The id of the recording, or of the run, that a key is of; "" for none."""
    found = _ID.findall(key)
    return str(found[-1]) if found else ""
