"""The service, by what systemd says of it: a systemctl of the tests' own says it here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsivr.doctor import service as module

_RIGHT = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "NRestarts": "0",
    "WatchdogUSec": "30s",
    "User": "fsivr",
    "UnitFileState": "enabled",
}


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, object]]:
    """Has systemctl print properties; gives the arguments of a ``Site`` that systemd runs."""
    root = tmp_path / "root"
    (root / "run/systemd/system").mkdir(parents=True)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")

    def say(**properties: str) -> dict[str, object]:
        lines = "".join(f"{name}={value}\n" for name, value in {**_RIGHT, **properties}.items())
        (folder / "said").write_text(lines)
        program = folder / "systemctl"
        program.write_text(f'#!/bin/sh\n[ "$1" = show ] && cat {folder}/said\n')
        program.chmod(0o755)
        return {"root": root}

    return say


def test_a_service_that_is_right(levels: Any, systemd: Any) -> None:
    site = systemd()
    given = {"targets": {"a": {"kind": "folder", "path": "/"}}}
    names = ("service.unit", "service.watchdog", "service.export")
    assert [levels(name, site=site, **given) for name in names] == [["ok"]] * 3


def test_what_is_wrong_with_a_service(findings: Any, systemd: Any) -> None:
    site = systemd(ActiveState="failed", SubState="failed", NRestarts="4", User="root", UnitFileState="disabled")
    assert [(each.level.value, each.what) for each in findings("service.unit", site=site)] == [
        ("error", "fsivr.service is failed (failed)"),
        ("warning", "fsivr.service does not start with the machine"),
        ("warning", "fsivr.service runs as root"),
        ("warning", "fsivr.service was started again 4 times"),
    ]
    site = systemd(WatchdogUSec="0", ActiveState="inactive")
    given = {"targets": {"a": {"kind": "folder", "path": "/"}}}
    assert [each.level for each in findings("service.watchdog", site=site)] == ["note"]
    assert [each.level for each in findings("service.export", site=site, **given)] == ["warning"]
    assert [each.level for each in findings("service.export", site=site, export_at="01:00", **given)] == ["ok"]


def test_what_systemd_does_not_know_is_skipped(levels: Any, systemd: Any, tmp_path: Path) -> None:
    assert levels("service.unit", site=systemd(LoadState="not-found")) == ["skipped"]
    assert levels("service.unit", site={"root": tmp_path / "no system"}) == ["skipped"]


def test_a_systemctl_that_hangs(findings: Any, systemd: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = systemd()
    (tmp_path / "bin/systemctl").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(module, "_PATIENCE", 0.1)
    (found,) = findings("service.unit", site=site)
    assert (found.level, found.what) == ("skipped", "systemctl did not answer")
