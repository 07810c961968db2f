"""Processes of this machine: which there are, and who has which socket."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from fsivr.doctor.finding import NotLookedAt
from fsivr.doctor.site import Site

_LISTENS, _UDP_OPEN = "0A", "07"
_SOCKET = re.compile(r"socket:\[(\d+)\]")


class Process(NamedTuple):
    """A process: its number, its name, and the words it was started with."""

    pid: int
    name: str
    words: tuple[str, ...]


class Listening(NamedTuple):
    """A socket that takes what comes: its protocol, address, port, and what the kernel calls it."""

    protocol: str
    host: str
    port: int
    inode: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return _plain(self.host).is_loopback

    @property
    def address(self) -> str:
        """Where it listens, for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def processes(site: Site) -> Iterator[Process]:
    """The processes there are."""
    for pid in _pids(site):
        try:
            name = site.text(f"/proc/{pid}/comm").strip()
            yield Process(pid, name, tuple(site.text(f"/proc/{pid}/cmdline").split("\0")))
        except NotLookedAt:  # it ended meanwhile
            continue


def switches(site: Site) -> list[Process]:
    """The processes of FreeSWITCH."""
    return [each for each in processes(site) if each.name == "freeswitch"]


def servers(site: Site) -> list[Process]:
    """The processes of ``fsivr serve``."""
    return [each for each in processes(site) if "serve" in each.words and _is_ours(each.words)]


def listening(site: Site, protocol: str) -> list[Listening]:
    """The sockets of ``tcp`` or ``udp`` that take connections or packets, of IPv4 and IPv6."""
    found = list(parsed(site.text(f"/proc/net/{protocol}"), protocol))
    with suppress(NotLookedAt):  # there may be no IPv6
        found += parsed(site.text(f"/proc/net/{protocol}6"), protocol)
    return found


def parsed(text: str, protocol: str) -> Iterator[Listening]:
    """The sockets in a text of the kernel's, as ``/proc/net/tcp``; those of ``udp`` that are connected are left out."""
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 10 or words[3] != (_LISTENS if protocol == "tcp" else _UDP_OPEN):
            continue
        host, _, port = words[1].partition(":")
        yield Listening(protocol, _host(host), int(port, 16), int(words[9]))


def holders(site: Site, sockets: Iterable[Listening]) -> dict[int, str]:
    """The name of who has each socket, by its inode; none for those of other users, unless root asks."""
    wanted = {each.inode for each in sockets}
    found: dict[int, str] = {}
    for pid in _pids(site) if wanted else ():
        with suppress(NotLookedAt):
            found.update((inode, _called(site, pid)) for inode in _sockets(site, pid) if inode in wanted)
    return found


def _sockets(site: Site, pid: int) -> Iterator[int]:
    """The sockets that a process has, as far as this user may see them."""
    folder = site.root / f"proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except OSError:  # another user's, or it ended meanwhile
        return
    for name in names:
        with suppress(OSError):  # closed meanwhile, as the listing's own is
            if match := _SOCKET.fullmatch(os.readlink(folder / name)):
                yield int(match[1])


def _called(site: Site, pid: int) -> str:
    name = site.text(f"/proc/{pid}/comm").strip()
    words = tuple(site.text(f"/proc/{pid}/cmdline").split("\0"))
    return "fsivr" if _is_ours(words) else name


def _is_ours(words: tuple[str, ...]) -> bool:
    """Whether a process was started as ``fsivr`` or ``python -m fsivr``: its name is that of Python."""
    return any(word.rpartition("/")[2] == "fsivr" for word in words[:6])


def _pids(site: Site) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(site.root / "proc") if name.isdecimal())
    except OSError as error:
        raise NotLookedAt(f"/proc cannot be read: {error.strerror}") from None


def _host(text: str) -> str:
    """The kernel writes each 32 bits with the lowest byte first."""
    data = b"".join(bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8))
    return str(_plain(str(ipaddress.ip_address(data))))


def _plain(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
