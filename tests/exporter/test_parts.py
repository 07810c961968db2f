"""The parts of a run, each alone: retries, the breaker, the window, the ledger, the lock, manifests, the webhook."""

from __future__ import annotations

import errno
import hashlib
import hmac
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from peewee import OperationalError

from fsivr.errors import AlreadyExporting
from fsivr.exporter.carry import Fault, Job, Outcome, Parcel
from fsivr.exporter.ledger import Ledger
from fsivr.exporter.local import DiskError
from fsivr.exporter.lock import only_run
from fsivr.exporter.manifest import Manifests
from fsivr.exporter.plan import odd_clock
from fsivr.exporter.report import Report
from fsivr.exporter.retry import Breaker, Patience, Retries
from fsivr.exporter.webhook import SIGNATURE, signature, tell
from fsivr.exporter.window import end_of_window

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PATIENCE = Patience(tries=3, gone=100, first=1, longest=8)


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def outcome(id: str, fault: Fault | None = Fault.AGAIN) -> Outcome:
    """What became of a recording."""
    parcel = Parcel("/nowhere", f"{id}.wav", "0" * 64, 10)
    return Outcome(Job(id, parcel, parcel), fault, "down")


def test_pauses_double_up_to_the_longest_and_by_chance() -> None:
    assert [PATIENCE.pause(number, lambda: 1.0) for number in (1, 2, 3, 4, 5, 900)] == [1, 2, 4, 8, 8, 8]
    assert PATIENCE.pause(3, lambda: 0.0) == 2


def test_a_recording_is_tried_so_often() -> None:
    clock = Clock()
    retries = Retries(PATIENCE, clock)
    one = outcome("a")
    assert retries.again(one, counted=True)
    assert retries.due() is None
    clock.now = 1.0
    assert retries.due() == one.job
    assert retries.again(one, counted=False)
    assert (len(retries), retries.left(), retries.tries(one.job)) == (1, [one], 1)
    assert retries.due(early=True) == one.job
    assert retries.again(one, counted=True)
    assert not retries.again(one, counted=True)
    retries.forget(one.job)
    assert retries.tries(one.job) == 0


def test_a_target_counts_as_gone_when_all_workers_fail_in_a_row() -> None:
    clock = Clock()
    breaker = Breaker(3, PATIENCE, clock)
    for id in ("a", "b", "b", "b"):
        breaker.failed(outcome(id).job)
    assert not breaker.open
    breaker.arrived()
    for id in ("a", "b", "c"):
        breaker.failed(outcome(id).job)
    assert breaker.open
    assert not breaker.lets(0)
    clock.now = 1.0
    assert (breaker.lets(0), breaker.lets(1)) == (True, False)
    breaker.failed(outcome("a").job)
    assert not breaker.lets(0)
    clock.now = 99.9
    assert not breaker.given_up
    clock.now = 100.0
    assert breaker.given_up
    breaker.arrived()
    assert (breaker.open, breaker.given_up, breaker.lets(5)) == (False, False, True)


def test_one_worker_alone_does_not_take_one_bad_file_for_a_target_that_is_gone() -> None:
    breaker = Breaker(1, PATIENCE, Clock())
    for _ in range(5):
        breaker.failed(outcome("a").job)
    assert not breaker.open


def test_the_database_is_asked_again_for_a_while() -> None:
    answers = iter([OperationalError("locked"), OperationalError("locked"), "there"])

    def ask() -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert Patience(first=0.001, longest=0.01).asks(ask) == "there"
    answers = iter([OperationalError("locked")] * 10)
    with pytest.raises(OperationalError):
        Patience(first=0.001, database=0.0).asks(ask)


@pytest.mark.parametrize(
    ("text", "now", "end"),
    [
        ("13:30", NOON, NOON + timedelta(hours=1, minutes=30)),
        ("12:00", NOON, NOON + timedelta(days=1)),
        ("05:00", NOON, NOON + timedelta(hours=17)),
        ("12:30", NOON.astimezone(timezone(timedelta(hours=5))), NOON + timedelta(minutes=30)),
        ("", NOON, None),
    ],
)
def test_the_window_ends_at_the_next_such_time(text: str, now: datetime, end: datetime | None) -> None:
    assert end_of_window(text, now) == end


def test_a_ledger_that_was_torn_tells_what_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    ledger = Ledger(path)
    ledger.open()
    ledger.begin(["a", "b", "c"])
    ledger.arrived([outcome("a", None), outcome("b", None)], run="r", at="t")
    ledger.close()
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    ledger.open()
    assert [line["id"] for line in ledger.entries()] == ["a"]
    assert ledger.doubtful == {"b", "c"}
    ledger.arrived([outcome("b", None)], run="r2", at="t")
    assert [(line["id"], line["run"]) for line in ledger.entries()] == [("a", "r"), ("b", "r2")]
    ledger.clear()
    assert (list(ledger.entries()), ledger.doubtful, path.read_bytes()) == ([], set(), b"")
    ledger.close()


def test_a_disk_that_is_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.open()

    def full(*given: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("fsivr.exporter.ledger.os.write", full)
        with pytest.raises(DiskError, match="cannot write down what it does: the disk is full: free some space"):
            ledger.begin(["a"])
    ledger.close()


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(DiskError, match=r"cannot be locked: .*nowhere/lock: it is not there"),
        only_run(tmp_path / "nowhere" / "lock", "x"),
    ):
        pass


def test_a_manifest_is_composed_of_the_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.open()
    ledger.arrived([outcome(id, None) for id in "abc"], run="r", at="t")
    manifests = Manifests(tmp_path, ledger)
    assert not manifests.pending
    manifests.compose("20261124T135551.123Z-0123456789ab", {"target": "x", "complete": True})
    found = json.loads((tmp_path / "manifest.json").read_text())
    assert (found["files"], found["bytes"], found["complete"]) == (3, 30, True)
    assert [line["id"] for line in found["recordings"]] == ["a", "b", "c"]
    assert manifests.pending
    ledger.close()


def test_a_lock_is_held_by_nobody_that_is_dead(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = "import sys; from fsivr.exporter.lock import only_run; from pathlib import Path\n"
    code += "with only_run(Path(sys.argv[1]), 'process 1 since today'): print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(AlreadyExporting, match="by process 1 since today"), only_run(path, "x"):
        pass
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    with only_run(path, "process 2"):
        assert path.read_text() == "process 2\n"
    assert path.read_text() == ""


def test_a_clock_that_is_wrong_is_told() -> None:
    now = NOON.timestamp()
    assert odd_clock(None, now, NOON) == ""
    assert odd_clock(NOON + timedelta(minutes=59), now + 59, NOON) == ""
    assert odd_clock(None, now + 3600, NOON) == "the clock of this machine is 3600 s before the database's"
    assert odd_clock(NOON + timedelta(days=2), now, NOON).startswith("a recording began at 2026-11-26 12:00 UTC")


def test_a_report_tells_until_when_the_rest_would_take() -> None:
    report = Report("r", "archive", "ivr-1", NOON, planned=10, planned_bytes=1000, recordings=4, bytes=400)
    report.ended = NOON + timedelta(seconds=40)
    assert (report.rate(), report.remaining, report.remaining_bytes, report.outcome) == (10.0, 6, 600, "partial")
    assert report.document()["remains_until"] == "2026-11-24T12:01:40.000Z"
    for number in range(200):
        report.fail(str(number), "k", "x" * 9999, 1)
    assert (report.failed, len(report.failures)) == (200, 100)
    assert len(json.dumps(report.document())) < 100_000


# -- the webhook ------------------------------------------------------------------------------


class Hook(ThreadingHTTPServer):
    """A server that is told of reports, and answers as a test says."""

    answers: list[int]
    got: list[tuple[dict[str, str], bytes]]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Hook)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *given: object) -> None:
        """Nothing."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook(("127.0.0.1", 0), _Handler)
    server.answers, server.got = [], []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("answers", "said", "asked"),
    [
        ([200], "", 1),
        ([500, 429, 204], "", 3),
        ([500, 502, 503], "the webhook could not be told: it answers 503", 3),
        ([404], "the webhook could not be told: it answers 404", 1),
        ([302], "the webhook could not be told: it answers 302", 1),
    ],
)
def test_a_webhook_is_told(hook: Hook, answers: list[int], said: str, asked: int) -> None:
    hook.answers = answers
    address = f"http://127.0.0.1:{hook.server_port}/x"
    assert tell(address, {"state": "done"}, secret="s", sleep=lambda seconds: None) == said
    assert len(hook.got) == asked
    headers, body = hook.got[0]
    assert json.loads(body) == {"state": "done"}
    at = headers[SIGNATURE].partition(",")[0].removeprefix("t=")
    digest = hmac.new(b"s", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"t={at},v1={digest}" == signature("s", body, int(at))


def test_a_webhook_that_is_not_there_is_told_of() -> None:
    said = tell("http://127.0.0.1:1/", {}, sleep=lambda seconds: None)
    assert said.startswith("the webhook could not be told: ")
