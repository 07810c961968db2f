"""``fsivr export``: what it prints, and its exit codes."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsivr.cli.exported import size
from fsivr.recordings import Archive, Sidecar
from fsivr.store import Store
from tests.cli.process import Process
from tests.exporter.kept import files_below, keep

TOML = """
recordings_path = "recordings"
database = "sqlite:///fsivr.db"
node = "ivr-1"
[targets.archive]
kind = "folder"
path = "there"
"""


class Site:
    """A folder with settings, and recordings that wait."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "there").mkdir()
        (folder / "fsivr.toml").write_text(TOML)
        self.store_address = f"sqlite:///{folder}/fsivr.db"
        self.store = Store(self.store_address)
        self.store.migrate()
        self.archive = Archive(folder / "recordings", self.store, node="ivr-1", retention={"default": 1})

    def set(self, line: str) -> None:
        """Add a setting."""
        (self.folder / "fsivr.toml").write_text(f"{line}\n{TOML}")

    def keep(self, count: int, size: int = 1000) -> list[Sidecar]:
        return keep(self.archive.folders, self.store, count, size=size)

    def states(self) -> list[str]:
        return [run.state for run in self.store.exports().items]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FSIVR_RECORDINGS_PATH", raising=False)
    monkeypatch.delenv("FSIVR_DATABASE", raising=False)
    site = Site(tmp_path)
    yield site
    site.store.close()


def test_it_brings_what_waits_and_says_so(fsivr, site: Site) -> None:
    site.keep(3)
    assert fsivr("export", "--dry-run").out == "archive: 3 to bring, 3.1 kB\n"
    assert site.states() == []
    ran = fsivr("export")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("archive: done, 3 recordings brought and proved (read back), 3.1 kB in ")
    assert fsivr("export", "archive").out.startswith("archive: done, 0 recordings brought")
    assert site.states() == ["done", "done"]


def test_the_reports_as_json(fsivr, site: Site) -> None:
    site.keep(2)
    (planned,) = json.loads(fsivr("export", "--dry-run", "--json").out)
    assert (planned["planned"], planned["recordings"]) == (2, 0)
    (report,) = json.loads(fsivr("export", "run", "archive", "--json", "--since", "2026-11-23").out)
    assert (report["state"], report["recordings"], report["target"]) == ("done", 2, "archive")


def test_what_is_chosen(fsivr, site: Site) -> None:
    site.keep(3)
    assert fsivr("export", "--dry-run", "--until", "2026-11-23T20:00:01Z").out.startswith("archive: 1 to bring")
    assert fsivr("export", "--dry-run", "--since", "2026-11-23T22:00:01+02:00").out.startswith("archive: 2 to bring")
    assert fsivr("export", "--dry-run", "--app", "Other").out.startswith("archive: 0 to bring")


def test_some_that_failed_are_told_and_are_code_1(fsivr, site: Site) -> None:
    kept = site.keep(15)
    for sidecar in kept[:12]:
        site.archive.folders.place(sidecar.id).write_bytes(b"")
    ran = fsivr("export")
    assert ran.code == 1
    assert ran.out.startswith("archive: partial, 3 recordings brought")
    assert f"  {kept[0].id}: " in ran.out
    assert "and 2 more that failed" in ran.out
    assert "12 recordings remain" in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope",), "there is no target 'nope': there are archive"),
        (("--since", "soon"), "'soon' is no day or time"),
        (("--since", "0001-01-01T00:00:00+14:00"), "is no day or time"),
        (("verify",), "Missing argument 'TARGET'"),
        (("restore", "nope"), "there is no target 'nope'"),
    ],
)
def test_wrong_use_is_code_2(fsivr, site: Site, arguments: tuple[str, ...], said: str) -> None:
    ran = fsivr("export", *arguments)
    assert (ran.code, said in ran.err) == (2, True)


def test_a_wrong_target_is_code_2_and_its_secret_is_not_shown(fsivr, site: Site) -> None:
    with (site.folder / "fsivr.toml").open("a") as file:
        file.write('[targets.two]\nkind = "sftp"\nhost = "h"\nuser = "u"\npassword = "S3CRET"\nport = "S3CRET2"\n')
    ran = fsivr("export", "--dry-run")
    assert ran.code == 2
    assert "target two: port" in ran.err
    assert "S3CRET\n" not in ran.err and "'S3CRET'" not in ran.err
    assert "S3CRET" not in fsivr("settings").out
    (site.folder / "fsivr.toml").write_text(TOML.partition("[targets")[0])
    assert "there is no target to export to" in fsivr("export").err


def test_another_run_is_code_3(fsivr, site: Site) -> None:
    site.keep(1)
    assert fsivr("export").code == 0
    with (site.archive.folders.spool / ".exports" / "archive@ivr-1" / "lock").open("r+") as lock:
        lock.write(f"process {os.getpid()} since today\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = fsivr("export")
    assert ran.code == 3
    assert f"it is being exported there already, by process {os.getpid()} since today" in ran.err


def test_a_target_that_refuses_is_code_4(fsivr, site: Site) -> None:
    site.keep(1)
    (site.folder / "there").rmdir()
    ran = fsivr("export")
    assert ran.code == 4
    assert "archive: failed" in ran.out
    assert "there is no folder" in ran.out and "mount or make it" in ran.out
    assert fsivr("export", "verify", "archive").code == 4
    assert fsivr("export", "restore", "archive").code == 4


def test_the_round_trip(fsivr, site: Site) -> None:
    kept = site.keep(3)
    fsivr("export")
    assert fsivr("export", "verify", "archive").out.startswith("archive: 6 files proved, ")
    (site.folder / "there" / kept[0].path).unlink()
    (site.folder / "there" / "other").touch()
    ran = fsivr("export", "verify", "archive")
    assert ran.code == 1
    assert ran.out.startswith(f"missing: {kept[0].path}\nextra: other\n")
    assert json.loads(fsivr("export", "verify", "archive", "--json").out)["missing"] == [kept[0].path]
    ran = fsivr("export", "restore", "archive", "--into", "elsewhere")
    assert ran.code == 1
    assert f"failed: {kept[0].id}: " in ran.out
    assert "2 recordings brought back and proved" in ran.out


def test_the_round_trip_to_an_empty_machine(fsivr, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.keep(3)
    fsivr("export")
    monkeypatch.setenv("FSIVR_RECORDINGS_PATH", "new")
    monkeypatch.setenv("FSIVR_DATABASE", "sqlite:///new.db")
    ran = fsivr("export", "restore", "archive")
    assert (ran.code, ran.out) == (0, "3 recordings brought back and proved, 3.1 kB\n3 rows\n")
    assert fsivr("export", "--dry-run").out == "archive: 0 to bring, 0 bytes\n"


def test_a_signal_ends_it_in_order(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSIVR_RECORDINGS_PATH", "recordings")
    monkeypatch.setenv("FSIVR_DATABASE", "sqlite:///fsivr.db")
    site.set("export_bandwidth = 200000\nexport_concurrency = 2")
    site.keep(60, size=20_000)
    with Process("export", cwd=site.folder, terminal=True) as process:
        process.reads("archive")
        process.reads(" files")
        _wait_for(lambda: any(name.endswith(".wav") for name in files_below(site.folder / "there")))
        process.signals(signal.SIGTERM)
        assert process.ends() == 130
    report = json.loads(site.store.exports().items[0].report)
    assert report["state"] == "partial", process.out
    assert report["error"] == "it was told to stop"
    assert 0 < report["recordings"] < 60
    assert [row.state for row in site.store.recordings().items].count("exported") == report["recordings"]


def test_killed_with_its_workers_it_is_gone_on_with(site: Site) -> None:
    site.set("export_bandwidth = 400000\nexport_concurrency = 4")
    site.keep(60, size=20_000)
    command = [sys.executable, "-m", "fsivr", "export"]
    killed = subprocess.Popen(command, cwd=site.folder, stdout=subprocess.DEVNULL)
    _wait_for(lambda: len(files_below(site.folder / "there")) > 10)
    killed.kill()
    killed.wait()
    site.set("export_concurrency = 4")
    done = subprocess.run(command, cwd=site.folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.states() == ["done", "interrupted"]
    there = files_below(site.folder / "there")
    told = [json.loads(content) for key, content in there.items() if key.startswith("manifests/")]
    assert sum(manifest["files"] for manifest in told) == 60
    assert len(there) == 120 + len(told)


def _wait_for(there) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_sizes_for_a_reader() -> None:
    assert [size(count) for count in (0, 999, 1000, 480_000, 2e9, 3.2e13)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "480.0 kB",
        "2.0 GB",
        "32.0 TB",
    ]


@pytest.mark.parametrize("command", [(), ("--dry-run",), ("restore", "archive")])
def test_a_database_that_is_gone_is_told(fsivr, site: Site, monkeypatch: pytest.MonkeyPatch, command) -> None:
    monkeypatch.setenv("FSIVR_DATABASE", "postgresql://u:S3CRET@127.0.0.1:1/x")
    ran = fsivr("export", *command)
    assert ran.code == 1
    assert ran.err.startswith("fsivr: the database cannot be used: ")
    assert "S3CRET" not in ran.err


def test_what_an_export_keeps_in_the_spool_is_nothing_to_be_reconciled(fsivr, site: Site) -> None:
    site.keep(1)
    assert fsivr("export").code == 0
    ran = fsivr("recordings", "reconcile")
    assert (ran.code, ran.err) == (0, "")
    assert "foreign" not in ran.out
