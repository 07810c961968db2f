"""The verbs that record."""

from __future__ import annotations

from fsivr.call.line import Line


class Recorder(Line):
    """A call that can be recorded."""
