"""Where callers meet: conferences, queues, parking places."""

from __future__ import annotations

from fsivr.simulator.application import Application

APPLICATIONS: dict[str, Application] = {}
