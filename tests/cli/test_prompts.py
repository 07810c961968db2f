"""``fsivr prompts``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fsivr.prompts.sound import write_sound
from tests.cli.conftest import Ran
from tests.prompts.test_espeak import needs_espeak
from tests.prompts.test_sound import tone

Fsivr = Callable[..., Ran]
ROOT = Path(__file__).parent.parent.parent

DIALPLAN = '''"""The lines."""
from fsivr import Dialplan, Extension

from shop.front import Front

dialplan = Dialplan([Extension("1", Front)])
'''
FRONT = '''"""1: the shop's front door."""
from fsivr import Handler

from shop import texts
from shop.back import Back


class Front(Handler):
    def run(self, call):
        call.play("shop/welcome", 3)
        Back().run(call)
'''
BACK = '''"""What is said at the back."""
from fsivr import Handler


class Back(Handler):
    def run(self, call):
        call.ask("shop/number", digits=4)
'''
CATALOGUE = """
["shop/number"]
en = "Your number | please."
de = "Ihre Nummer."
["shop/welcome"]
en = "Welcome."
["shop/old"]
en = "Old."
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an application of two modules and a catalogue."""
    folder = tmp_path / "shop"
    folder.mkdir()
    sources = (("__init__", DIALPLAN), ("front", FRONT), ("back", BACK), ("texts", "X = 'shop/nothing'\n"))
    for name, source in sources:
        (folder / f"{name}.py").write_text(source)
    (folder / "prompts.toml").write_text(CATALOGUE)
    (tmp_path / "fsivr.toml").write_text('dialplan = "shop:dialplan"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        monkeypatch.delitem(sys.modules, name)
    return folder


def test_the_faults_of_each_language(fsivr: Fsivr, shop: Path) -> None:
    write_sound(shop / "sounds/en/shop/welcome.wav", tone(440))
    ran = fsivr("prompts", "check")
    assert ran.out.splitlines() == [
        "fault en shop/number has no file shop/sounds/en/shop/number.wav",
        "fault de shop/number has no file shop/sounds/de/shop/number.wav",
        "remark shop/old is in the catalogue, and no handler plays it",
        "fault de shop/welcome has no text",
        "fault de shop/welcome has no file shop/sounds/de/shop/welcome.wav",
        "3 prompts in en, de: 4 faults, 1 remark",
    ]
    assert (ran.code, ran.err) == (1, "")


def test_one_language_and_a_folder_of_its_own(fsivr: Fsivr, shop: Path) -> None:
    for name in ("number", "welcome"):
        write_sound(shop.parent / f"studio/en/shop/{name}.wav", tone(440))
    ran = fsivr("prompts", "check", "--language", "en", "--sounds", "studio")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "3 prompts in en: 0 faults, 1 remark")
    assert fsivr("prompts", "check", "--language", "en").code == 1


def test_the_settings_name_the_folder_and_the_fallbacks(fsivr: Fsivr, shop: Path) -> None:
    for name in ("number", "welcome"):
        write_sound(shop.parent / f"studio/en/shop/{name}.wav", tone(440))
    with (shop.parent / "fsivr.toml").open("a") as file:
        file.write(f'prompts_path = "{shop.parent}/studio"\nfallback_languages = ["en"]\n')
    ran = fsivr("prompts", "check")
    assert "remark de shop/welcome has no text; it is heard in en" in ran.out
    assert ran.code == 0


def test_the_studio_script(fsivr: Fsivr, shop: Path) -> None:
    assert fsivr("prompts", "script").out.splitlines() == [
        "# en",
        "",
        "## front: 1: the shop's front door",
        "",
        "| prompt | text |",
        "|---|---|",
        "| `shop/welcome` | Welcome. |",
        "",
        "## back: What is said at the back",
        "",
        "| prompt | text |",
        "|---|---|",
        "| `shop/number` | Your number \\| please. |",
        "",
        "## Not played by any application",
        "",
        "| prompt | text |",
        "|---|---|",
        "| `shop/old` | Old. |",
        "",
        "# de",
        "",
        "## back: What is said at the back",
        "",
        "| prompt | text |",
        "|---|---|",
        "| `shop/number` | Ihre Nummer. |",
    ]
    assert fsivr("prompts", "script", "--plain", "--language", "de").out == "de\tshop/number\tIhre Nummer.\n"


@needs_espeak
def test_missing_files_are_built_and_others_left(fsivr: Fsivr, shop: Path) -> None:
    recorded = shop / "sounds/en/shop/welcome.wav"
    write_sound(recorded, tone(440))
    before = recorded.read_bytes()
    ran = fsivr("prompts", "build")
    assert ran.code == 0
    assert "3 sound files built in shop/sounds" in ran.out
    assert f"set prompts_path to {shop / 'sounds'}" in ran.out
    assert recorded.read_bytes() == before
    assert fsivr("prompts", "check", "--language", "en").code == 0
    assert "0 sound files built" in fsivr("prompts", "build").out
    assert "1 sound file built" in fsivr("prompts", "build", "shop/welcome").out
    assert recorded.read_bytes() != before


def test_espeak_is_not_installed(fsivr: Fsivr, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    ran = fsivr("prompts", "build")
    assert ran == (1, "", "fsivr: espeak-ng is not installed; on Debian and Ubuntu: apt install espeak-ng\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("build", "shop/none"), "there is no prompt shop/none in shop/prompts.toml"),
        (("check", "--language", "fr"), "there is no text in fr in shop/prompts.toml: allowed is en, de"),
        (("check", "--catalogue", "none.toml"), "there is no catalogue of prompts none.toml"),
        (("check", "--dialplan", "none:dialplan"), "names no module"),
        (("chek",), "chek"),
        ((), "Missing command"),
    ],
)
def test_what_is_asked_for_wrongly(fsivr: Fsivr, shop: Path, arguments: tuple[str, ...], said: str) -> None:
    ran = fsivr("prompts", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


def test_the_sample_applications_speak(fsivr: Fsivr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    ran = fsivr("prompts", "check")
    assert ran.code == 0, ran.out
    # What callers left in their boxes is played too, and is in no catalogue.
    *remarks, last = ran.out.splitlines()
    assert last.endswith(": 0 faults, 2 remarks")
    assert all(one.startswith("remark apps/voicemail.py:") for one in remarks)
