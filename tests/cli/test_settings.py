"""``fsivr settings``."""

from __future__ import annotations

import re

import pytest
from rich.console import Console

from fsivr.cli import settings as settings_command
from fsivr.config import SETTINGS


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_setting_is_a_line(fsivr) -> None:
    ran = fsivr("settings")
    head, *lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    assert head.split() == ["Setting", "Value", "From", "What", "it", "does"]
    assert [line.split()[0] for line in lines] == [setting.name for setting in SETTINGS]
    assert all(line.endswith(setting.help) for line, setting in zip(lines, SETTINGS, strict=True))
    assert lines[1].split("  ")[1].strip() or "127.0.0.1:8084" in lines[1]


def test_where_a_value_came_from_is_told(fsivr, tmp_path, monkeypatch) -> None:
    (tmp_path / "fsivr.toml").write_text('language = "de"\n')
    (tmp_path / "other.toml").write_text('language = "fr"\nallow = ["10.0.0.5", "::1"]\n')
    monkeypatch.setenv("FSIVR_PORTS", "77")

    def row(name: str, *arguments: str) -> str:
        (line,) = (line for line in fsivr("settings", *arguments).out.splitlines() if line.split()[0] == name)
        return re.sub(r" {2,}", "|", line)

    assert row("language").startswith("language|de|fsivr.toml|")
    assert row("ports").startswith("ports|77|FSIVR_PORTS|")
    assert row("log_level").startswith("log_level|info|default|")
    assert row("language", "--config", "other.toml").startswith("language|fr|other.toml|")
    assert row("allow", "--config", "other.toml").startswith("allow|10.0.0.5, ::1|other.toml|")


@pytest.mark.parametrize("width", [20, 40, 80, 99, 100, 200])
def test_any_width_shows_every_value(fsivr, monkeypatch, capsys, width: int) -> None:
    def console() -> Console:
        return Console(width=width, highlight=False, markup=False)

    monkeypatch.setattr(settings_command, "console", console)
    out = fsivr("settings").out
    assert max(map(len, out.splitlines())) <= width
    together = re.sub(r"\s", "", out)
    for setting in SETTINGS:
        assert setting.name in together


@pytest.mark.parametrize("width", [40, 200])
def test_the_password_is_not_shown(fsivr, monkeypatch, width: int) -> None:
    monkeypatch.setattr(settings_command, "console", lambda: Console(width=width, highlight=False, markup=False))
    monkeypatch.setenv("FSIVR_SWITCH_PASSWORD", "s3cr3t")
    out = fsivr("settings").out
    assert "s3cr3t" not in out and "ClueCon" not in out
    assert "********" in out and "FSIVR_SWITCH_PASSWORD" in out
    monkeypatch.setenv("FSIVR_SWITCH_PASSWORD", "s3cr3t\n")
    refused = fsivr("settings")
    assert refused.code != 0
    assert "s3cr3t" not in refused.out + refused.err


def test_a_password_is_not_shown(fsivr, monkeypatch) -> None:
    monkeypatch.setenv("FSIVR_DATABASE", "postgresql://ivr:SECRET@db:5432/ivr")
    out = fsivr("settings").out
    assert "postgresql://ivr:***@db:5432/ivr" in out
    assert "SECRET" not in out
