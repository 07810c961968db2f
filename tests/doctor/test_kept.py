"""The database, the disk, the settings and the dialplan."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fsivr.config import Settings, load
from fsivr.dialplan import load_dialplan
from fsivr.dialplan_xml import as_xml
from fsivr.doctor.configured import CHECKS as OF_SETTINGS
from fsivr.doctor.examining import examine
from fsivr.doctor.site import Site
from fsivr.simulator import Switch
from fsivr.store import Store
from fsivr.store.condition import condition
from fsivr.store.rows import recorded
from tests.store.postgresql import PostgreSQL, installed

DATABASE = ("database.reachable", "database.schema", "database.size", "database.writing")


def test_a_database_that_is_not_there_is_not_made(levels: Any, tmp_path: Path) -> None:
    assert [levels(name) for name in DATABASE] == [["note"], ["skipped"], ["skipped"], ["skipped"]]
    assert not list(tmp_path.glob("fsivr.db*"))


def test_a_database_that_is_right_and_is_not_changed(levels: Any, store: Store, tmp_path: Path) -> None:
    rows = "SELECT * FROM fsivr_schema"
    before = store.database.execute_sql(rows).fetchall()
    assert [levels(name) for name in DATABASE] == [["ok"]] * 4
    assert store.database.execute_sql(rows).fetchall() == before


def test_a_database_of_another_fsivr(findings: Any, store: Store) -> None:
    store.database.execute_sql("DELETE FROM fsivr_schema WHERE version > 1")
    (older,) = findings("database.schema")
    assert (older.level, older.what.startswith("it has had 1 of ")) == ("warning", True)
    store.database.execute_sql("INSERT INTO fsivr_schema VALUES (999, 'later', 0)")
    (newer,) = findings("database.schema")
    assert (newer.level, "made by a newer fsivr" in newer.what) == ("error", True)
    assert [each.level for each in findings("database.reachable")] == ["ok"]
    assert [each.level for each in findings("disk.days")] == ["note"]


def test_a_database_that_another_process_keeps_locked(findings: Any, store: Store, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "fsivr.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        (found,) = findings("database.reachable")
        assert (found.level, found.what) == ("error", "it cannot be used: database is locked")
        assert [each.level for each in findings("database.schema")] == ["skipped"]
    finally:
        other.close()


def test_what_is_no_database(findings: Any, tmp_path: Path) -> None:
    (tmp_path / "fsivr.db").write_text("x" * 10_000)
    (found,) = findings("database.reachable")
    assert (found.level, found.what) == ("error", "it cannot be used: file is not a database")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    one = PostgreSQL(installed())
    yield one
    one.close()


def test_postgresql(findings: Any, server: PostgreSQL) -> None:
    address = server.address()
    store = Store(address)
    store.migrate()
    found = condition(store, address)
    store.close()
    assert found.schema == found.newest
    assert found.bytes > 1_000_000
    assert found.ahead == pytest.approx(0, abs=5)
    names = (*DATABASE, "clock.database")
    assert [each.level for name in names for each in findings(name, database=address)] == ["ok"] * 5


def test_a_postgresql_that_is_away_gives_no_password_away(findings: Any) -> None:
    (found,) = findings("database.reachable", database="postgresql://ivr:S3cret-of-tests@127.0.0.1:1/ivr")
    assert (found.level, "refused" in found.what) == ("error", True)
    assert "S3cret" not in found.what + found.mend


# -- the disk ---------------------------------------------------------------------------------


def test_the_disk(levels: Any) -> None:
    assert set(levels("disk.free")) <= {"ok", "warning", "error"}
    assert levels("disk.files") in (["ok"], ["warning"])


def test_the_days_it_lasts(findings: Any, store: Store, tmp_path: Path) -> None:
    assert "nothing was recorded in the last week" in findings("disk.days")[0].what
    disk = os.statvfs(tmp_path)
    began = datetime.now(UTC) - timedelta(days=2)
    row = recorded(
        id="r1",
        call="c1",
        node="ivr-1",
        path="/r1.wav",
        state="sealed",
        started=began,
        bytes=disk.f_bavail * disk.f_frsize,
    )
    store.write([row])
    (found,) = findings("disk.days", node="ivr-1")
    assert (found.level, found.what) == ("error", "the disk lasts 2 days, at the rate of the last week")


# -- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mode", "level"),
    [
        ('switch_password = "S3cret-of-tests"', 0o644, "error"),
        ('switch_password = "S3cret-of-tests"', 0o640, "ok"),
        ('database = "postgresql://ivr:S3cret@db/ivr"', 0o604, "error"),
        ("ports = 30", 0o644, "ok"),
        ("ports = 30", 0o664, "error"),
    ],
)
def test_who_may_read_the_settings(tmp_path: Path, text: str, mode: int, level: str) -> None:
    file = tmp_path / "fsivr.toml"
    file.write_text(text)
    file.chmod(mode)
    site = Site(load(file, {}), file=file)
    (found,) = examine(site, [each for each in OF_SETTINGS if each.name == "permissions"])
    assert found.level == level


def test_settings_of_targets(findings: Any, levels: Any) -> None:
    assert levels("settings.targets") == ["note"]
    assert (levels("settings.retention"), levels("targets.probe")) == (["warning"], ["skipped"])
    (wrong,) = findings("settings.targets", targets={"archive": {"kind": "folder"}})
    assert (wrong.level, wrong.what) == ("error", "target archive: path is missing")
    assert levels("targets.probe", targets={"archive": {"kind": "folder"}}) == ["skipped"]
    assert levels("settings.targets", targets={"a": {"kind": "folder", "path": "/"}}, export_at="01:00") == ["ok"]


def test_a_dialplan_that_there_is_not(levels: Any) -> None:
    assert levels("settings.dialplan") == ["ok"]
    assert levels("settings.dialplan", dialplan="no_such_module:dialplan") == ["error"]
    assert levels("dialplan.switch", dialplan="no_such_module:dialplan") == ["skipped"]


# -- the switch's dialplan --------------------------------------------------------------------


@pytest.fixture
def made(settings: dict[str, object]) -> str:
    return as_xml(load_dialplan("apps:dialplan"), ["127.0.0.1:8084", "10.0.0.5:8084"])


def test_a_file_of_the_dialplan(findings: Any, made: str, tmp_path: Path) -> None:
    file = tmp_path / "apps.xml"
    assert [each.level for each in findings("dialplan.file")] == ["skipped"]
    assert [each.level for each in findings("dialplan.file", site={"dialplan_file": str(file)})] == ["error"]
    file.write_text(made)
    (right,) = findings("dialplan.file", site={"dialplan_file": str(file)})
    assert right.what == f"{file} sends each number to 127.0.0.1:8084, 10.0.0.5:8084"
    file.write_text(made.replace("socket_resume=true", "socket_resume=false", 1))
    (stale,) = findings("dialplan.file", site={"dialplan_file": str(file)})
    assert (stale.level, stale.what.endswith("has changed")) == ("warning", True)
    file.write_text("<nonsense")
    assert [each.level for each in findings("dialplan.file", site={"dialplan_file": str(file)})] == ["error"]


def test_the_dialplan_that_the_switch_has(findings: Any, switch: Switch, made: str) -> None:
    (missing,) = findings("dialplan.switch")
    assert (missing.level, missing.what.startswith("context public:")) == ("error", True)
    context = made[made.index("  <context") : made.index("</include>")]
    switch.configuration["public"] = context
    assert [each.level for each in findings("dialplan.switch")] == ["ok"]
    own = '<extension name="of the operator"><condition/></extension>'
    switch.configuration["public"] = context.replace("</context>", f"{own}</context>")
    assert [each.level for each in findings("dialplan.switch", listen="127.0.0.1:9")] == ["note", "note", "ok"]
    switch.configuration["public"] = "<context><extension/></context>"
    assert "sends no call" in findings("dialplan.switch")[0].what


def test_settings_in_force_are_valid(levels: Any) -> None:
    assert levels("settings.valid") == ["ok"]
    assert Settings.defaults().ports == 120
