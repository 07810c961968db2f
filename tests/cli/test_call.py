"""``fsivr call``: a whole call in the terminal, on a clock that takes no time where none is needed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from gevent.server import StreamServer

from fsivr.cli import calling
from fsivr.cli.call import address_of, keys_of
from fsivr.config import Settings
from fsivr.dialplan import load_dialplan
from fsivr.errors import ConfigError
from fsivr.server import Server
from fsivr.simulator import VirtualClock

ROOT = Path(__file__).parent.parent.parent
DIALPLAN = """
from fsivr import Dialplan, Extension, Handler, HangupCause


class Broken(Handler):
    def run(self, call):
        call.answer()
        self.stumble()

    def stumble(self):
        raise LookupError("no such\\nrow")


class Who(Handler):
    def run(self, call):
        call.answer()
        call.play(f"{call.caller}/{call.destination}/{call.channel.context}/{call.variables.get('socket_path')}")


class Prompted(Handler):
    def run(self, call):
        call.play(f"not-{call.ask('keys', digits=(1, 9))}")


dialplan = Dialplan([Extension("1", Broken), Extension("2", Who, path="some/where"), Extension("3", Prompted)])
"""


@pytest.fixture(autouse=True)
def _virtual(monkeypatch) -> None:
    monkeypatch.setattr(calling, "RealClock", VirtualClock)
    monkeypatch.setattr("sys.stdin", None)


@pytest.fixture
def lines(tmp_path, monkeypatch) -> str:
    """The name of the dialplan above."""
    (tmp_path / "lines_to_call.py").write_text(DIALPLAN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "lines_to_call", raising=False)
    return "lines_to_call:dialplan"


@pytest.fixture
def server() -> Iterator[Server]:
    """A running server with the sample applications."""
    running = Server(load_dialplan("apps:dialplan"), Settings.defaults(listen="127.0.0.1:0"))
    running.start()
    yield running
    running.stop(0)


def heard(out: str) -> list[str]:
    """What was written of a call, without the times."""
    return [re.sub(r"^  \d+:\d\d\.\d  ", "", line) for line in out.splitlines()]


def test_a_call_that_goes_right(fsivr, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    ran = fsivr("call", "4100", "--keys", "123456,1234,1")
    assert (ran.code, ran.err) == (0, "")
    assert heard(ran.out) == [
        "calling 4100",
        "the call is answered",
        "hears 'bank/welcome'",
        "hears 'bank/account-number'",
        "dials 123456",
        "hears 'bank/pin'",
        "dials ****",
        "hears 'bank/main-menu'",
        "dials 1",
        "hears 'bank/your-balance-is'",
        "hears Say.currency(4200)",
        "the call ends: NORMAL_CLEARING",
    ]


def test_a_call_that_is_rejected_is_a_failure(fsivr, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    ran = fsivr("call", "4100", "--keys", "999999")
    assert (ran.code, ran.err) == (1, "")
    assert heard(ran.out)[-1] == "the call ends: CALL_REJECTED"


def test_lines_of_a_pipe_are_dialled(fsivr, lines, monkeypatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"1x2#\n")
    os.close(writing)
    with os.fdopen(reading) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        ran = fsivr("call", "3", "--dialplan", lines)
    assert ran.code == 0
    assert "hears 'not-12'" in heard(ran.out)


def test_who_calls_and_from_where(fsivr, lines) -> None:
    options = ("--caller", "0301234", "--context", "internal", "--path", "some/where", "--dialplan", lines)
    ran = fsivr("call", "2", *options)
    assert (ran.code, ran.err) == (0, "")
    assert "hears '0301234/2/internal/some/where'" in heard(ran.out)


def test_an_error_of_the_handler_is_told_in_two_lines(fsivr, lines) -> None:
    ran = fsivr("call", "1", "--dialplan", lines)
    assert ran.code == 1
    assert heard(ran.out)[-1] == "the call ends: NORMAL_TEMPORARY_FAILURE"
    first, second = ran.err.splitlines()
    assert "Broken" in first
    assert second == "  LookupError: no such row (lines_to_call.py:11)"


def test_the_whole_error_is_told_at_the_log_level_debug(lines) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fsivr", "call", "1", "--dialplan", lines],
        env={**os.environ, "FSIVR_LOG_LEVEL": "debug"},
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_number_that_nothing_answers_is_not_called(fsivr, lines) -> None:
    ran = fsivr("call", "9 9", "--dialplan", lines)
    assert (ran.code, ran.out) == (1, "")
    assert re.fullmatch(r"fsivr: no extension answers 9 9; this tells why: .*fsivr'? route '9 9'\n", ran.err)


def test_a_running_server_is_called(fsivr, server) -> None:
    ran = fsivr("call", "4100", "--keys", "123456,1234,1", "--server", f"127.0.0.1:{server.address[1]}")
    assert (ran.code, ran.err) == (0, "")
    assert "hears Say.currency(4200)" in heard(ran.out)


def test_a_running_server_may_not_know_the_number(fsivr, server) -> None:
    ran = fsivr("call", "9", "--server", f"127.0.0.1:{server.address[1]}")
    assert ran.code == 1
    assert heard(ran.out)[-1] == "the call ends: NO_ROUTE_DESTINATION"
    assert ran.err.startswith("fsivr: no extension answers 9;")


def test_nobody_listens(fsivr, server) -> None:
    port = server.address[1]
    server.stop(0)
    ran = fsivr("call", "4100", "--server", f"127.0.0.1:{port}")
    assert ran.code == 1
    assert ran.err.startswith(f"fsivr: nobody listens at 127.0.0.1:{port}; start one: ")
    assert ran.err.count("\n") == 1


def test_a_server_that_closes_leaves_the_call_alone(fsivr) -> None:
    other = StreamServer(("127.0.0.1", 0), lambda sock, peer: sock.close())
    other.start()
    ran = fsivr("call", "4100", "--server", f"127.0.0.1:{other.server_port}")
    other.stop()
    assert ran.code == 1
    assert "closed the connection and left the call alone" in ran.err


@pytest.mark.parametrize(
    ("text", "groups"),
    [("", []), ("12#", ["12#"]), ("123456,1", ["123456", "1"]), (" 1, 2 3 ", ["1", "2", "3"]), ("*a", ["*A"])],
)
def test_keys_come_in_groups(text: str, groups: list[str]) -> None:
    assert keys_of(text) == groups


@pytest.mark.parametrize("keys", ["x", "1;2", "１", "1,-"])
def test_what_is_no_key_is_refused(fsivr, keys: str) -> None:
    assert fsivr("call", "4100", "--keys", keys) == (
        2,
        "",
        f"fsivr: keys are 0-9 * # A-D, with a comma before those of the next question, not {keys!r}\n",
    )


def test_an_address_is_checked() -> None:
    assert address_of("[::1]:80") == ("::1", 80)
    with pytest.raises(ConfigError, match=r"--server is HOST:PORT, as 127\.0\.0\.1:8084, not '127\.0\.0\.1'"):
        address_of("127.0.0.1")


def test_a_running_server_has_its_own_dialplan(fsivr) -> None:
    ran = fsivr("call", "1", "--server", "127.0.0.1:1", "--dialplan", "apps:dialplan")
    assert ran.code == 2
    assert "--dialplan is the running server's own choice" in ran.err


def test_nothing_is_left_of_a_call(fsivr, monkeypatch) -> None:
    from fsivr.testing.leftovers import Leftovers

    monkeypatch.chdir(ROOT)
    gevent.sleep(0)
    before = Leftovers.now()
    fsivr("call", "4100", "--keys", "123456,1234,1")
    assert before.since() == []
