"""Ports: how many calls may be held at once, exact under simultaneous arrivals."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator

from gevent.event import Event

# ``struct flock`` as the C compiler lays it out: type, whence, start, length, process.
_FLOCK = struct.Struct("hhqqi0q")
# Looks through all ports before a call is refused: between two, one may be freed behind the first and taken before it.
_LOOKS = 2


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
        number = self._claim()
        if number is None:
            return None
        self.in_use += 1
        self.peak = max(self.peak, self.in_use)
        self.idle.clear()
        return Port(self, number)

    def give_back(self, number: int) -> None:
        """Have a port that was taken be free; ``Port.release`` does it once."""
        self._free(number)
        self.in_use -= 1
        if not self.in_use:
            self.idle.set()

    def _claim(self) -> int | None:
        return None if self.in_use >= self.limit else 0

    def _free(self, number: int) -> None:
        """Nothing but the count tells of it."""


class Port:
    """One taken port."""

    __slots__ = ("_number", "_ports")

    def __init__(self, ports: Ports, number: int = 0) -> None:
        self._ports: Ports | None = ports
        self._number = number

    def release(self) -> None:
        """Give it back; a second time does nothing."""
        ports, self._ports = self._ports, None
        if ports is not None:
            ports.give_back(self._number)


class SharedPorts(Ports):
    """Ports that several processes share, each with an object of this class: one locked byte of a file for each.

    The kernel frees the locks of a process when it ends, however it ends; and when the process closes
    the file by any of its descriptors, so that it must have one alone (fcntl(2), "Record locking").

    :param limit: how many all of them have.
    :param file: a descriptor of the file, inherited; the same file for all.
    :param first: where to look first: apart from the others, the first look finds a port.
    """

    def __init__(self, limit: int, file: int, *, first: int = 0) -> None:
        super().__init__(limit)
        self._file = file
        self._next = first % limit
        self._ours: set[int] = set()
        self._freed: list[int] = []  # most likely nobody has taken them since

    def _claim(self) -> int | None:
        while self._freed:
            number = self._freed.pop()
            if number not in self._ours and self._locks(number):
                return number
        for _ in range(_LOOKS):
            for number in self._likely():
                if self._locks(number):
                    self._next = (number + 1) % self.limit
                    return number
        return None

    def _free(self, number: int) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)
        self._ours.discard(number)
        self._freed.append(number)

    def _likely(self) -> Iterator[int]:
        """The ports that this process does not have, once around; what follows a locked one may be left out."""
        for begin, end in ((self._next, self.limit), (0, self._next)):
            number = begin
            while number < end:
                if number in self._ours:
                    number += 1
                    continue
                yield number
                number = max(number + 1, self._end_of_locked(number))

    def _locks(self, number: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except (BlockingIOError, PermissionError):
            return False
        self._ours.add(number)
        return True

    def _end_of_locked(self, number: int) -> int:
        """Where the run of bytes ends that another process has from this one on: the kernel keeps it as one lock."""
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, number, 1, 0)
        kind, _, start, length, _ = _FLOCK.unpack(fcntl.fcntl(self._file, fcntl.F_GETLK, asked))
        return 0 if kind == fcntl.F_UNLCK else int(start + length)
