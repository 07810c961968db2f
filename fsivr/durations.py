"""How long things took, counted so that a process that makes metrics can tell quantiles of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

#: What is counted under a name that is not known.
OTHER = "other"


class Durations:
    """Counts of durations by name and by how long they were.

    :param names: the names there are; anything else is counted as ``other``, so that nobody can make one.
    :param bounds: the most seconds of each bucket, ascending; one more holds what took longer.
    """

    __slots__ = ("_bounds", "_other", "_rows")

    def __init__(self, names: Iterable[str], bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._rows: dict[str, list[Any]] = {name: [0] * (len(bounds) + 1) + [0.0] for name in (*names, OTHER)}
        self._other = self._rows[OTHER]

    def took(self, name: str, seconds: float) -> None:
        """Count one."""
        # Some 0.2 us, as it is done for each command: a list that is there already, and two additions.
        row = self._rows.get(name, self._other)
        row[bisect_left(self._bounds, seconds)] += 1
        row[-1] += seconds

    def told(self) -> dict[str, Any]:
        """The bounds, and of each name that was counted the count of each bucket and then the sum of the seconds."""
        rows = {name: [*row[:-1], round(row[-1], 6)] for name, row in self._rows.items() if any(row[:-1])}
        return {"bounds": self._bounds, "rows": rows}
