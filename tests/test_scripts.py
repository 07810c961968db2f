"""The scripts: the demonstration in a process of its own, and that each one is a script that bash can read."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.cli.process import Process

ROOT = Path(__file__).parent.parent
DEMONSTRATION = str(ROOT / "scripts/demonstration.py")


def test_the_demonstration_ends_well() -> None:
    with Process("--once", "--listen", "127.0.0.1:0", cwd=ROOT, program=DEMONSTRATION) as running:
        assert running.ends() == 0
    for line in ("hears 'bank/welcome'", "dials 123456", "hears Say.currency(4200)", "the call ends: NORMAL_CLEARING"):
        assert line in running.out
    assert "the call went as apps/balance.py says" in running.out
    assert "the call went as apps/voicemail.py says" in running.out


def test_the_demonstration_is_shown_by_the_api_with_its_recording() -> None:
    with Process("--once", "--listen", "127.0.0.1:0", cwd=ROOT, program=DEMONSTRATION) as running:
        assert running.ends() == 0
    for line in (
        "4915550100 called 4100: apps.balance.Balance, NORMAL_CLEARING",
        "4915550100 called 4301: apps.voicemail.LeaveMessage, NORMAL_CLEARING",
        "sealed: 4.0 s, 64044 bytes, L16 at 8000 Hz",
        "the call and the recording are kept, and the API shows them",
    ):
        assert line in running.out


def test_the_demonstration_fails_where_the_call_goes_wrong(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps/__init__.py").write_text(
        "from fsivr import *\n"
        "class Wrong(Handler):\n"
        "    def run(self, call): call.play('other')\n"
        "dialplan = Dialplan([Extension('4100', Wrong)])\n"
    )
    with Process("--once", "--listen", "127.0.0.1:0", cwd=tmp_path, program=DEMONSTRATION) as running:
        assert running.ends() == 1
    assert "the demonstration went wrong" in running.out
    assert "expected to hear 'bank/welcome', but heard 'other'" in running.out


def test_a_taken_address_is_told_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        where = f"127.0.0.1:{other.getsockname()[1]}"
        with Process("--listen", where, cwd=ROOT, program=DEMONSTRATION) as running:
            assert running.ends() == 2
    assert where in running.out
    assert "--listen" in running.out
    assert "FSIVR_LISTEN" in running.out


def test_it_goes_on_serving_and_says_how_to_call() -> None:
    with Process("--listen", "127.0.0.1:0", cwd=ROOT, terminal=True, program=DEMONSTRATION) as running:
        running.reads("call 4100 --server 127.0.0.1:")
        running.reads("type a number here to call it")
        running.types("\x03")
        assert running.ends() == 0


@pytest.mark.parametrize("path", [*sorted((ROOT / "scripts").iterdir()), ROOT / ".ci/run"], ids=lambda path: path.name)
def test_bash_can_read_it(path: Path) -> None:
    if path.is_file() and b"bash" in path.read_bytes().splitlines()[0]:
        done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, "")
        assert "set -euo pipefail" in path.read_text()
