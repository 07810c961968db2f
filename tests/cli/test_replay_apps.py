"""Real calls of the sample applications, replayed by pytest in a project of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fsivr import Tone
from fsivr.dialplan import load_dialplan
from fsivr.simulator import Caller
from tests.server.kept import Kept

from apps import notebook

ROOT = Path(__file__).parent.parent.parent
BEEP = Tone("%(200,0,1000)")
_ANSWERED = 'Dialplan(\n    [Extension("nobody", Balance),'


def _asks_the_balance(caller: Caller) -> None:
    caller.hears("bank/welcome", "bank/account-number")
    caller.dials("123456")
    caller.hears("bank/pin")
    caller.dials("4321")
    caller.hears("bank/wrong-pin", "bank/pin")
    caller.dials("1234")
    caller.hears("bank/main-menu")
    caller.dials("1")


def _talks_with_an_agent(caller: Caller) -> None:
    caller.hears("bank/welcome", "bank/account-number")
    caller.dials("123456")
    caller.hears("bank/pin")
    caller.dials("1234")
    caller.hears("bank/main-menu")
    caller.dials("0")
    caller.waits(20)
    caller.hangs_up()


def _answers_the_survey(caller: Caller) -> None:
    caller.hears("survey/welcome", "survey/friendly")
    caller.dials("5")
    caller.hears("survey/quick")
    caller.dials("9")
    caller.hears("survey/one-to-five", "survey/quick")
    caller.dials("3")
    caller.hears("survey/again", "survey/again")
    caller.dials("1")
    caller.hears("survey/leave-a-word")
    caller.dials("1")
    caller.hears(BEEP)
    caller.talks(3)
    caller.dials("#")


def _leaves_half_way(caller: Caller) -> None:
    caller.hears("survey/welcome", "survey/friendly")
    caller.dials("2")
    caller.hears("survey/quick")
    caller.hangs_up()


def _leaves_a_message(caller: Caller) -> None:
    caller.hears("voicemail/leave-a-message", BEEP)
    caller.talks(4)
    caller.hangs_up()


def _hears_an_empty_box(caller: Caller) -> None:
    caller.hears("voicemail/box")
    caller.dials("4302")
    caller.hears("voicemail/pin")
    caller.dials("2244")


def _reaches_nobody(caller: Caller) -> None:
    caller.hears("attendant/welcome", "attendant/main-menu")
    caller.dials("2")
    caller.hears("attendant/support-menu")
    caller.dials("9")
    caller.hears("attendant/main-menu")
    caller.dials("1")


def _presses_nothing(caller: Caller) -> None:
    caller.hears("attendant/welcome", "attendant/main-menu")


#: What callers dial and do, their handler's file, and a change of it that they would hear: what was there, and is then.
CALLS: dict[str, tuple[str, Callable[[Caller], None], str, str, str]] = {
    "balance": ("4100", _asks_the_balance, "balance", '"bank/your-balance-is"', '"bank/balance"'),
    "agent": ("4100", _talks_with_an_agent, "balance", "call.bridge(", "call.transfer("),
    "survey": ("4200", _answers_the_survey, "survey", "[1-5]", "[1-9]"),
    "half": ("4200", _leaves_half_way, "survey", '"friendly", "quick"', '"quick", "friendly"'),
    "message": ("4301", _leaves_a_message, "voicemail", "record(limit=120", "record(beep=False, limit=120"),
    "box": ("4300", _hears_an_empty_box, "voicemail", 'call.play("voicemail/no-more-messages")', "pass"),
    "nobody": ("5000", _reaches_nobody, "attendant", 'call.play("attendant/call-again")', "call.hangup()"),
    "nothing": ("5000", _presses_nothing, "attendant", 'main-menu", {', 'main-menu", tries=2, choices={'),
    "wrong number": ("nobody", lambda caller: None, "__init__", "Dialplan(\n    [", _ANSWERED),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the sample applications."""
    made = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "apps", made / "apps", ignore=shutil.ignore_patterns("__pycache__", "data"))
    (made / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    return made


@pytest.fixture
def kept(switch: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.setattr(notebook, "FOLDER", tmp_path / "notes")
    opened = Kept(switch, folder, load_dialplan("apps:dialplan"))
    switch.answers("user/agent", after=2, talks=300)
    switch.busy("user/sales")
    switch.no_answer("user/operator")
    yield opened
    opened.close()


def _run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """pytest in the project, on its generated tests."""
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *options]
    environ = {"APPS_DATA": str(folder / "data"), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300)


def _fill_in(path: Path) -> None:
    """As somebody would who knows the PINs."""
    text = path.read_text()
    pins = {"balance": ("4321", "1234"), "agent": ("1234",), "box": ("2244",)}
    for number, pin in enumerate(pins.get(path.stem.removeprefix("test_"), ()), 1):
        assert f'SECRET_{number} = ""' in text
        text = text.replace(f'SECRET_{number} = ""', f'SECRET_{number} = "{pin}"')
    assert ' = ""' not in text
    path.write_text(text)


def test_real_calls_become_tests(fsivr: Any, kept: Kept, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They pass, and each of them fails when its handler, or the dialplan, does something else."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("FSIVR_DATABASE", kept.address)
    for name, (number, act, *_) in CALLS.items():
        row = kept.call(lambda call: None, act, number)
        path = folder / f"test_{name.replace(' ', '_')}.py"
        assert fsivr("calls", "to-test", row.uuid, "--output", str(path)).code == 0
        ran = fsivr("calls", "to-test", row.uuid, "--output", str(path))
        assert (ran.code, ran.err) == (2, f"fsivr: {path} is there already; nothing was written\n")
        assert fsivr("calls", "to-test", row.uuid).out == path.read_text()
    unfilled = _run(folder)
    assert "3 failed, 6 passed" in unfilled.stdout
    assert unfilled.stdout.count("AssertionError: fill in SECRET_1 at the top of this file") >= 3
    for path in folder.glob("test_*.py"):
        _fill_in(path)
    ran_all = _run(folder)
    assert f"{len(CALLS)} passed" in ran_all.stdout, ran_all.stdout
    for _, _, module, was, is_now in CALLS.values():
        source = folder / "apps" / f"{module}.py"
        text = source.read_text()
        assert was in text, f"{module} has no {was}"
        source.write_text(text.replace(was, is_now))
    changed = _run(folder)
    assert f"{len(CALLS)} failed" in changed.stdout, changed.stdout
