"""A reload has new code and loses no call; a stop lets calls finish; systemd is told of both."""

from __future__ import annotations

import signal
import socket
import uuid
from pathlib import Path

from tests.cli.process import Process
from tests.leaks import until
from tests.supervisor.service import Service, Telephone, are_gone


def test_a_reload_under_calls_and_one_that_is_broken_and_the_end(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        name = f"fsivr-{uuid.uuid4()}"
        systemd.bind(f"\0{name}")
        with Service(tmp_path, notify=f"@{name}", ports=20, drain_timeout=60) as service:
            new = _reloads(service)
            _goes_on_where_the_code_is_broken(service, new)
            _lets_calls_finish_and_hangs_them_up_when_told_again(service, new)
        told = [line for message in _received(systemd) for line in message.split("\n")]
    kinds = [line for line in told if line.partition("=")[0] in ("READY", "RELOADING", "STOPPING")]
    assert kinds == ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1", "STOPPING=1"]
    assert sum(line.startswith("MONOTONIC_USEC=") for line in told) == 2
    assert any(line.startswith("STATUS=") and "2 of 2 workers" in line for line in told)


def _are_new(phones: list[Telephone]) -> bool:
    """Whether all have the new code; hung up where they have not."""
    new = {phone.heard[0] for phone in phones} == {"v2"}
    for phone in phones if not new else ():
        phone.hang_up()
    return new


def _reloads(service: Service) -> list[Telephone]:
    """Calls with the new code, which are up; those with the old have ended."""
    old, first = service.held(6), service.workers()
    assert {phone.heard[0] for phone in old} == {"v1"}
    service.write("v2")
    service.signals(signal.SIGHUP)
    service.reads("reloaded: ")
    # An old worker may still take a call that arrives as it is told to take no more.
    assert until(lambda: _are_new(service.held(6)), 20)
    new = service.phones[-6:]
    assert not set(first) & {int(phone.heard[1]) for phone in new}
    assert not any(phone.over for phone in old)
    # Old and new share the ports: 12 of 20 are taken.
    more = service.call(10)
    assert until(lambda: sum(bool(phone.heard) + bool(phone.cause) for phone in more) == 10, 20)
    assert sum(bool(phone.heard) for phone in more) == 8
    for phone in (*old, *more):
        if not phone.over:
            phone.hang_up()
    assert until(lambda: are_gone(first), 20)
    assert service.row(old[0]).hangup_cause == "NORMAL_CLEARING"
    return new


def _goes_on_where_the_code_is_broken(service: Service, new: list[Telephone]) -> None:
    service.write("v3", "dialplan = nothing\n")
    service.signals(signal.SIGHUP)
    service.reads("nothing is reloaded, and the workers go on")
    assert "NameError" in service.out
    assert {phone.heard[0] for phone in service.held(4)} == {"v2"}
    assert not any(phone.over for phone in new)


def _lets_calls_finish_and_hangs_them_up_when_told_again(service: Service, new: list[Telephone]) -> None:
    service.signals(signal.SIGTERM)
    service.reads("stopping: up to 60 s for ")
    assert until(lambda: _refuses(service.address))
    assert not any(phone.over for phone in new)
    service.signals(signal.SIGTERM)
    assert service.ends() == 0
    assert until(lambda: all(phone.over for phone in new))
    assert {phone.cause for phone in new} == {"MANAGER_REQUEST"}
    assert service.row(new[0]).hangup_cause == "MANAGER_REQUEST"


def test_a_dialplan_that_is_broken_at_the_start_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "lines.py").write_text("dialplan = nothing\n")
    asked = ("serve", "--workers", "2", "--listen", "127.0.0.1:0", "--dialplan", "lines:dialplan")
    with Process(*asked, cwd=tmp_path) as service:
        assert service.ends() == 2
    assert service.out.count("NameError") == 1
    assert "fsivr: cannot serve: worker 1-" in service.out


def _refuses(address: tuple[str, int]) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(address) != 0


def _received(sock: socket.socket) -> list[str]:
    sock.setblocking(False)
    found = []
    while True:
        try:
            found.append(sock.recv(4096).decode())
        except BlockingIOError:
            return found
