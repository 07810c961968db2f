"""The limits of the system: files, processes and threads, connections that wait."""

from __future__ import annotations

import re
import resource
from collections.abc import Iterator

from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, warning
from fsivr.doctor.processes import Process, servers, switches
from fsivr.doctor.site import Site

# For each call: the switch's two legs have two sockets for sound each, with files of prompts and recordings;
# a server has one socket, and some of the database, the API and the export besides.
_SWITCH_FILES, _SERVER_FILES, _BESIDES = 12, 2, 512
# A leg has a thread of its own and one for what it plays; timers, profiles and the rest some 200.
_SWITCH_THREADS, _OTHER_THREADS = 6, 512
_BACKLOG = 128


def _files(site: Site) -> Iterator[Told]:
    needed = site.ports * _SERVER_FILES + _BESIDES
    running = [("the server", each, needed) for each in servers(site)]
    running += [("the switch", each, site.ports * _SWITCH_FILES + _BESIDES) for each in switches(site)]
    for who, process, wanted in running:
        yield from _of_process(site, who, process, wanted)
    if not running:
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        yield _enough("what is started from here", soft, needed)


def _of_process(site: Site, who: str, process: Process, wanted: int) -> Iterator[Told]:
    whole = f"{who} (process {process.pid})"
    try:
        text = site.text(f"/proc/{process.pid}/limits")
    except NotLookedAt:
        yield note(f"the limits of {whole} cannot be seen by this user", "sudo fsivr doctor --only limits")
        return
    found = re.search(r"^Max open files\s+(\d+|unlimited)", text, re.MULTILINE)
    if found:
        yield _enough(whole, resource.RLIM_INFINITY if found[1] == "unlimited" else int(found[1]), wanted)


def _enough(who: str, most: int, wanted: int) -> Told:
    if most == resource.RLIM_INFINITY or most >= wanted:
        return ok(f"{who} may open {'any number of' if most == resource.RLIM_INFINITY else most} files")
    return error(
        f"{who} may open {most} files: {wanted} are needed",
        f"systemctl edit SERVICE: [Service] LimitNOFILE={max(65536, wanted)}; then restart it",
    )


def _processes(site: Site) -> Iterator[Told]:
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    wanted = site.ports * _SWITCH_THREADS + _OTHER_THREADS
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        yield ok(f"a user may have {'any number of' if soft == resource.RLIM_INFINITY else soft} threads")
    else:
        yield warning(
            f"a user may have {soft} threads: {wanted} are needed where it runs the switch",
            f"systemctl edit SERVICE: [Service] LimitNPROC={max(16384, wanted)} and TasksMax=infinity",
        )


def _threads(site: Site) -> Iterator[Told]:
    wanted = 2 * (site.ports * _SWITCH_THREADS + _OTHER_THREADS)
    for name in ("threads-max", "pid_max"):
        most = site.number(f"/proc/sys/kernel/{name}")
        if most < wanted:
            yield warning(
                f"kernel.{name} is {most}: {wanted} are needed", f"sysctl -w kernel.{name}={max(32768, wanted)}"
            )
        else:
            yield ok(f"kernel.{name} is {most}")


def _backlog(site: Site) -> Iterator[Told]:
    most, wanted = site.number("/proc/sys/net/core/somaxconn"), max(_BACKLOG, site.ports)
    if most < wanted:
        yield warning(
            f"net.core.somaxconn is {most}: {site.ports} calls may come in one moment",
            f"sysctl -w net.core.somaxconn={max(4096, wanted)}",
        )
    else:
        yield ok(f"net.core.somaxconn is {most}")


AREA = "limits"
CHECKS = (
    Check(AREA, "files", _files, "each call takes sockets and files: past the limit no call is taken"),
    Check(AREA, "processes", _processes, "the switch has threads for each call: past the limit it refuses calls"),
    Check(AREA, "threads", _threads, "all threads of the machine count, and past the limit nothing starts"),
    Check(AREA, "backlog", _backlog, "connections past it are dropped while the server is busy"),
)
