"""What manifests at a target tell: read back, each line checked, for whoever proves or restores an archive."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from fsivr.errors import ArchiveError, PermanentError
from fsivr.exporter.manifest import FOLDER, VERSION
from fsivr.exporter.target import Target, checked_key
from fsivr.recordings.folders import checked_id

_SHA256 = re.compile(r"[0-9a-f]{64}")
# A night of a million recordings.
_MOST_BYTES = 1 << 30


class Copy(NamedTuple):
    """A file at a target as a manifest tells of it."""

    key: str
    size: int
    sha256: str


class Told(NamedTuple):
    """A recording at a target as a manifest tells of it: its sound, its sidecar, the run, and when it was proved."""

    id: str
    audio: Copy
    sidecar: Copy
    run: str
    at: str


def manifests(target: Target) -> Iterator[str]:
    """The keys of the manifests at a target that is open, the oldest first."""
    for entry in target.entries(FOLDER):
        if entry.key.endswith(".json"):
            yield entry.key


def told_by(target: Target, key: str) -> list[Told]:
    """What a manifest tells.

    :raises PermanentError: it is none, or of a version that this fsivr does not know.
    """
    content = bytearray()
    for piece in target.read(key):
        content += piece
        if len(content) > _MOST_BYTES:
            raise PermanentError(f"{key} is no manifest: it is too large")
    try:
        found = json.loads(content)
        if found["version"] != VERSION:
            raise ValueError(f"it is of version {found['version']!r:.20}, and this fsivr knows version {VERSION}")
        return [_told(each) for each in found["recordings"]]
    except (ValueError, TypeError, KeyError, ArchiveError, PermanentError, RecursionError) as error:
        raise PermanentError(f"{key} is no manifest: {error!s:.200}") from None


def all_told(target: Target, unreadable: Callable[[str], object]) -> Iterator[Told]:
    """What all manifests tell; one at a time is in memory.

    :param unreadable: told what is wrong with a manifest that cannot be read.
    """
    for key in manifests(target):
        try:
            lines = told_by(target, key)
        except PermanentError as error:
            unreadable(str(error))
            continue
        yield from lines


def _told(line: dict[str, Any]) -> Told:
    return Told(checked_id(str(line["id"])), _copy(line), _copy(line["sidecar"]), str(line["run"]), str(line["at"]))


def _copy(told: dict[str, Any]) -> Copy:
    size, digest = told["size"], told["sha256"]
    if isinstance(size, bool) or not isinstance(size, int) or size < 0 or not _SHA256.fullmatch(digest):
        raise ValueError("a size is a whole number, a SHA-256 64 hexadecimal digits")
    return Copy(checked_key(told["key"]), size, digest)
