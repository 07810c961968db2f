"""The machine: its system, its processor and its memory."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from contextlib import suppress

from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, warning
from fsivr.doctor.site import Site
from fsivr.sizing import Demand, size

_GIB = 1 << 30
# A machine of 16 GB shows less: the kernel and the firmware keep some.
_SHOWN = 0.9
_OLDEST_KERNEL = (5, 10)
_OLDEST_PYTHON = (3, 11)


def _system(site: Site) -> Iterator[Told]:
    given = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', site.text("/etc/os-release"), re.MULTILINE))
    name = given.get("PRETTY_NAME") or given.get("ID") or "an unnamed system"
    if (given.get("ID"), given.get("VERSION_ID")) == ("debian", "12"):
        yield ok(name)
    else:
        yield note(f"{name}: fsivr is tried on Debian 12", "where there is a choice, take Debian 12")


def _kernel(site: Site) -> Iterator[Told]:
    release = site.text("/proc/sys/kernel/osrelease").strip()
    found = re.match(r"(\d+)\.(\d+)", release)
    if found is None:
        raise NotLookedAt(f"the kernel calls itself {release[:80]!r}")
    if (int(found[1]), int(found[2])) < _OLDEST_KERNEL:
        yield warning(f"Linux {release} is older than 5.10", "apt-get update && apt-get dist-upgrade && reboot")
    else:
        yield ok(f"Linux {release}, {platform.machine()}")


def _python(site: Site) -> Iterator[Told]:
    running = platform.python_version()
    if sys.version_info[:2] < _OLDEST_PYTHON:
        yield error(f"Python {running}: fsivr needs 3.11", "apt-get install python3.11-venv")
    elif sys.prefix == sys.base_prefix:
        yield note(
            f"Python {running}, in no environment of its own: an upgrade of the system may change what fsivr uses",
            "python3 -m venv /opt/fsivr/venv && /opt/fsivr/venv/bin/pip install fsivr",
        )
    else:
        yield ok(f"Python {running}, in {sys.prefix}")


def _cores(site: Site) -> Iterator[Told]:
    wanted = size(Demand(ports=site.ports))
    there = _usable_cores(site)
    asked = f"{wanted.ports_each} ports ask for {wanted.cores}"
    if wanted.servers > 1:
        yield note(f"{site.ports} ports are for {wanted.servers} servers", f"fsivr size --ports {site.ports}")
    if there < wanted.cores:
        yield warning(f"{there:g} cores: {asked}", f"take a larger machine ('fsivr size --ports {site.ports}')")
    else:
        yield ok(f"{there:g} cores: {asked}")


def _usable_cores(site: Site) -> float:
    """The cores that this process may use: a container may have a part of them."""
    there = float(len(os.sched_getaffinity(0)))
    try:
        most, period = site.text("/sys/fs/cgroup/cpu.max").split()[:2]
        return min(there, int(most) / int(period))
    except (NotLookedAt, ValueError):  # no limit, or "max"
        return there


def _memory(site: Site) -> Iterator[Told]:
    found = re.search(r"^MemTotal:\s*(\d+) kB", site.text("/proc/meminfo"), re.MULTILINE)
    if found is None:
        raise NotLookedAt("/proc/meminfo does not tell how much there is")
    there = int(found[1]) * 1024
    with suppress(NotLookedAt):  # there may be no limit
        there = min(there, site.number("/sys/fs/cgroup/memory.max"))
    wanted = size(Demand(ports=site.ports))
    said = f"{there / _GIB:.1f} GiB of memory: {wanted.ports_each} ports ask for {wanted.memory}"
    if there < wanted.memory * _GIB * _SHOWN:
        yield warning(said, f"take a larger machine ('fsivr size --ports {site.ports}')")
    else:
        yield ok(said)


def _swap(site: Site) -> Iterator[Told]:
    text = site.text("/proc/meminfo")
    total, free = (re.search(rf"^Swap{name}:\s*(\d+) kB", text, re.MULTILINE) for name in ("Total", "Free"))
    if total is None or free is None:
        raise NotLookedAt("/proc/meminfo does not tell of it")
    used = (int(total[1]) - int(free[1])) * 1024
    if used > _GIB // 4:
        yield warning(f"{used / _GIB:.1f} GiB are swapped out", "ps -eo rss,comm --sort=-rss | head; add memory")
    else:
        yield ok("nothing of weight is swapped out")


def _user(site: Site) -> Iterator[Told]:
    if os.geteuid() == 0:
        yield note("this is root, who may read and write everything", "sudo -u fsivr fsivr doctor")
    else:
        yield ok(f"this is user {os.geteuid()}")


AREA = "machine"
CHECKS = (
    Check(AREA, "user", _user, "what the user that serves may do is found out by that user alone"),
    Check(AREA, "system", _system, "what fsivr and FreeSWITCH are tried on is known to work together"),
    Check(AREA, "kernel", _kernel, "older kernels lack what the server and its service are confined with"),
    Check(AREA, "python", _python, "an older Python cannot run fsivr"),
    Check(AREA, "cores", _cores, "with too few, sound stutters when every port is in use"),
    Check(AREA, "memory", _memory, "with too little, the system ends the switch or the server when they are busy"),
    Check(AREA, "swap", _swap, "a switch that waits for the disk sends its sound too late"),
)
