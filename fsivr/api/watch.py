"""The switch as the status tells of it: asked seldom, and never waited for long."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import NamedTuple

import gevent

from fsivr.errors import ESLError
from fsivr.switch import Switch

#: Seconds for which what the switch said is told again.
FRESH = 5.0
#: Seconds that a status waits for the switch.
PATIENCE = 1.0

_VERSION = re.compile(r"\(Version ([^()\r\n]{1,120})\)")
_SESSIONS = re.compile(r"^([0-9]{1,9}) session\(s\) - peak ([0-9]{1,9})", re.MULTILINE)
_MOST = re.compile(r"^([0-9]{1,9}) session\(s\) max", re.MULTILINE)


class SwitchState(NamedTuple):
    """What is known of the switch; what is not is None."""

    reachable: bool
    version: str | None = None
    sessions: int | None = None
    peak: int | None = None
    #: How many sessions it would hold.
    most: int | None = None
    #: Why it cannot be reached; "" where it can.
    error: str = ""


class SwitchWatch:
    """Knows how the switch does, without making anybody wait longer than ``PATIENCE``.

    :param switch: what is asked; None says that there is none.
    :param ticks: seconds of a clock that never goes back.
    """

    def __init__(self, switch: Switch | None, ticks: Callable[[], float] = time.monotonic) -> None:
        self._switch = switch
        self._ticks = ticks
        self._known = SwitchState(False, error="it was not asked yet")
        self._until = float("-inf")
        self._asking: gevent.Greenlet[..., None] | None = None

    def look(self) -> SwitchState:
        """How the switch does, or did some seconds ago; raises nothing."""
        if self._switch is None:
            return SwitchState(False, error="this API was given no switch")
        if self._ticks() >= self._until:
            if self._asking is None or self._asking.dead:
                self._asking = gevent.spawn(self._ask, self._switch)
            self._asking.join(PATIENCE)
            if not self._asking.dead:
                return SwitchState(False, error=f"it has not answered within {PATIENCE:g} s")
        return self._known

    def _ask(self, switch: Switch) -> None:
        try:
            # As mod_commands.c, status_function, writes it.
            said = switch.api("status")
        except (ESLError, OSError) as error:
            self._known = SwitchState(False, error=str(error)[:300])
        else:
            version, sessions, most = _VERSION.search(said), _SESSIONS.search(said), _MOST.search(said)
            self._known = SwitchState(
                True,
                version[1] if version else None,
                int(sessions[1]) if sessions else None,
                int(sessions[2]) if sessions else None,
                int(most[1]) if most else None,
            )
        self._until = self._ticks() + FRESH
