"""The machine, its limits and its ports: by texts of other machines, and by this one."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsivr.config import Settings
from fsivr.doctor.processes import holders, listening, parsed
from fsivr.doctor.site import Site

_HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
_TCP = _HEAD + (
    "   0: 0100007F:1F55 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0\n"
    "   1: 00000000:1F94 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0 100 0\n"
    "   2: 0100007F:0016 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0 100 0\n"
)
_TCP6 = _HEAD + (
    "   0: 00000000000000000000000001000000:1F55 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000     0        0 14 1 0 100 0\n"
    "   1: 0000000000000000FFFF00000100007F:1F56 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000     0        0 15 1 0 100 0\n"
)
_UDP = _HEAD + (
    "   0: 00000000:2710 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 16 2 0 0\n"
    "   1: 0101A8C0:2711 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 17 2 0 0\n"
)


def test_the_kernels_tables_are_read() -> None:
    assert [(each.address, each.loopback, each.inode) for each in parsed(_TCP, "tcp")] == [
        ("127.0.0.1:8021", True, 11),
        ("0.0.0.0:8084", False, 12),
    ]
    assert [(each.address, each.loopback) for each in parsed(_TCP6, "tcp")] == [
        ("[::1]:8021", True),
        ("127.0.0.1:8022", True),
    ]
    assert [(each.address, each.inode) for each in parsed(_UDP, "udp")] == [("0.0.0.0:10000", 16)]
    assert not list(parsed("", "tcp")) and not list(parsed(_HEAD + "nonsense\n", "tcp"))


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_that_is_taken_here_is_seen_with_who_has_it(kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        site = Site(Settings.defaults())
        found = listening(site, "tcp" if kind == socket.SOCK_STREAM else "udp")
        (own,) = [each for each in found if each.port == sock.getsockname()[1]]
        assert own.host == "127.0.0.1"
        assert own.inode == os.fstat(sock.fileno()).st_ino
        assert own.inode in holders(site, [own])


_TEXTS = {
    "machine.system": ("/etc/os-release", 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n', "ok"),
    "machine.kernel": ("/proc/sys/kernel/osrelease", "6.1.0-13-amd64\n", "ok"),
    "machine.memory": ("/proc/meminfo", "MemTotal:       16086104 kB\n", "ok"),
    "machine.swap": ("/proc/meminfo", "SwapTotal: 2097148 kB\nSwapFree: 2097148 kB\n", "ok"),
    "limits.backlog": ("/proc/sys/net/core/somaxconn", "4096\n", "ok"),
    "ports.local-range": ("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n", "ok"),
}
_WRONG = {
    "machine.system": ("/etc/os-release", 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04"\n', "note"),
    "machine.kernel": ("/proc/sys/kernel/osrelease", "4.19.0\n", "warning"),
    "machine.memory": ("/proc/meminfo", "MemTotal:       8000000 kB\n", "warning"),
    "machine.swap": ("/proc/meminfo", "SwapTotal: 2097148 kB\nSwapFree: 7148 kB\n", "warning"),
    "limits.backlog": ("/proc/sys/net/core/somaxconn", "100\n", "warning"),
    "ports.local-range": ("/proc/sys/net/ipv4/ip_local_port_range", "15000\t61000\n", "warning"),
}
_CASES = [(name, *case) for table in (_TEXTS, _WRONG) for name, case in table.items()]


@pytest.mark.parametrize(("name", "path", "text", "level"), _CASES)
def test_what_the_system_says(levels: Any, system: Any, name: str, path: str, text: str, level: str) -> None:
    assert levels(name, ports=120, site=system({path: text})) == [level]


@pytest.mark.parametrize("name", _TEXTS)
def test_what_cannot_be_read_is_skipped(levels: Any, system: Any, name: str) -> None:
    assert levels(name, site=system({"/nothing": ""})) == ["skipped"]
    assert levels(name, site=system({_TEXTS[name][0]: "nonsense"})) in (["skipped"], ["note"])


def test_reserved_ports_are_none_of_the_kernels(findings: Any, system: Any) -> None:
    texts = {
        "/proc/sys/net/ipv4/ip_local_port_range": "15000 61000",
        "/proc/sys/net/ipv4/ip_local_reserved_ports": "8084,10000-20000\n",
    }
    (found,) = findings("ports.local-range", site=system(texts))
    assert found.level == "ok"
    assert "those of UDP 10000 to 20000 are reserved" in found.what


def test_a_container_has_the_part_that_it_was_given(findings: Any, system: Any) -> None:
    (cores,) = findings("machine.cores", ports=30, site=system({"/sys/fs/cgroup/cpu.max": "50000 100000\n"}))
    assert (cores.level, cores.what) == ("warning", "0.5 cores: 30 ports ask for 2")
    texts = {"/proc/meminfo": "MemTotal: 64000000 kB\n", "/sys/fs/cgroup/memory.max": f"{2 << 30}\n"}
    (memory,) = findings("machine.memory", ports=30, site=system(texts))
    assert memory.what == "2.0 GiB of memory: 30 ports ask for 4"


def test_more_ports_than_a_server_has_are_for_several(findings: Any, system: Any) -> None:
    told = [each.what for each in findings("machine.cores", site={"ports": 500, **system({"/nothing": ""})})]
    assert told[0] == "500 ports are for 3 servers"


_LIMITS = "Limit               Soft Limit  Hard Limit  Units\nMax open files            {} 4096 files\n"


@pytest.mark.parametrize(("most", "level"), [("1024", "error"), ("65536", "ok"), ("unlimited", "ok")])
def test_the_limits_are_those_of_what_runs(findings: Any, system: Any, most: str, level: str) -> None:
    texts = {
        "/proc/77/comm": "freeswitch\n",
        "/proc/77/cmdline": "freeswitch\0-nonat",
        "/proc/77/limits": _LIMITS.format(most),
    }
    (found,) = findings("limits.files", ports=120, site=system(texts))
    assert found.level == level
    assert found.what.startswith("the switch (process 77) may open")


def test_limits_that_this_user_cannot_see_are_told(levels: Any, system: Any) -> None:
    texts = {"/proc/78/comm": "python3\n", "/proc/78/cmdline": "/opt/fsivr/venv/bin/fsivr\0serve\0"}
    assert levels("limits.files", site=system(texts)) == ["note"]


@pytest.mark.parametrize(("name", "level"), [("threads-max", "warning"), ("pid_max", "warning")])
def test_threads_of_the_machine(levels: Any, system: Any, name: str, level: str) -> None:
    other = {"threads-max": "pid_max", "pid_max": "threads-max"}[name]
    texts = {f"/proc/sys/kernel/{name}": "1000", f"/proc/sys/kernel/{other}": "192729"}
    assert sorted(levels("limits.threads", site=system(texts))) == ["ok", level]


# -- ports ------------------------------------------------------------------------------------


def test_an_event_socket_that_others_reach_is_wrong(findings: Any, system: Any) -> None:
    open_to_all = _TCP.replace("0100007F:1F55", "00000000:1F55")
    (found,) = findings(
        "ports.event-socket", switch_address="127.0.0.1:8021", site=system({"/proc/net/tcp": open_to_all})
    )
    assert (found.level, found.what) == ("error", "the event socket listens on 0.0.0.0:8021, where others reach it")
    site = system({"/proc/net/tcp": _TCP, "/proc/net/tcp6": _TCP6})
    assert [each.level for each in findings("ports.event-socket", switch_address="127.0.0.1:8021", site=site)] == [
        "ok",
        "ok",
    ]


def test_a_switch_elsewhere_is_to_be_looked_at_there(levels: Any, system: Any) -> None:
    site = system({"/proc/net/tcp": _TCP})
    assert levels("ports.event-socket", switch_address="192.0.2.1:8021", site=site) == ["note"]
    assert levels("ports.event-socket", switch_address="127.0.0.1:8999", site=site) == ["skipped"]


@pytest.mark.parametrize(
    ("allow", "level"), [(["0.0.0.0/0"], "error"), (["127.0.0.0/8", "::1"], "note"), (["10.0.0.5"], "ok")]
)
def test_a_server_on_all_addresses_lets_in_whom_allow_names(
    levels: Any, system: Any, allow: list[str], level: str
) -> None:
    site = system({"/proc/net/tcp": _TCP})
    assert levels("ports.calls", listen="0.0.0.0:8084", allow=allow, site=site) == [level]


def test_ports_that_another_program_has(findings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (found,) = [each for each in findings("ports.web", api_listen=f"127.0.0.1:{port}") if f":{port}" in each.what]
        name = Path("/proc/self/comm").read_text().strip()
        assert (found.level, found.what) == ("error", f"TCP {port} is taken by {name} on 127.0.0.1:{port}")


def test_sound_of_another_program_is_told(findings: Any, switch: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        switch.configuration["switch.conf"] = (
            f'<configuration><settings><param name="rtp-start-port" value="{port}"/>'
            f'<param name="rtp-end-port" value="{port + 40}"/></settings></configuration>'
        )
        told = [each.what for each in findings("ports.rtp", ports=120)]
    assert told[0] == f"UDP {port} to {port + 40} are enough for 20 legs"
    assert any(f"has UDP {port}, in the range of the sound" in what for what in told)


def test_sip_is_looked_for_where_the_switch_has_it(findings: Any, switch: Any, system: Any) -> None:
    switch.configuration["sofia.conf"] = switch.configuration["sofia.conf"].replace(
        'name="tls" value="false"', 'name="tls" value="true"'
    )
    site = system({"/proc/net/tcp": _TCP, "/proc/net/udp": _UDP})
    assert [each.what for each in findings("ports.sip", site=site)] == [
        "UDP 5060 is free",
        "TCP 5060 is free",
        "TCP 5061 is free",
    ]
    running = system({"/proc/77/comm": "freeswitch\n", "/proc/77/cmdline": "freeswitch"})
    assert {each.level for each in findings("ports.sip", site=running)} == {"error"}


def test_this_machine_is_looked_at_whole(findings: Callable[..., Any]) -> None:
    from fsivr.doctor.checks import CHECKS

    for check in CHECKS:
        if check.area in ("machine", "limits", "clock", "disk"):
            for found in findings(check.whole_name):
                assert "the check itself failed" not in found.what
