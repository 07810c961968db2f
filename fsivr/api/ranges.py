"""Which part of a file a request asks for (RFC 9110, 14)."""

from __future__ import annotations

import re
from typing import NamedTuple

from fsivr.api.errors import Problem

_ONE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.ASCII | re.IGNORECASE)


class Part(NamedTuple):
    """Bytes of a file: from the first one, so many."""

    first: int
    length: int

    def said(self, size: int) -> str:
        """It as the header ``Content-Range`` has it."""
        return f"bytes {self.first}-{self.first + self.length - 1}/{size}"


def part_of(header: str | None, size: int) -> Part | None:
    """The part that the header ``Range`` asks for; None for the whole file.

    What is no range of bytes, or several, is answered with the whole file, as RFC 9110 allows.

    :raises Problem: none of the file is in the range.
    """
    match = _ONE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        part = Part(size - length, length)
    else:
        end = min(int(last), size - 1) if last else size - 1
        if last and int(last) < int(first):
            return None
        part = Part(int(first), end - int(first) + 1)
    if part.length <= 0:
        raise Problem(416, f"the file has {size} bytes", headers={"Content-Range": f"bytes */{size}"})
    return part
