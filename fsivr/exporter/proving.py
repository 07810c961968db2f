"""Proving a whole archive at a target once more, by its manifests."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from fsivr.errors import ExportError, NotArrived
from fsivr.exporter.crew import Make
from fsivr.exporter.manifest import FOLDER
from fsivr.exporter.retry import Patience
from fsivr.exporter.spreading import Spread, attempted
from fsivr.exporter.target import Target
from fsivr.exporter.told import Copy, all_told

#: How many files of a kind are named.
MOST_NAMED = 1000


@dataclasses.dataclass
class Proved:
    """What was found at a target; files are named up to a bound, and all are counted."""

    #: Files that are what a manifest tells, and their bytes.
    files: int = 0
    bytes: int = 0
    #: Manifests that cannot be read.
    unreadable: list[str] = dataclasses.field(default_factory=list)
    missing: list[str] = dataclasses.field(default_factory=list)
    changed: list[str] = dataclasses.field(default_factory=list)
    #: Files that could not be looked at, and why.
    unknown: list[str] = dataclasses.field(default_factory=list)
    #: Files that no manifest tells of.
    extra: list[str] = dataclasses.field(default_factory=list)
    counts: dict[str, int] = dataclasses.field(default_factory=dict)

    def note(self, kind: str, what: str) -> None:
        """Count a file, and name it."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        named: list[str] = getattr(self, kind)
        if len(named) < MOST_NAMED:
            named.append(what)

    @property
    def right(self) -> bool:
        """Whether all that manifests tell of is there as it was; more than that does not count."""
        return not any(self.counts.get(kind) for kind in ("unreadable", "missing", "changed", "unknown"))


def prove(
    make: Make, *, workers: int, patience: Patience | None = None, progress: Callable[[Proved], object] | None = None
) -> Proved:
    """What is at a target, each file proved as a run proves it.

    :param progress: called after each file.
    :raises ExportError: the target cannot be reached, or refuses.
    """
    patience = patience or Patience()
    proved = Proved()
    target = make()
    known: set[str] = set()
    try:
        wrong = attempted(target, target.open, patience)
        if isinstance(wrong, Exception):
            raise wrong
        copies = _copies(target, proved, known)
        for copy, result in Spread(make, workers, _proved, patience).over(copies):
            _note(proved, copy, result)
            if progress is not None:
                progress(proved)
        for entry in target.entries():
            if entry.key not in known and not entry.key.startswith(FOLDER):
                proved.note("extra", entry.key)
    finally:
        target.close()
    return proved


def _copies(target: Target, proved: Proved, known: set[str]) -> Iterator[Copy]:
    for told in all_told(target, lambda what: proved.note("unreadable", what)):
        for copy in (told.audio, told.sidecar):
            if copy.key not in known:
                known.add(copy.key)
                yield copy


def _proved(target: Target, copy: Copy) -> str:
    try:
        target.prove(copy.key, sha256=copy.sha256, size=copy.size)
        return ""
    except NotArrived:
        return "missing" if target.size(copy.key) is None else "changed"


def _note(proved: Proved, copy: Copy, result: str | Exception) -> None:
    if isinstance(result, ExportError | OSError):
        proved.note("unknown", f"{copy.key}: {result}")
    elif isinstance(result, Exception):
        raise result
    elif result:
        proved.note(result, copy.key)
    else:
        proved.files += 1
        proved.bytes += copy.size
