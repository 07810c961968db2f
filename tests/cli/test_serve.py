"""``fsivr serve``, and what only a process of its own can show: signals and a terminal."""

from __future__ import annotations

import io
import re
import signal
import socket
import sys
import termios
from pathlib import Path

import pytest

from fsivr.cli.output import console
from fsivr.cli.serving import say_stopping
from fsivr.config import Settings
from fsivr.simulator import RealClock, Switch
from tests.cli.process import Process

ROOT = Path(__file__).parent.parent.parent
LINES = """
from fsivr import Dialplan, Extension, Handler


class Patient(Handler):
    def run(self, call):
        call.answer()
        call.play("patient/welcome")
        call.sleep(3600)


dialplan = Dialplan([Extension("1.*", Patient, context="public", path="x"), Extension("22", Patient)])
"""


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """A folder with a dialplan whose calls last an hour."""
    (tmp_path / "lines.py").write_text(LINES)
    return tmp_path


def address_in(out: str) -> tuple[str, int]:
    """Where a server said that it listens."""
    found = re.search(r"listens on (?:\x1b\[\d+m)?([\d.]+):(\d+)", out)
    assert found, out
    return found[1], int(found[2])


def test_it_says_where_it_listens_and_what_it_serves_and_stops(lines: Path) -> None:
    with Process("serve", "--listen", "127.0.0.1:0", "--dialplan", "lines:dialplan", cwd=lines) as serving:
        out = serving.reads("from another terminal")
        host, port = address_in(out)
        assert out.splitlines()[:4] == [
            f"fsivr listens on {host}:{port}, 120 ports, dialplan lines:dialplan:",
            "  1.*  lines.Patient, context public, path x",
            "  22  lines.Patient",
            f'in FreeSWITCH\'s dialplan:  <action application="socket" data="{host}:{port} async full"/>',
        ]
        assert serving.reads(f"call 22 --server {host}:{port}\n")
        serving.signals(signal.SIGTERM)
        assert serving.ends() == 0
        assert serving.out.splitlines()[-2:] == ["stopping", "stopped"]


def test_the_second_signal_hangs_up(lines: Path) -> None:
    with Process("serve", "--listen", "127.0.0.1:0", "--dialplan", "lines:dialplan", cwd=lines) as serving:
        switch = Switch(address_in(serving.reads("from another terminal")), clock=RealClock())
        switch.lasts("patient/welcome", 0.1)
        with switch.call("22") as caller:
            caller.hears("patient/welcome")
            serving.signals(signal.SIGINT)
            serving.reads("stopping: up to 30 s for 1 calls to end; once more hangs them up\n")
            assert caller.hangup_cause is None
            serving.signals(signal.SIGINT)
        assert caller.hangup_cause is not None
        assert serving.ends() == 0
        switch.stop()


class _Left(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_one_whose_reader_has_left_stops_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", _Left())
    say_stopping(1, Settings.defaults())
    with pytest.raises(BrokenPipeError):  # and not SystemExit, which would end all calls
        console(stderr=True).print("still")


def test_a_taken_address_is_told(lines: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        where = f"127.0.0.1:{other.getsockname()[1]}"
        with Process("serve", "--listen", where, "--dialplan", "lines:dialplan", cwd=lines) as serving:
            assert serving.ends() == 2
        assert serving.out.startswith(f"fsivr: cannot listen on {where}: Address already in use")
        assert "--listen" in serving.out


def test_numbers_that_are_typed_are_called() -> None:
    with Process("serve", "--listen", "127.0.0.1:0", "--simulate", cwd=ROOT, terminal=True) as serving:
        before = termios.tcgetattr(serving.terminal)
        serving.reads("type a number here to call it")
        serving.types("4100\n")
        serving.reads("hears 'bank/welcome'")
        assert not termios.tcgetattr(serving.terminal)[3] & termios.ECHO
        serving.types("\x03")
        serving.reads("the call ends: NORMAL_CLEARING")
        serving.types("999\n")  # at once: it is for the next call, not for this one
        serving.reads("no extension answers 999")
        serving.reads_again("type a number here to call it")
        assert termios.tcgetattr(serving.terminal) == before
        serving.types("\x03")
        assert serving.ends() == 0
        assert "stopped" in serving.out


def test_a_telephone_in_the_terminal() -> None:
    with Process("call", "4100", cwd=ROOT, terminal=True) as telephone:
        before = termios.tcgetattr(telephone.terminal)
        telephone.reads("hears 'bank/account-number'")
        telephone.types("12x34")
        telephone.reads("dials 1234")
        telephone.types("56")
        telephone.reads("hears 'bank/pin'")
        telephone.types("1234")
        telephone.reads("dials ****")
        telephone.reads("hears 'bank/main-menu'")
        telephone.types("\x03")
        telephone.reads("hangs up")
        assert telephone.ends() == 0
        assert termios.tcgetattr(telephone.terminal) == before


def test_a_telephone_that_is_terminated_leaves_the_terminal_as_it_was() -> None:
    with Process("call", "4100", cwd=ROOT, terminal=True) as telephone:
        before = termios.tcgetattr(telephone.terminal)
        telephone.reads("hears 'bank/welcome'")
        telephone.signals(signal.SIGTERM)
        assert telephone.ends() == 130
        assert termios.tcgetattr(telephone.terminal) == before
