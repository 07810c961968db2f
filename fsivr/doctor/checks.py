"""Checks: all of them, by their areas."""

from __future__ import annotations

from fsivr.doctor import (
    certificates,
    clock,
    configured,
    database,
    disk,
    guarded,
    limits,
    machine,
    ports,
    recorded,
    routed,
    service,
    sounds,
    switch,
    targets,
)
from fsivr.doctor.finding import Check

_PARTS = (configured, machine, disk, clock, limits, ports, certificates, switch, guarded)
_MORE = (routed, sounds, recorded, database, targets, service)

#: Every check, in the order in which it is told.
CHECKS: tuple[Check, ...] = tuple(check for part in (*_PARTS, *_MORE) for check in part.CHECKS)
#: The areas, in that order.
AREAS = tuple(dict.fromkeys(check.area for check in CHECKS))
