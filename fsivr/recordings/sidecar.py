"""Sidecar: what is told of a recording, in a JSON file beside it; the database's row is made of it."""

from __future__ import annotations

import builtins
import contextlib
import json
import math
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from fsivr.errors import ArchiveError
from fsivr.recordings import checked
from fsivr.recordings.folders import SPOOL, checked_id, day_of, give_away, read_file, sync_folder
from fsivr.store import Row, recorded

#: The version of the file's form.
VERSION = 1
#: What a recording can be.
STATES = ("recording", "sealed", "degraded", "failed", "exported", "purged")
_MOST_BYTES = 1_048_576


class _Checked:
    """Checks its fields as it is made, so that what is kept can be read again."""

    def __post_init__(self) -> None:
        for name, check in _CHECKS[type(self).__name__].items():
            try:
                object.__setattr__(self, name, check(getattr(self, name)))
            except (ValueError, ArchiveError) as error:
                said = str(error)
                raise ValueError(f"{name} {said}" if said.startswith("is ") else said) from None


@dataclass(frozen=True, slots=True)
class Hold(_Checked):
    """A legal hold: why a recording may not be removed, who put it on, and when."""

    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Exported(_Checked):
    """When the arrival of a recording was proved, and the id of the export that brought it."""

    at: datetime
    export: str


@dataclass(frozen=True, slots=True)
class Arrival(_Checked):
    """When a recording was proved to be at a target, the key of its sound there, and the export that brought it."""

    at: datetime
    key: str
    export: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar(_Checked):
    """What is told of a recording; text that is too long is cut.

    :raises ValueError: a value is wrong.
    """

    id: str
    #: The switch's uuid of the call; empty where nobody knows.
    call: str
    #: The uuid of the leg that was recorded.
    leg: str = ""
    handler: str = ""
    caller: str = ""
    dialled: str = ""
    started: datetime
    stopped: datetime | None = None
    #: Seconds of sound in the file.
    duration: float | None = None
    channels: int | None = None
    codec: str = "L16"
    #: Samples a second.
    rate: int | None = None
    bytes: int | None = None
    #: Of the whole file, in hexadecimal digits; empty where there is none yet.
    sha256: str = ""
    state: str
    completion: str = ""
    hangup_cause: str = ""
    consent: datetime | None = None
    #: In seconds from the beginning of the file; infinity where an end is not known.
    mask_spans: tuple[tuple[float, float], ...] = ()
    node: str = ""
    #: The class that says how long it is kept.
    retention: str = "default"
    hold: Hold | None = None
    #: When the file was last seen to have this hash.
    verified: datetime | None = None
    exported: Exported | None = None
    #: The targets that it is proved to be at.
    arrivals: Mapping[str, Arrival] = field(default_factory=dict)
    #: In a ticket: the name of the lock of the process that records.
    owner: str = ""

    @property
    def path(self) -> str:
        """Where its sound file is, below the root of the recordings."""
        return f"{SPOOL if self.state == 'recording' else day_of(self.id)}/{self.id}.wav"

    def row(self) -> Row:
        """The database's row of it."""
        told = {name: getattr(self, name) for name in _SAME}
        if self.hold is not None:
            told |= {"hold_reason": self.hold.reason, "hold_by": self.hold.by, "held": self.hold.at}
        if self.exported is not None:
            told |= {"exported": self.exported.at, "export": self.exported.export}
        return recorded(
            **told,
            call=self.call or "unknown",
            path=self.path,
            seconds=self.duration,
            consent="" if self.consent is None else checked.written_moment(self.consent),
            mask_spans=checked.written_spans(self.mask_spans),
            arrivals={target: checked.written(arrival) for target, arrival in self.arrivals.items()},
        )

    # -- its file ---------------------------------------------------------------------------

    @classmethod
    def load(cls, path: Path) -> Self:
        """The sidecar in a file.

        :raises FileNotFoundError: there is none.
        :raises OSError: it cannot be read.
        :raises ArchiveError: it is not one, or not of the recording that the file's name says.
        """
        found = cls.decode(read_file(path, _MOST_BYTES + 1), what=str(path))
        if found.id != path.stem:
            raise ArchiveError(f"{path} tells of another recording: {found.id}")
        return found

    def save(self, path: Path) -> None:
        """Have it in a file, in the place of what is there, whole or not at all; it survives a power cut.

        :raises OSError: it cannot be written; what was there is there still.
        """
        if path.name != f"{self.id}.json":
            raise ValueError(f"{path.name} is not where what is told of {self.id} belongs")
        # A name that Folders.temporaries finds, for a process that is killed here.
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
            with open(file, "wb") as writing:
                give_away(file, path.parent)
                os.fchmod(file, 0o640)
                writing.write(self.encode())
                writing.flush()
                os.fsync(file)
            os.rename(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)

    def encode(self) -> builtins.bytes:
        """It as JSON."""
        # A line for each field, for who reads it; json's own indent is ten times as slow.
        lines = (f' "{name}": {json.dumps(value, allow_nan=False)}' for name, value in self.document().items())
        return ("{\n" + ",\n".join(lines) + "\n}\n").encode()

    def document(self) -> dict[str, Any]:
        """It as what JSON can say: times are ISO text in UTC, an end that is not known is null."""
        told = {"version": VERSION, **{name: checked.written(getattr(self, name)) for name in _FIELDS}}
        told["arrivals"] = {target: checked.written(arrival) for target, arrival in self.arrivals.items()}
        told["mask_spans"] = checked.written_spans(self.mask_spans)
        return told

    @classmethod
    def decode(cls, data: builtins.bytes, *, what: str = "the sidecar") -> Self:
        """The sidecar that is written so.

        :param what: what the error calls it.
        :raises ArchiveError: it is none, or of a version that this fsivr does not know.
        """
        try:
            if len(data) > _MOST_BYTES:
                raise ValueError(f"more than {_MOST_BYTES} bytes")
            told = json.loads(data, parse_constant=_refused)
            if not isinstance(told, dict):
                raise ValueError("not an object")
            version = told.pop("version", None)
            if version != VERSION or isinstance(version, bool):
                raise ValueError(f"version {version!r:.20}, and this fsivr knows version {VERSION}")
            return cls(**_parsed(cls, told))
        except (ValueError, RecursionError) as error:
            raise ArchiveError(f"{what} is no sidecar of a recording: {error!s:.300}") from None


def _parsed(kind: type[Any], told: Any) -> dict[str, Any]:
    """The arguments that make one of a kind; every field has to be there, so that none is lost unnoticed."""
    if not isinstance(told, dict):
        raise ValueError(f"{kind.__name__.lower()} is an object")
    names = {each.name for each in fields(kind)}
    wrong = [f"unknown: {name[:40]!r}" for name in sorted(set(told) - names)[:3]]
    wrong += [f"missing: {name}" for name in sorted(names - set(told))]
    if wrong:
        raise ValueError("; ".join(wrong))
    return {name: _PARSERS.get(name, lambda same: same)(value) for name, value in told.items()}


def _moment(name: str) -> Callable[[Any], datetime | None]:
    def parse(value: Any) -> datetime | None:
        try:
            return None if value is None else checked.parsed_moment(value)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None

    return parse


def _spans(value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(each, list) and len(each) == 2 for each in value):
        raise ValueError("mask_spans is a list of [from, to] in seconds")
    return tuple((since, math.inf if until is None else until) for since, until in value)


def _refused(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _arrivals(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError("arrivals is an object, with a target's name for each")
    return {name: Arrival(**_parsed(Arrival, told)) for name, told in value.items()}


def _checked_arrivals(value: Any) -> Any:
    target = checked.matching(r"[a-z][a-z0-9_-]{0,31}", "the name of a target")
    if not isinstance(value, Mapping) or not all(isinstance(each, Arrival) for each in value.values()):
        raise ValueError("is an arrival for each target")
    return {target(name): value[name] for name in sorted(value)}


_PARSERS: dict[str, Callable[[Any], Any]] = {
    **{name: _moment(name) for name in ("started", "stopped", "consent", "verified", "at")},
    "mask_spans": _spans,
    "hold": lambda told: None if told is None else Hold(**_parsed(Hold, told)),
    "exported": lambda told: None if told is None else Exported(**_parsed(Exported, told)),
    "arrivals": _arrivals,
}
_TEXTS = ("call", "leg", "handler", "caller", "dialled", "codec", "completion", "hangup_cause", "node", "retention")


def _one_of(kind: type[Any], what: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value is not None and not isinstance(value, kind):
            raise ValueError(f"is {what}")
        return value

    return check


_CHECKS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "Hold": {"reason": checked.text, "by": checked.text, "at": checked.moment},
    "Exported": {"at": checked.moment, "export": checked.text},
    "Arrival": {"at": checked.moment, "key": checked.text, "export": checked.text},
    "Sidecar": {
        "id": lambda id: checked_id(id if isinstance(id, str) else type(id).__name__),
        **dict.fromkeys(_TEXTS, checked.text),
        "started": checked.moment,
        **dict.fromkeys(("stopped", "consent", "verified"), checked.optional(checked.moment)),
        "duration": checked.optional(checked.seconds),
        "channels": checked.optional(checked.whole(1, 64)),
        "rate": checked.optional(checked.whole(1, 1_000_000)),
        "bytes": checked.optional(checked.whole(0)),
        "sha256": checked.matching(r"(?:[0-9a-f]{64})?", "64 hexadecimal digits, or empty"),
        "state": checked.matching("|".join(STATES), f"one of {', '.join(STATES)}"),
        "mask_spans": checked.spans,
        "hold": _one_of(Hold, "a hold or nothing"),
        "exported": _one_of(Exported, "when and by what it was exported, or nothing"),
        "arrivals": _checked_arrivals,
        # It becomes the name of a file.
        "owner": checked.matching(r"[0-9A-Za-z_-]{0,64}", "up to 64 letters, digits and _ -"),
    },
}
_FIELDS = tuple(each.name for each in fields(Sidecar))
_SAME = (
    *("id", "leg", "handler", "caller", "dialled", "state", "started", "stopped", "channels", "codec", "rate"),
    *("bytes", "sha256", "completion", "hangup_cause", "node", "retention", "verified"),
)
