"""``fsivr new``: what it writes, what it leaves alone, and that what it wrote works."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder, from which the applications of this project cannot be imported."""
    monkeypatch.setattr(sys, "path", [place for place in sys.path if Path(place).resolve() != ROOT])
    monkeypatch.chdir(tmp_path)
    kept = forget_applications()
    yield tmp_path
    forget_applications()
    sys.modules.update(kept)


def forget_applications() -> dict[str, ModuleType]:
    """The applications that were imported; none is any more."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "apps"}


def written(folder: Path) -> list[str]:
    """The files that are there."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix == ".py")


def test_the_first_brings_the_dialplan(fsivr, folder: Path) -> None:
    ran = fsivr("new", "opening_hours")
    assert (ran.code, ran.err) == (0, "")
    assert written(folder) == [
        "apps/__init__.py",
        "apps/opening_hours.py",
        "tests/__init__.py",
        "tests/apps/__init__.py",
        "tests/apps/test_opening_hours.py",
    ]
    assert 'Extension("4200", OpeningHours)' in (folder / "apps/__init__.py").read_text()
    assert "call 4200" in ran.out


def test_what_was_written_passes_and_is_reached(fsivr, folder: Path) -> None:
    fsivr("new", "opening_hours")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=120,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert fsivr("route", "4200").out.endswith("4200 reaches apps.opening_hours.OpeningHours\n")


def test_the_second_tells_its_line_and_takes_a_free_number(fsivr, folder: Path) -> None:
    fsivr("new", "first")
    before = (folder / "apps/__init__.py").read_bytes()
    ran = fsivr("new", "second")
    assert "  from apps.second import Second\n" in ran.out
    assert '  Extension("4300", Second),\n' in ran.out
    assert (folder / "apps/__init__.py").read_bytes() == before


def test_a_number_may_be_given(fsivr, folder: Path) -> None:
    fsivr("new", "first", "--number", "*98")
    assert r'Extension(r"\*98", First)' in (folder / "apps/__init__.py").read_text()
    assert fsivr("route", "*98").code == 0
    assert r'Extension(r"\*\*99#", Second),' in fsivr("new", "second", "--number", "**99#").out


@pytest.mark.parametrize("there", ["apps/first.py", "tests/apps/test_first.py"])
def test_nothing_is_overwritten(fsivr, folder: Path, there: str) -> None:
    path = folder / there
    path.parent.mkdir(parents=True)
    path.write_text("mine\n")
    assert fsivr("new", "first") == (2, "", f"fsivr: {there} is there already; nothing was written\n")
    assert written(folder) == [there]
    assert path.read_text() == "mine\n"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("OpeningHours", "; try opening_hours"),
        ("opening-hours", "; try opening_hours"),
        ("opening hours.py", "; try opening_hours_py"),
        ("class", ""),
        ("5th", ""),
        ("", ""),
        ("../evil", "; try evil"),
        ("a" * 41, "; try " + "a" * 40),
        ("x\n", "; try x"),
    ],
)
def test_a_name_has_to_be_a_module_s(fsivr, folder: Path, name: str, advice: str) -> None:
    said = f"fsivr: a name has small letters, digits and _, as opening_hours, not {name!r}{advice}\n"
    assert fsivr("new", "--", name) == (2, "", said)
    assert written(folder) == []


@pytest.mark.parametrize("name", ["handler", "test"])
def test_a_name_must_not_hide_another(fsivr, folder: Path, name: str) -> None:
    ran = fsivr("new", name)
    assert ran.code == 2
    assert f"the name {name} would hide another class" in ran.err
    assert written(folder) == []


@pytest.mark.parametrize("number", ["", "12a", '1"', "1" * 33, "4.*"])
def test_a_number_has_to_be_dialled(fsivr, folder: Path, number: str) -> None:
    ran = fsivr("new", "first", "--number", number)
    assert ran.code == 2
    assert "a number has digits" in ran.err
    assert written(folder) == []


def test_a_folder_that_is_a_file_is_told(fsivr, folder: Path) -> None:
    (folder / "apps").write_text("")
    ran = fsivr("new", "first")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("\n") == 1
