"""Ports: how many calls may be held at once, exact under simultaneous arrivals."""

from __future__ import annotations

from gevent.event import Event


class Ports:
    """A number of ports, each taken by one call.

    Nothing here gives way to another greenlet between looking and taking, so
    the limit is never passed.

    :param limit: how many there are.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        #: How many are taken.
        self.in_use = 0
        #: The most that were taken at once.
        self.peak = 0
        #: Set while none is taken.
        self.idle = Event()
        self.idle.set()

    def take(self) -> Port | None:
        """A port, or None where all are taken."""
        if self.in_use >= self.limit:
            return None
        self.in_use += 1
        self.peak = max(self.peak, self.in_use)
        self.idle.clear()
        return Port(self)


class Port:
    """One taken port."""

    __slots__ = ("_ports",)

    def __init__(self, ports: Ports) -> None:
        self._ports: Ports | None = ports

    def release(self) -> None:
        """Give it back; a second time does nothing."""
        ports, self._ports = self._ports, None
        if ports is not None:
            ports.in_use -= 1
            if not ports.in_use:
                ports.idle.set()
