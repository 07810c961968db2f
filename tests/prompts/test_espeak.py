"""Texts made into sound files by the real espeak-ng."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fsivr.prompts.espeak import NotRendered, render
from fsivr.prompts.sound import faults, read_sound

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed; on Debian and Ubuntu: apt install espeak-ng"
)


@needs_espeak
@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Welcome to your bank."), ("de", "Schöne Grüße."), ("pt_BR", "Olá."), ("de_CH", "Grüezi."), ("zh", "你好")],
)
def test_a_text_is_spoken(tmp_path: Path, language: str, text: str) -> None:
    path = tmp_path / language / "a.wav"
    sound = render(text, language, path)
    assert faults(path) == []
    assert read_sound(path) == sound
    assert 0.2 < sound.seconds < 4


@needs_espeak
def test_a_longer_text_takes_longer(tmp_path: Path) -> None:
    short, long = (render(text, "en", tmp_path / "a.wav") for text in ("One.", "One. Two. Three. Four. Five."))
    assert long.seconds > 2 * short.seconds


@needs_espeak
@pytest.mark.parametrize(
    "text", ["-w elsewhere.wav", "--version", "$(touch elsewhere)", "<speak>a</speak>", 'it\'s "so"']
)
def test_a_text_is_no_option_and_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert render(text, "en", tmp_path / "a.wav").seconds > 0.3
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


@needs_espeak
def test_there_is_no_such_voice(tmp_path: Path) -> None:
    with pytest.raises(NotRendered, match=r"espeak-ng made no sound in xx: .*voice does not exist"):
        render("a", "xx", tmp_path / "a.wav")
    assert not list(tmp_path.iterdir())


def test_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotRendered, match="apt install espeak-ng"):
        render("a", "en", tmp_path / "a.wav")


def test_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "espeak-ng").write_text("#!/bin/sh\necho out of order >&2\nexit 3\n")
    (tmp_path / "espeak-ng").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotRendered, match="made no sound in en: out of order;"):
        render("a", "en", tmp_path / "a.wav")
