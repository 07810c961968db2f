"""The ports: who listens where, and what must not be reached from outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from fsivr.config import parse_address
from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, warning
from fsivr.doctor.processes import Listening, holders, listening, switches
from fsivr.doctor.site import Site, parameters, profiles, true

_SIP, _TLS = 5060, 5061
_RTP = (10000, 20000)
_MOST_TOLD = 5
_WHO = "ss -lntup | grep :{port}"
_FREESWITCH = "freeswitch"


def _sip(site: Site) -> Iterator[Told]:
    wanted: dict[int, tuple[str, ...]] = dict.fromkeys(_sip_ports(site), ("udp", "tcp"))
    for port in _tls_ports(site):
        wanted[port] = ("tcp",)
    for port, protocols in wanted.items():
        for protocol in protocols:
            yield from _expected(
                site, protocol, port, "freeswitch", needed=site.switch_is_here and bool(switches(site))
            )


def _sip_ports(site: Site) -> list[int]:
    with suppress(NotLookedAt):
        found = [values.get("sip-port", str(_SIP)) for _, values in profiles(site)]
        return [int(each) for each in found if each.isdecimal()] or [_SIP]
    return [_SIP]


def _tls_ports(site: Site) -> list[int]:
    with suppress(NotLookedAt):
        found = [values.get("tls-sip-port", str(_TLS)) for _, values in profiles(site) if true(values.get("tls"))]
        return [int(each) for each in found if each.isdecimal()]
    return []


def _expected(site: Site, protocol: str, port: int, who: str, *, needed: bool) -> Iterator[Told]:
    """That a port is the program's that should have it, or nobody's."""
    found = [each for each in listening(site, protocol) if each.port == port]
    names = holders(site, found)
    whole = f"{protocol.upper()} {port}"
    if not found:
        if needed:
            yield error(f"nobody listens on {whole}", f"systemctl status {who}; journalctl -u {who}")
        else:
            yield ok(f"{whole} is free")
    for each in _each(found):
        name = names.get(each.inode)
        if name is None:
            yield note(
                f"{whole} is taken on {each.address}, by whom cannot be seen by this user", f"sudo {_whose(port)}"
            )
        elif name == who:
            yield ok(f"{who} listens on {whole}, {each.address}")
        else:
            yield error(
                f"{whole} is taken by {name} on {each.address}", f"{_whose(port)}; stop it, or move it elsewhere"
            )


def _whose(port: int) -> str:
    return _WHO.format(port=port)


def _each(found: Iterable[Listening]) -> list[Listening]:
    """Each address once: a switch has several sockets on one."""
    return list({(each.protocol, each.host, each.port): each for each in found}.values())


def rtp_range(site: Site) -> tuple[int, int]:
    """The ports of the switch's sound, the last one too; those of the documents where it cannot be asked."""
    with suppress(NotLookedAt, ValueError):
        values = parameters(site.configuration("switch.conf"))
        return int(values.get("rtp-start-port", 16384)), int(values.get("rtp-end-port", 32768))
    return _RTP


def _rtp(site: Site) -> Iterator[Told]:
    first, last = rtp_range(site)
    # Of each pair of ports one is for the sound; a call that is bridged has two legs.
    room = (last - first) // 2
    if room < 2 * site.ports:
        yield warning(
            f"UDP {first} to {last} are enough for {room} legs", "rtp-start-port, rtp-end-port in switch.conf"
        )
    found = [each for each in listening(site, "udp") if first <= each.port <= last]
    names = holders(site, found)
    others = [each for each in found if names.get(each.inode) not in (None, _FREESWITCH)]
    unknown = sum(each.inode not in names for each in found)
    for each in others[:_MOST_TOLD]:
        yield warning(f"{names[each.inode]} has UDP {each.port}, in the range of the sound", _whose(each.port))
    if len(others) > _MOST_TOLD:
        yield warning(f"so have {len(others) - _MOST_TOLD} more sockets", "ss -lnup")
    if unknown:
        yield note(
            f"{unknown} ports of {first} to {last} are taken, by whom cannot be seen by this user", "sudo ss -lnup"
        )
    elif not others:
        yield ok(f"nobody but the switch has ports of UDP {first} to {last}")


def _range(site: Site) -> Iterator[Told]:
    first, last = rtp_range(site)
    words = site.text("/proc/sys/net/ipv4/ip_local_port_range").split()
    if len(words) != 2 or not all(each.isdecimal() for each in words):
        raise NotLookedAt("the kernel does not tell its range")
    low, high = int(words[0]), int(words[1])
    said = f"the kernel gives ports from {low} to {high} to connections of this machine"
    if high < first or low > last:
        yield ok(f"{said}: none of UDP {first} to {last}")
    elif _reserved(site) >= set(range(max(first, low), min(last, high) + 1)):
        yield ok(f"{said}: those of UDP {first} to {last} are reserved")
    else:
        yield warning(
            f"{said}: they meet those of the sound, UDP {first} to {last}",
            f"echo net.ipv4.ip_local_reserved_ports={first}-{last} > /etc/sysctl.d/60-rtp.conf && sysctl --system",
        )


def _reserved(site: Site) -> set[int]:
    found: set[int] = set()
    with suppress(NotLookedAt, ValueError):
        for part in site.text("/proc/sys/net/ipv4/ip_local_reserved_ports").strip().split(","):
            low, _, high = part.partition("-")
            found.update(range(int(low), int(high or low) + 1))
    return found


def _calls(site: Site) -> Iterator[Told]:
    _, port = parse_address(site.settings.listen)
    found = _each(each for each in listening(site, "tcp") if port and each.port == port)
    names = holders(site, found)
    if not found:
        yield note(f"no server takes calls here now, on {site.settings.listen}", "systemctl start fsivr")
    for each in found:
        name = names.get(each.inode)
        if name not in (None, "fsivr"):
            yield error(f"TCP {port} is taken by {name} on {each.address}", f"{_whose(port)}; stop it, or set listen")
        elif each.loopback:
            yield ok(f"{name or 'somebody'} listens on {each.address}, for this machine alone")
        else:
            yield from _open(site, each)


def _open(site: Site, each: Listening) -> Iterator[Told]:
    allowed = ", ".join(site.settings.allow)
    if any(network.prefixlen == 0 for network in site.settings.allow_networks):
        yield error(f"it listens on {each.address} and lets in anybody", "set allow to the switches' addresses")
    elif all(network.is_loopback for network in site.settings.allow_networks):
        yield note(f"it listens on {each.address} and lets in this machine alone", "set listen to 127.0.0.1:8084")
    else:
        yield ok(f"it listens on {each.address} and lets in {allowed}")


def _event_socket(site: Site) -> Iterator[Told]:
    host, port = parse_address(site.settings.switch_address)
    if not site.switch_is_here:
        yield note(
            f"the switch is on {host}: look there who reaches TCP {port}", f"on {host}: fsivr doctor --only ports"
        )
        return
    found = _each(each for each in listening(site, "tcp") if each.port == port)
    if not found:
        raise NotLookedAt(f"nobody listens on TCP {port} here")
    for each in found:
        if each.loopback:
            yield ok(f"the event socket listens on {each.address}, for this machine alone")
        else:
            yield error(
                f"the event socket listens on {each.address}, where others reach it",
                "listen-ip 127.0.0.1 in event_socket.conf.xml; fs_cli -x 'reload mod_event_socket'",
            )


def _web(site: Site) -> Iterator[Told]:
    settings = site.settings
    ours = {parse_address(each)[1] for each in (settings.api_listen, settings.api_redirect_from) if each}
    for port in sorted({80, 443} | ours - {0}):
        found = _each(each for each in listening(site, "tcp") if each.port == port)
        names = holders(site, found)
        if not found:
            yield (
                ok(f"TCP {port} is free")
                if port not in ours
                else note(f"the API does not listen on TCP {port} now", "systemctl start fsivr")
            )
        for each in found:
            name = names.get(each.inode)
            if port in ours and name not in (None, "fsivr"):
                yield error(
                    f"TCP {port} is taken by {name} on {each.address}", f"{_whose(port)}; stop it, or set api_listen"
                )
            else:
                yield ok(f"{name or 'somebody whom this user cannot see'} listens on {each.address}")


def _ssh(site: Site) -> Iterator[Told]:
    found = _each(each for each in listening(site, "tcp") if each.port == 22)
    if not found:
        yield ok("TCP 22 is free")
    for each in found:
        if each.loopback:
            yield ok(f"TCP 22 is for this machine alone, on {each.address}")
        else:
            yield note(
                f"TCP 22 is reached from outside, on {each.address}", "have the firewall let in administrators alone"
            )


AREA = "ports"
CHECKS = (
    Check(AREA, "sip", _sip, "calls come to these ports; a second program there gets them instead"),
    Check(AREA, "rtp", _rtp, "a call whose port for sound is another program's is silent"),
    Check(AREA, "local-range", _range, "a connection of any program may take a port that a call's sound needs"),
    Check(AREA, "calls", _calls, "whoever connects here can act as the switch"),
    Check(AREA, "event-socket", _event_socket, "whoever gets in here can place calls and run commands as the switch"),
    Check(AREA, "web", _web, "the API is reached on these ports"),
    Check(AREA, "ssh", _ssh, "passwords are guessed at on open ports all day"),
)
