"""A test of a real call: it passes while the handler does the same, and fails when it does something else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fsivr import Call, HangupCause
from fsivr.cli.replay import test_of as written_for
from fsivr.simulator import Caller, CallFailed
from tests.server.kept import Kept
from tests.verbs import VERBS

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def kept(switch: Any, tmp_path: Path) -> Iterator[Kept]:
    opened = Kept(switch, tmp_path)
    for verb in VERBS.values():
        verb.setup(switch)
    yield opened
    opened.close()


def replayed(row: Any) -> Callable[[Any], None]:
    """The test of a call, as a function that takes the fixture."""
    return function_of(written_for(row, json.loads(row.timeline)), SECRET_1="1234")


def function_of(text: str, **filled: str) -> Callable[[Any], None]:
    """The test in a generated file, whose constants are filled in."""
    found: dict[str, Any] = {}
    exec(compile(text, "generated", "exec"), found)
    found.update(filled)
    [test] = [value for name, value in found.items() if name.startswith("test_")]
    function: Callable[[Any], None] = test
    return function


def linted(folder: Path, *texts: str) -> None:
    """Hold generated files against the project's own rules."""
    for number, text in enumerate(texts):
        (folder / f"test_generated_{number}.py").write_text(text)
    for arguments in (("check",), ("format", "--diff")):
        command = [sys.executable, "-m", "ruff", *arguments, "--no-cache", "--config", ROOT / ".ruff.toml", folder]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def says_something_else(call: Call) -> None:
    call.play("something-else")


def is_like(verb: Any) -> Callable[[Call], Any]:
    def run(call: Call) -> None:
        call.answer()
        verb.run(call)
        call.play("afterwards")

    return run


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_is_replayed(kept: Kept, name: str) -> None:
    verb = VERBS[name]
    run = is_like(verb)
    test = replayed(kept.call(run, verb.meanwhile))
    test(kept.switch)
    kept._run = says_something_else
    with pytest.raises((CallFailed, AssertionError)):
        test(kept.switch)


@pytest.mark.parametrize("name", [name for name, verb in VERBS.items() if not (verb.brief or verb.quick)])
def test_a_caller_who_hangs_up_in_it_is_replayed(kept: Kept, name: str) -> None:
    verb = VERBS[name]
    test = replayed(kept.call(is_like(verb), lambda caller: (caller.waits(0.3), caller.hangs_up())))
    test(kept.switch)


def test_what_is_written_is_clean(kept: Kept, tmp_path: Path) -> None:
    rows = [kept.call(is_like(verb), verb.meanwhile) for verb in VERBS.values()]
    written = [written_for(row, json.loads(row.timeline)) for row in rows]
    (tmp_path / "written").mkdir()
    linted(tmp_path / "written", *written)


def test_a_secret_has_to_be_filled_in(kept: Kept) -> None:
    def asks(call: Call) -> None:
        for _ in range(2):
            if call.ask("pin", digits=4, sensitive=True) == "47*1":
                call.play("welcome")
                return
        call.hangup(HangupCause.CALL_REJECTED)

    def acts(caller: Caller) -> None:
        caller.hears("pin")
        caller.dials("0000")
        caller.hears("pin")
        caller.dials("47*1")

    row = kept.call(asks, acts)
    text = written_for(row, json.loads(row.timeline))
    assert "47*1" not in text
    with pytest.raises(AssertionError, match="fill in SECRET_2 at the top of this file: what was keyed there is not"):
        function_of(text, SECRET_1="0000")(kept.switch)
    function_of(text, SECRET_1="0000", SECRET_2="47*1")(kept.switch)
    with pytest.raises((CallFailed, AssertionError)):
        function_of(text, SECRET_1="0000", SECRET_2="0000")(kept.switch)


HOSTILE = "1'\"\n\\\u202e'''\"\"\"${x}\r#"


@pytest.mark.parametrize("number", [HOSTILE, "', exit(1)) #", "\\", "4100\nimport os"])
def test_hostile_text_is_a_literal(kept: Kept, number: str, tmp_path: Path) -> None:
    row = kept.call(lambda call: call.play("one"))
    row.caller = row.context = number
    text = written_for(row, json.loads(row.timeline))
    linted(tmp_path, text)
    call = text[text.index("switch.call") + len("switch.call") : text.index(" as caller:")]
    given = eval(f"(lambda number, **given: (number, given)){call}")
    assert given == ("1000", {"caller_number": number, "context": number})


@pytest.mark.parametrize(
    "text",
    ["exit(1)", "Say.__init__(1)", "Say.number(exit(1))", "Tone(open('x'))", "Say.number(", "((" * 500, "a b", "x()"],
)
def test_what_is_no_prompt_is_not_run(kept: Kept, text: str) -> None:
    row = kept.call(lambda call: call.play("one"))
    entries = [{"verb": "play", "at": 0, "seconds": 0, "given": {"prompts": ["one", text]}}]
    written = written_for(row, entries)
    assert "a prompt is heard here that the timeline does not have whole" in written
    assert 'caller.hears("one")' in written
    assert text not in written


def test_what_cannot_be_replayed_is_told(kept: Kept, tmp_path: Path) -> None:
    kept.switch.answers("user/agent", after=1, talks=300)
    kept.switch.answers("user/other", after=1, talks=300)

    def runs(call: Call) -> None:
        call.play("one")
        call.bridge(["user/agent", "user/other"])

    def acts(caller: Caller) -> None:
        caller.hears("one")
        caller.waits(30)
        caller.hangs_up()

    row = kept.call(runs, acts)
    text = written_for(row, json.loads(row.timeline))
    linted(tmp_path, text)
    assert "# From here on it cannot be replayed: which of several destinations" in text
    assert "hangup_cause" not in text
    function_of(text)(kept.switch)
