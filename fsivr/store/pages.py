"""Pages of a list, newest first: each begins where the one before ended, however much came meanwhile."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

#: The most rows of one page.
MOST = 1000
#: Later than any row.
LATEST = 2**62

_T = TypeVar("_T")


class Cursor(NamedTuple):
    """Where a page ended: the time in microseconds since 1970, and the key, of its last row."""

    at: int
    id: str

    def __str__(self) -> str:
        return f"{self.at}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The cursor that was written so.

        :raises ValueError: it is none.
        """
        match = re.fullmatch(r"([0-9]{1,18})\.([A-Za-z0-9_.:-]{1,200})", text, re.ASCII)
        if match is None:
            raise ValueError(f"{text[:80]!r} is not where a page ended")
        return cls(int(match[1]), match[2])


class Page(NamedTuple, Generic[_T]):
    """Some rows of a list, and where the next page begins; None for ``after`` says that there is none."""

    items: Sequence[_T]
    after: Cursor | None


def checked_limit(limit: int) -> int:
    """The limit of a page.

    :raises ValueError: not a whole number from 1 to 1000.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST:
        raise ValueError(f"a page has from 1 to {MOST} rows, not {limit!r}")
    return limit
