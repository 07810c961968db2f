"""Understanding what the caller says, and whether a machine answered."""

from __future__ import annotations

from fsivr.simulator.application import Application

APPLICATIONS: dict[str, Application] = {}
