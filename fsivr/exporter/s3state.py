"""What is known on our side of an upload in parts, so that another process can go on with it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from fsivr.errors import PermanentError


class Part(NamedTuple):
    """A part that the service has: what it calls it, and what we know it is."""

    etag: str
    sha256: str


@dataclass
class Upload:
    """An upload that began: of which file, to where, and its parts."""

    bucket: str
    key: str
    sha256: str
    size: int
    part_size: int
    upload_id: str
    parts: dict[int, Part] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Upload | None:
        """The upload that a file tells of; None where there is none, or nobody can read it."""
        try:
            told: dict[str, Any] = json.loads(path.read_text())
            parts = {int(number): Part(str(part[0]), str(part[1])) for number, part in told.pop("parts").items()}
            upload = cls(**told, parts=parts)
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
            return None
        texts = (upload.bucket, upload.key, upload.sha256, upload.upload_id)
        numbers = (upload.size, upload.part_size)
        sound = all(isinstance(text, str) for text in texts) and all(isinstance(number, int) for number in numbers)
        return upload if sound else None

    def save(self, path: Path) -> None:
        """Write it so that after a crash there is either this or what was there before.

        :raises PermanentError: the disk does not take it.
        """
        half = path.with_name(f"{path.name}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with half.open("w") as file:
                json.dump(asdict(self), file)
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
        except OSError as error:
            raise PermanentError(f"{path} cannot be written: {error.strerror}; see the disk it is on") from error


class States:
    """Where the files are that tell of a target's uploads.

    :param folder: for all of them; None is a hidden file beside each local one.
    """

    def __init__(self, folder: str | Path | None, target: str, bucket: str) -> None:
        self._folder = None if folder is None else Path(folder)
        self._target = target
        self._bucket = bucket

    def of(self, local: Path, key: str) -> Path:
        """The file of the upload of a local file to a key."""
        if self._folder is None:
            return local.with_name(f".{local.name}.{_short(self._target)}.upload")
        return self._folder / self._name(key)

    def forget(self, keep: Callable[[str], bool]) -> None:
        """Remove those in the folder that are ours, and for whose key ``keep`` is not true."""
        for path in [] if self._folder is None else sorted(self._folder.glob("*.upload")):
            upload = Upload.load(path)
            if upload is not None and path.name == self._name(upload.key) and not keep(upload.key):
                path.unlink(missing_ok=True)

    def _name(self, key: str) -> str:
        return f"{_short(f'{self._target} {self._bucket} {key}')}.upload"


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
