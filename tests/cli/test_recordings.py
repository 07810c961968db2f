"""``fsivr recordings``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsivr.cli import recorded
from fsivr.cli.archives import operator
from fsivr.recordings import Archive, Hold
from fsivr.store import Store
from tests.cli.process import Process
from tests.recordings.kept import START, audit, id_of, keep, keep_exported

_NODE = "ivr-1"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """What the command's settings tell of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FSIVR_NODE", _NODE)
    store = Store("sqlite:///fsivr.db")
    store.migrate()
    yield Archive(tmp_path / "recordings", store, node=_NODE, retention={"default": 365})
    store.close()


def test_recordings_are_listed_newest_first(fsivr, archive) -> None:
    keep(archive, 0, caller="0301", duration=125.4)
    keep(archive, 1, state="degraded", hold=Hold("court order", "ann", START))
    ran = fsivr("recordings", "list")
    head, *lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    assert head.split() == ["Recording", "State", "Length", "Caller", "Dialled", "Size", "Handler", "Hold"]
    assert [line.split()[0] for line in lines] == [id_of(1), id_of(0)]
    assert re.split(r" {2,}", lines[0])[1:] == [
        "degraded",
        "0:00",
        "0123",
        "4100",
        "2.0 kB",
        "apps.Balance",
        "court order",
    ]
    assert re.split(r" {2,}", lines[1])[1:] == ["sealed", "2:05", "0301", "4100", "2.0 kB", "apps.Balance"]


def test_the_filters(fsivr, archive) -> None:
    for number in range(4):
        keep(archive, number, handler=f"apps.H{number % 2}")
    keep(archive, 4, state="failed", hold=Hold("why", "ann", START))

    def listed(*arguments: str) -> list[int]:
        ran = fsivr("recordings", "list", "--json", *arguments)
        assert ran.code == 0
        return [int(json.loads(line)["id"][-12:], 16) for line in ran.out.splitlines()]

    assert listed() == [4, 3, 2, 1, 0]
    assert listed("--state", "failed") == [4]
    assert listed("--call", "call-2") == [2]
    assert listed("--handler", "apps.H1") == [3, 1]
    assert listed("--held") == [4]
    assert listed("--not-held", "--limit", "0") == [3, 2, 1, 0]
    assert listed("--since", "2026-03-01T12:02", "--until", "2026-03-01T13:03+01:00") == [2]
    assert listed("--since", "2027-01-01") == []
    assert listed("--until", "1m") == ([4, 3, 2, 1, 0] if recorded.parse_time("1m") > START else [])


def test_a_limit_says_that_there_are_more(fsivr, archive, monkeypatch) -> None:
    monkeypatch.setattr(recorded, "_PAGE", 2)
    for number in range(5):
        keep(archive, number)
    ran = fsivr("recordings", "list", "--limit", "3")
    assert len(ran.out.splitlines()) == 4
    assert ran.err == "There are more than these 3: --limit 0 lists all.\n"
    for limit in ("5", "0", "7"):
        ran = fsivr("recordings", "list", "--limit", limit)
        assert (len(ran.out.splitlines()), ran.err) == (6, "")
    assert fsivr("recordings", "list", "--state", "purged").out == "no recordings\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--since", "yesterday"), "a time is as 2026-11-24"),
        (("list", "--since", "99999d"), ""),
        (("list", "--until", "9999999999d"), "a time is as"),
        (("list", "--state", "lost"), "'lost' is not one of"),
        (("list", "--limit", "-1"), "-1 is not in the range"),
        (("hold", id_of(0)), "Missing option '--reason'"),
        (("hold", id_of(0), "--reason", " "), "reason is 1 to 500 printable characters"),
        (("reconcile", "--settle", "-1"), "-1.0 is not in the range"),
    ],
)
def test_what_is_asked_for_wrongly(fsivr, archive, arguments, said: str) -> None:
    keep(archive)
    ran = fsivr("recordings", *arguments)
    assert ran.code == (2 if said else 0)
    assert said in ran.err


def test_one_is_shown(fsivr, archive) -> None:
    keep_exported(archive, caller="\x1b[2J\n01", mask_spans=((1.5, 2.0), (3.0, float("inf"))))
    ran = fsivr("recordings", "show", id_of(0))
    told = dict(re.split(r" {2,}", line, maxsplit=1) for line in ran.out.splitlines())
    assert told["file"] == str(archive.folders.place(id_of(0)))
    assert told["state"] == "exported"
    assert told["caller"] == "\ufffd[2J\ufffd01"
    assert told["masked"] == "1.5 s to 2 s, 3 s to its end"
    assert told["exported"].endswith("(export export-1)")
    assert told["stopped"] == "-"
    assert json.loads(fsivr("recordings", "show", "--json", id_of(0)).out) == archive.sidecar(id_of(0)).document()
    assert fsivr("recordings", "show", "../../x").code == 1
    assert "there is no recording" in fsivr("recordings", "show", id_of(9)).err


def test_a_hold_and_its_release(fsivr, archive) -> None:
    id = keep_exported(archive).id
    assert fsivr("recordings", "hold", id, "--reason", "court order 7").out == f"{id} is on hold\n"
    refused = fsivr("recordings", "delete", id)
    assert refused.code == 1
    assert f"is on hold by {operator()}: court order 7" in refused.err
    assert fsivr("recordings", "release", id).out == f"{id} is released\n"
    assert "is not on hold" in fsivr("recordings", "release", id).err
    deleted = fsivr("recordings", "delete", id)
    assert deleted.out == f"{id} is deleted, 2.0 kB; what is told of it is kept\n"
    assert [(who, action) for who, action, _ in audit(archive.store, subject=id)] == [
        (operator(), f"recording.{action}") for action in ("hold", "release", "delete")
    ]
    other = keep(archive, 1).id
    assert "its export is not proved" in fsivr("recordings", "delete", other).err
    assert fsivr("recordings", "delete", other, "--unexported").code == 0


def test_purge(fsivr, archive, monkeypatch) -> None:
    monkeypatch.setenv("FSIVR_RETENTION", "default=1")
    keep_exported(archive, 0)
    keep_exported(archive, 1, hold=Hold("why", "ann", START))
    keep_exported(archive, 2, retention="other")
    kept = "1 recording kept: on hold\n1 recording kept: the setting retention has no class 'other'\n"
    ran = fsivr("recordings", "purge", "--dry-run")
    assert ran.out == f"1 recording would be purged, 2.0 kB\n{kept}"
    assert archive.folders.place(id_of(0)).exists()
    assert fsivr("recordings", "purge").out == f"1 recording purged, 2.0 kB\n{kept}"
    assert not archive.folders.place(id_of(0)).exists()
    assert fsivr("recordings", "purge").out == f"0 recordings purged, 0 B\n{kept}"


def test_verify_in_a_pipe_is_a_line_for_each(fsivr, archive) -> None:
    keep(archive, 0)
    keep(archive, 1)
    ran = fsivr("recordings", "verify")
    assert ran.code == 0
    assert ran.out == f"right {id_of(0)}\nright {id_of(1)}\n2 recordings verified, 4.1 kB: none damaged\n"
    archive.folders.place(id_of(0)).write_bytes(b"RIFF")
    ran = fsivr("recordings", "verify")
    assert ran.code == 1
    assert ran.out.splitlines()[0].startswith(f"wrong {id_of(0)} ")
    assert "has 4 bytes, and its sidecar says 2044" in ran.out
    assert ran.out.endswith("2 recordings verified, 4.1 kB: 1 damaged\n")
    assert fsivr("recordings", "verify", id_of(1)).code == 0
    assert fsivr("recordings", "verify", id_of(1), "../x").code == 1


def test_verify_on_a_terminal_has_a_bar(archive, tmp_path) -> None:
    keep(archive, 0)
    keep(archive, 1)
    archive.folders.place(id_of(1)).unlink()
    (tmp_path / "fsivr.toml").write_text(f'database = "sqlite:///{tmp_path}/fsivr.db"\n')
    environment = {
        "FSIVR_RECORDINGS_PATH": str(archive.folders.root),
        "FSIVR_DATABASE": f"sqlite:///{tmp_path}/fsivr.db",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with Process("recordings", "verify", cwd=tmp_path, terminal=True) as process:
            assert process.ends() == 1
    assert "━" in process.out
    assert "2 files" in process.out
    assert "wrong" in process.out and "there is no file" in process.out
    assert f"right {id_of(0)}" not in process.out
    assert "2 recordings verified, 4.1 kB: 1 damaged" in process.out


def test_reconcile_reindex_and_usage(fsivr, archive, tmp_path) -> None:
    keep(archive, 0)
    assert fsivr("recordings", "usage").out.startswith(f"1 sound file, 2.0 kB, in {tmp_path}/recordings\n")
    usage = json.loads(fsivr("recordings", "usage", "--json").out)
    assert (usage["files"], usage["bytes"], usage["days_left"]) == (1, 2044, None)
    archive.store.close()
    for path in tmp_path.glob("fsivr.db*"):
        path.unlink()
    lacks = fsivr("recordings", "list")
    assert lacks.code == 2
    assert "there is no database fsivr.db: is this the folder that serves" in lacks.err
    assert not (tmp_path / "fsivr.db").exists()
    assert fsivr("recordings", "reindex").out == "1 recording in the database, 0 under way\n"
    assert fsivr("recordings", "reconcile").code == 0
    archive.folders.sidecar_of(id_of(0)).write_text("{")
    keep(archive, 1)
    ran = fsivr("recordings", "reindex")
    assert ran.out.splitlines() == [
        "1 recording in the database, 0 under way",
        "1 sidecar cannot be read: fsivr recordings verify names them",
    ]


def test_a_database_that_cannot_be_used_is_one_line(fsivr, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fsivr.db").write_bytes(b"this is no database" * 100)
    ran = fsivr("recordings", "list")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "fsivr: the database cannot be used: file is not a database\n"
    monkeypatch.setenv("FSIVR_DATABASE", "postgresql://ivr:SECRET@127.0.0.1:1/ivr")
    ran = fsivr("recordings", "list")
    assert ran.code == 1
    assert "the database cannot be used" in ran.err
    assert "SECRET" not in ran.err


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, ""), (0, "0:00"), (59.6, "1:00"), (125, "2:05"), (3725.2, "1:02:05"), (86400, "24:00:00")],
)
def test_lengths(seconds: float | None, shown: str) -> None:
    assert recorded.length(seconds) == shown


@pytest.mark.parametrize(("number", "shown"), [(0, "0 B"), (999, "999 B"), (2044, "2.0 kB"), (3 * 10**9, "3.0 GB")])
def test_sizes(number: int, shown: str) -> None:
    assert recorded.size(number) == shown
