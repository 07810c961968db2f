"""The calls that are kept, on the command line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from fsivr import HangupCause
from fsivr.cli.output import plain
from fsivr.store import Store
from fsivr.store.rows import CallEnd, CallStart, call_began, call_ended

#: 2026-11-24T12:00:00Z.
NOON = 1_795_521_600.0
TIMELINE = [
    {"verb": "answer", "at": 0.0, "seconds": 0.004},
    {"verb": "play", "at": 0.01, "seconds": 1.25, "given": {"prompts": ["bank/welcome", "Say.number(3)"]}},
    {
        "verb": "ask",
        "at": 1.5,
        "seconds": 61.0,
        "given": {"prompts": ["bank/pin"], "digits": [1, 4], "sensitive": True},
        "tries": [{"said": "", "outcome": "NoInput"}, {"said": "******", "outcome": "answer"}],
    },
    {"verb": "bridge", "at": 63.0, "seconds": 0.0, "given": {"destination": "x"}, "result": {"answered": False}},
    {"left_out": 7},
    {"verb": "play", "at": 64.0, "seconds": 0.0, "error": "PromptError: gone", "over": "NORMAL_CLEARING"},
]


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store with three calls that were and one that is."""
    found = f"sqlite:///{tmp_path}/fsivr.db"
    monkeypatch.setenv("FSIVR_DATABASE", found)
    monkeypatch.chdir(tmp_path)
    store = Store(found)
    store.migrate()
    rows = []
    for number, (caller, dialled, cause) in enumerate(
        [("0123", "4100", "NORMAL_CLEARING"), ("0456", "4200", "USER_BUSY"), ("\x1b[2J\u202e", "4100", "USER_BUSY")]
    ):
        start = CallStart(
            f"uuid-{number}", "apps.x.X", caller, dialled, "public", "inbound", NOON + number, "here", "w"
        )
        end = CallEnd(NOON + number + 90, "0", cause, "apps.x.X", "", TIMELINE)
        rows.append(call_ended(start, end))
    rows.append(call_began(start._replace(uuid="uuid-live", started=NOON + 60)))
    store.write(rows)
    store.close()
    return found


def _listed(fsivr: Any, *options: str) -> list[str]:
    ran = fsivr("calls", *options, "--json")
    assert (ran.code, ran.err) == (0, "")
    return [json.loads(line)["uuid"] for line in ran.out.splitlines()]


@pytest.mark.parametrize("command", [(), ("list",)])
def test_calls_are_listed_the_newest_first(fsivr: Any, address: str, command: tuple[str, ...]) -> None:
    ran = fsivr("calls", *command)
    assert (ran.code, ran.err) == (0, "")
    header, *lines = ran.out.splitlines()
    assert header.split() == ["Started", "Seconds", "Caller", "Dialled", "Handler", "Ended", "with", "Call"]
    assert [line.split()[-1] for line in lines] == ["uuid-live", "uuid-2", "uuid-1", "uuid-0"]
    oldest = "2026-11-24 12:00:00 90.0 0123 4100 apps.x.X NORMAL_CLEARING uuid-0"
    assert " ".join(lines[-1].split()) == oldest
    assert "live" in lines[0].split()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--state", "live"), ["live"]),
        (("--state", "ended", "--limit", "2"), ["2", "1"]),
        (("--caller", "0123"), ["0"]),
        (("--dialled", "4100", "--cause", "user_busy"), ["2"]),
        (("--handler", "apps.y.Y"), []),
        (("--since", "2026-11-24T12:00:01", "--until", "2026-11-24T13:00:02+01:00"), ["1"]),
        (("--until", "2026-11-24T12:00:01Z"), ["0"]),
        (("--until", "2000w"), []),
        (("--since", "2000w ago", "--limit", "1"), ["live"]),
    ],
)
def test_calls_are_filtered(fsivr: Any, address: str, options: tuple[str, ...], expected: list[str]) -> None:
    assert _listed(fsivr, *options) == [f"uuid-{each}" for each in expected]


def test_more_than_a_page_is_listed(fsivr: Any, address: str) -> None:
    store = Store(address)
    store.write([call_began(CallStart(f"more-{n:04}", "", "", "", "", "", NOON + n, "", "")) for n in range(1200)])
    store.close()
    assert len(_listed(fsivr, "--limit", "100000")) == 1204
    assert len(_listed(fsivr, "--limit", "700")) == 700
    assert fsivr("calls", "--limit", "1").out.splitlines()[-1] == "there are more than these 1: see --limit"


def test_no_calls(fsivr: Any, address: str) -> None:
    assert fsivr("calls", "--caller", "nobody") == (0, "no calls\n", "")
    assert _listed(fsivr, "--caller", "nobody") == []


def test_a_call_is_shown(fsivr: Any, address: str) -> None:
    ran = fsivr("calls", "show", "uuid-0")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "call     uuid-0",
        "handler  apps.x.X",
        "from     0123 to 4100 (public, inbound)",
        "started  2026-11-24 12:00:00 UTC, never answered",
        "ended    after 90.0 s with NORMAL_CLEARING",
        "on       here w",
        "",
        "  0:00.000  answer",
        "  0:00.010  play bank/welcome, Say.number(3)  1.2 s",
        "  0:01.500  ask bank/pin (digits=1, 4, sensitive=yes) → nothing (NoInput) → ******  61.0 s",
        "  1:03.000  bridge x → answered no",
        "          … 7 more",
        "  1:04.000  play → PromptError: gone → the call was over (NORMAL_CLEARING)",
    ]


def test_a_call_is_shown_to_programs(fsivr: Any, address: str) -> None:
    shown = json.loads(fsivr("calls", "show", "uuid-0", "--json").out)
    assert shown["timeline"] == TIMELINE
    assert (shown["started"], shown["seconds"], shown["answered"]) == ("2026-11-24T12:00:00.000Z", 90.0, None)
    live = json.loads(fsivr("calls", "show", "uuid-live", "--json").out)
    assert (live["ended"], live["seconds"], live["timeline"]) == (None, None, [])
    assert "ended    it is up" in fsivr("calls", "show", "uuid-live").out


def test_what_a_caller_chose_is_no_order_to_the_terminal(fsivr: Any, address: str) -> None:
    for command in (("calls",), ("calls", "show", "uuid-2")):
        assert not set(fsivr(*command).out) & {"\x1b", "\u202e"}
    assert plain("a\x1bb\nc\x9b\u200bd") == "a\ufffdb\ufffdc\ufffd\ufffdd"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "uuid-9"), 1, "there is no call uuid-9"),
        (("to-test", "uuid-9\n"), 1, "there is no call uuid-9"),
        (("to-test", "uuid-live"), 1, "the call uuid-live is not over yet"),
        (("--cause", "BUSY"), 2, "--cause is a hangup cause, as NORMAL_CLEARING, not 'BUSY'"),
        (("--state", "dead"), 2, "Invalid value for '--state'"),
        (("--since", "yesterday"), 2, "Invalid value for '--since': a time is 2026-11-24, 2026-11-24T14:30, or 90m"),
        (("--limit", "0"), 2, "Invalid value for '--limit'"),
        (("shwo",), 2, "No such command 'shwo'"),
        (("show",), 2, "Missing argument 'UUID'"),
    ],
)
def test_wrong_use_is_one_line(fsivr: Any, address: str, arguments: tuple[str, ...], code: int, said: str) -> None:
    ran = fsivr("calls", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(f"fsivr: {said}")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(("direction", "handler"), [("outbound", "apps.x.X"), ("inbound", "")])
def test_a_test_is_made_of_a_call_that_came_in(fsivr: Any, address: str, direction: str, handler: str) -> None:
    store = Store(address)
    start = CallStart("odd", handler, "1", "2", "public", direction, NOON, "here", "")
    cause = HangupCause.SWITCH_CONGESTION.name
    store.write([call_ended(start, CallEnd(NOON + 1, "0", cause, handler, "refused: every port was in use", ()))])
    store.close()
    ran = fsivr("calls", "to-test", "odd")
    assert ran.code == 1
    assert ran.err == (
        "fsivr: the call odd had no handler: refused: every port was in use\n"
        if not handler
        else "fsivr: the call odd was placed: a test is made of one that came in\n"
    )


def test_a_database_that_is_not_there_is_not_made(fsivr: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSIVR_DATABASE", f"sqlite:///{tmp_path}/none.db")
    ran = fsivr("calls")
    assert ran.code == 1
    assert ran.err.startswith(f"fsivr: there is no database {tmp_path}/none.db yet: 'fsivr serve' makes it")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database(fsivr: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSIVR_DATABASE", f"sqlite:///{tmp_path}/odd.db")
    (tmp_path / "odd.db").write_bytes(b"no database" * 100)
    ran = fsivr("calls")
    assert (ran.code, ran.err) == (1, "fsivr: the database cannot be read: file is not a database\n")
    (tmp_path / "odd.db").unlink()
    sqlite3.connect(tmp_path / "odd.db").close()
    (tmp_path / "odd.db").touch()
    ran = fsivr("calls", "show", "x")
    assert (ran.code, ran.err) == (1, "fsivr: the database is not up to date: start 'fsivr serve' with it once\n")


def test_a_server_that_is_not_there(fsivr: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSIVR_DATABASE", "postgresql://fsivr:hushhush@127.0.0.1:1/fsivr")
    ran = fsivr("calls")
    assert ran.code == 1
    assert ran.err.startswith("fsivr: the database cannot be read: ")
    assert ran.err.count("\n") == 1
    assert "hushhush" not in ran.err
