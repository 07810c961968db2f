"""Whatever goes wrong is one clear line and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from fsivr.cli.commands import commands
from fsivr.errors import ConnectionLost

ROOT = Path(__file__).parent.parent.parent


def started(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """``python -m fsivr`` in a process of its own, with warnings as errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "fsivr", *arguments],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=60,
        **options,  # type: ignore[call-overload]
    )


def test_it_starts_and_names_its_commands() -> None:
    done = started("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("serve", "call", "route", "settings", "new"):
        assert f"  {name} " in done.stdout


def test_nothing_is_imported_before_the_sockets_are_patched() -> None:
    program = "import sys, fsivr.__main__, socket, ssl; print(socket.socket.__module__)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, text=True, capture_output=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("gevent._socket3\n", "")


def test_what_serving_needs_is_not_imported_for_settings() -> None:
    program = (
        "import sys; from fsivr.cli import run; run(['settings']);"
        "print([name for name in ('greenswitch', 'fsivr.server', 'fsivr.simulator') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, text=True, capture_output=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_reader_of_a_pipe_may_leave() -> None:
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; '{sys.executable}' -m fsivr settings | true"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing command. ('fsivr --help' tells more)"),
        (("sttings",), "there is no command sttings: did you mean settings? ('fsivr --help' tells more)"),
        (
            ("xyz",),
            "there is no command xyz: there are serve, call, route, recordings, prompts, settings, apikey, new. "
            "('fsivr --help' tells more)",
        ),
        (("settings", "x"), "Got unexpected extra argument (x) ('fsivr settings --help' tells more)"),
        (("route",), "Missing argument 'NUMBER'. ('fsivr route --help' tells more)"),
        (("settings", "--config", "nowhere.toml"), "there is no settings file nowhere.toml"),
        (
            ("route", "1", "--dialplan", "nowhere:x"),
            f"the dialplan 'nowhere:x' names no module: there is no 'nowhere' in {ROOT}",
        ),
    ],
)
def test_wrong_use_is_one_line(fsivr, monkeypatch, arguments: tuple[str, ...], said: str) -> None:
    monkeypatch.chdir(ROOT)
    assert fsivr(*arguments) == (2, "", f"fsivr: {said}\n")


def test_an_option_that_is_nearly_right_is_told(fsivr) -> None:
    ran = fsivr("settings", "--confg", "x")
    assert ran.code == 2
    assert "--config" in ran.err
    assert ran.err.count("\n") == 1


def test_each_wrong_setting_is_a_line(fsivr, monkeypatch) -> None:
    monkeypatch.setenv("FSIVR_PORTS", "many")
    monkeypatch.setenv("FSIVR_LANGUAGE", "")
    ran = fsivr("settings")
    assert (ran.code, ran.out) == (2, "")
    assert all(line.startswith("fsivr: setting ") for line in ran.err.splitlines())
    assert len(ran.err.splitlines()) == 2


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConnectionLost("the switch has gone"), 1, "fsivr: the switch has gone\n"),
        (PermissionError(13, "Permission denied", "apps"), 1, "fsivr: [Errno 13] Permission denied: 'apps'\n"),
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
        (click.FileError("x", "unreadable"), 2, "fsivr: Could not open file 'x': unreadable\n"),
    ],
)
def test_what_goes_wrong_is_told(fsivr, monkeypatch, error: BaseException, code: int, said: str) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(commands, "main", fail)
    assert fsivr("settings") == (code, "", said)


def test_a_fault_of_ours_says_where_it_is(fsivr, monkeypatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr(commands, "main", fail)
    ran = fsivr("settings")
    assert ran.code == 1
    assert ran.err.startswith("fsivr: unexpected ZeroDivisionError: a b (")
    assert "test_cli.py:" in ran.err


def test_colour_is_for_terminals() -> None:
    environ = {**os.environ, "FSIVR_PORTS": "7"}
    assert "\x1b" not in started("settings", env=environ).stdout


def test_a_letter_that_the_terminal_does_not_have_is_no_failure() -> None:
    done = started("route", "sp\u00e4t", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.stdout.endswith("sp\\xe4t reaches nothing in apps:dialplan\n")
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_stream_may_be_closed(closed: str) -> None:
    command = f"'{sys.executable}' -W error -m fsivr route 4100 {closed}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, text=True, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_message_is_one_line_whatever_was_typed(fsivr) -> None:
    ran = fsivr("call", "4\n1")
    assert ran.code == 1
    assert ran.err.startswith("fsivr: no extension answers 4 1;")
    assert ran.err.count("\n") == 1


def test_the_version_is_told(fsivr) -> None:
    ran = fsivr("--version")
    assert ran.code == 0
    assert ran.out.startswith("fsivr ")
    assert fsivr_version() in ran.out


def fsivr_version() -> str:
    """What setup.cfg says."""
    (line,) = (line for line in (ROOT / "setup.cfg").read_text().splitlines() if line.startswith("version"))
    return line.partition("= ")[2]


def test_every_command_has_a_line_of_help(fsivr) -> None:
    lines = fsivr("--help").out.splitlines()
    for name in fsivr_names():
        (line,) = (line for line in lines if line.startswith(f"  {name} "))
        assert len(line.split()) > 3
        assert not line.endswith("...")


def fsivr_names() -> tuple[str, ...]:
    """The commands there are."""
    from fsivr.cli.commands import NAMES

    return NAMES
