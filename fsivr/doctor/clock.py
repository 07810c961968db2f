"""The clock: kept right by somebody, and the same as the switch's and the database's."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator

from fsivr.doctor import database
from fsivr.doctor.finding import Check, NotLookedAt, Told, error, ok, warning
from fsivr.doctor.site import Site

_UNSYNCHRONISED = 0x40  # STA_UNSYNC of adjtimex(2)
_ASKED = 5
_OFF, _FAR_OFF = 1.0, 30.0
_SET = "timedatectl set-ntp true (or apt-get install chrony)"


class _Timex(ctypes.Structure):
    """The beginning of ``struct timex``; the rest is room for it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 64),
    )


def _synchronised(site: Site) -> Iterator[Told]:
    status, most = _of_the_kernel()
    if status & _UNSYNCHRONISED:
        yield warning("nothing keeps it right: the kernel holds it for unsynchronised", _SET)
    else:
        yield ok(f"it is synchronised, to at least {most:.3f} s")


def _of_the_kernel() -> tuple[int, float]:
    """What the kernel says of its clock: its status, and how far off it may be, in seconds; nothing is set."""
    asked = _Timex()
    try:
        said = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(asked))
    except (OSError, AttributeError):
        raise NotLookedAt("the kernel cannot be asked") from None
    if said < 0:
        raise NotLookedAt("the kernel does not say")
    return asked.status, asked.maxerror / 1e6


def _switch(site: Site) -> Iterator[Told]:
    # The quickest answer tells it best: that which waited for another check is older than it seems.
    yield _compared("the switch's", min(_asked(site) for _ in range(_ASKED))[1])


def _asked(site: Site) -> tuple[float, float]:
    """How long the switch took to tell its time, and how far it is ahead."""
    began = time.time()
    text = site.ask("strmicroepoch")
    took = time.time() - began
    if not text.isdecimal():
        raise NotLookedAt("the switch does not tell its time")
    return took, int(text) / 1e6 - began - took / 2


def _database(site: Site) -> Iterator[Told]:
    yield _compared("the database's", database.ahead(site))


def _compared(whose: str, ahead: float) -> Told:
    said = f"{whose} clock is {abs(ahead):.3f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    mend = f"on both machines: {_SET}"
    if abs(ahead) < _OFF:
        return ok(said)
    return error(said, mend) if abs(ahead) > _FAR_OFF else warning(said, mend)


AREA = "clock"
CHECKS = (
    Check(
        AREA, "synchronised", _synchronised, "recordings and calls are kept by their time, and certificates end by it"
    ),
    Check(AREA, "switch", _switch, "the times of a call come from the switch, those of its row from here"),
    Check(AREA, "database", _database, "workers of several nodes are known to live by the time of their rows", True),
)
