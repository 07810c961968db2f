"""The verbs that listen: what the caller says, and whether a machine answered."""

from __future__ import annotations

from fsivr.call.line import Line


class Listening(Line):
    """A call in which what is said is understood."""
