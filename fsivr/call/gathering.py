"""The verbs that bring the caller to where others are: conferences, queues, parking places."""

from __future__ import annotations

from fsivr.call.line import Line


class Gathering(Line):
    """A call that can join others."""
