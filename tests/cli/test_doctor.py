"""``fsivr doctor``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that serves."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_tells_by_area_and_counts(fsivr, here: Path) -> None:
    (here / "fsivr.toml").write_text("ports = 30\n")
    (here / "fsivr.toml").chmod(0o666)
    code, out, err = fsivr("doctor", "--only", "settings")
    assert (code, err) == (1, "")
    assert out.splitlines()[0] == "settings"
    assert "  error    permissions: fsivr.toml has mode 0666: others can write it\n" in out
    assert "           mend: chmod g-w,o= fsivr.toml\n" in out
    assert out.splitlines()[-1].endswith("1 errors, 0 not looked at")


def test_warnings_are_allowed(fsivr, here: Path) -> None:
    assert fsivr("doctor", "--only", "settings", "--only", "service").code == 0


def test_for_programs(fsivr, here: Path) -> None:
    code, out, err = fsivr("doctor", "--only", "machine", "--ports", "100000", "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert {each["area"] for each in told["findings"]} == {"machine"}
    assert sum(told["counts"].values()) == len(told["findings"])
    (cores, *_) = [each for each in told["findings"] if each["check"] == "cores"]
    assert (cores["level"], cores["mend"]) == ("note", "fsivr size --ports 100000")


def test_only_what_is_wrong(fsivr, here: Path) -> None:
    code, out, _ = fsivr("doctor", "--only", "settings", "--only", "database", "--wrong")
    assert (code, "  ok " in out, "  warning  retention" in out) == (0, False, True)


def test_wrong_settings_are_a_finding(fsivr, here: Path) -> None:
    (here / "fsivr.toml").write_text('prots = 30\nswitch_password = "S3cret\\nof tests"\n')
    code, out, err = fsivr("doctor", "--only", "settings", "--only", "switch")
    assert (code, err) == (1, "")
    assert "error    valid: there is no setting prots (from fsivr.toml): did you mean ports?" in out
    assert "S3cret" not in out
    assert "skipped  reachable: the settings are wrong: see settings.valid" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "plumbing"), "there is no area 'plumbing': there are settings, machine, disk"),
        (("--config", "no.toml"), "there is no settings file no.toml"),
        (("--ports", "0"), "0 is not in the range"),
    ],
)
def test_wrong_use(fsivr, here: Path, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = fsivr("doctor", *arguments)
    assert (code, out) == (2, "")
    assert said in err
