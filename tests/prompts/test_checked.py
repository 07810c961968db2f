"""What is found wrong with prompts, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsivr.prompts.catalogue import Catalogue
from fsivr.prompts.checked import Shelf, check
from fsivr.prompts.sound import Sound, write_sound
from fsivr.prompts.used import uses_in
from tests.prompts.test_sound import tone

TEXTS = {"a": {"en": "A.", "de": "Ah."}, "b": {"en": "B."}, "music": {}}
PLAYS = "call.play('a', 'b', 'music')"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "sounds")


def _found(
    shelf: Shelf,
    *files: str,
    source: str = PLAYS,
    languages: tuple[str, ...] = ("en",),
    fallbacks: tuple[str, ...] = (),
) -> list[tuple[bool, str]]:
    for file in files:
        write_sound(shelf.folder / file, tone(440, seconds=0.02))
    path = shelf.folder.parent / "source.py"
    path.write_text(source)
    catalogue = Catalogue(Path("prompts.toml"), TEXTS)
    found = check(catalogue, uses_in([path]), shelf, languages, fallbacks)
    where = str(shelf.folder.parent) + "/"
    return [(each.wrong, f"{each.language} {each.name} {each.what}".replace(where, "").strip()) for each in found]


EVERYTHING = ("en/a.wav", "en/b.wav", "music.wav")


def test_nothing_is_wrong(shelf: Shelf) -> None:
    assert _found(shelf, *EVERYTHING) == []


def test_a_file_is_missing(shelf: Shelf) -> None:
    assert _found(shelf, "en/a.wav", "music.wav") == [(True, "en b has no file sounds/en/b.wav")]


def test_a_sound_without_words_may_be_in_each_language(shelf: Shelf) -> None:
    assert _found(shelf, "en/a.wav", "en/b.wav", "en/music.wav") == []
    assert _found(shelf, languages=("de",))[-1] == (True, "de music has no file sounds/de/music.wav")


def test_a_prompt_is_not_in_the_catalogue(shelf: Shelf) -> None:
    assert _found(shelf, *EVERYTHING, "en/c.wav", source=PLAYS + "\ncall.play('c')") == [
        (True, "c is played at source.py:2 and is not in prompts.toml")
    ]
    assert _found(shelf, source=PLAYS + "\ncall.play('d')")[1] == (True, "en d has no file sounds/en/d.wav")


def test_a_language_is_not_whole(shelf: Shelf) -> None:
    assert _found(shelf, *EVERYTHING, "de/a.wav", languages=("en", "de")) == [
        (True, "de b has no text"),
        (True, "de b has no file sounds/de/b.wav"),
    ]


def test_a_fallback_is_told(shelf: Shelf) -> None:
    assert _found(shelf, *EVERYTHING, languages=("en", "de"), fallbacks=("en",)) == [
        (False, "de a has no file sounds/de/a.wav; it is heard in en"),
        (False, "de b has no text; it is heard in en"),
    ]


def test_no_handler_plays_it(shelf: Shelf) -> None:
    assert _found(shelf, *EVERYTHING, source="call.play('a', 'music')") == [
        (False, "b is in the catalogue, and no handler plays it")
    ]


def test_a_file_that_is_no_prompt(shelf: Shelf) -> None:
    assert _found(shelf, *EVERYTHING, "en/old/x.wav") == [
        (False, "en old/x is no prompt of the catalogue (sounds/en/old/x.wav)")
    ]


def test_a_sound_is_wrong(shelf: Shelf) -> None:
    write_sound(shelf.place("a", "en"), tone(440, rate=16000, peak=50))
    assert _found(shelf, "en/b.wav", "music.wav") == [
        (True, "en a has 16000 samples a second, not 8000 (sounds/en/a.wav)"),
        (True, "en a is silent (sounds/en/a.wav)"),
    ]


def test_names_that_are_put_together(shelf: Shelf) -> None:
    assert _found(
        shelf, *EVERYTHING, source=PLAYS + "\ncall.play(f'{x}usic')\ncall.play(f'day/{x}')\ncall.play(x)"
    ) == [
        (False, "source.py:4 plays a prompt that the source does not name"),
        (True, "source.py:3 plays prompts of a form that none in prompts.toml has"),
    ]


def test_names_with_an_extension_and_other_extensions(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, ".ulaw")
    assert shelf.place("v1.2/a", "en") == tmp_path / "en/v1.2/a.ulaw"
    assert shelf.place("a.wav", "en") == tmp_path / "en/a.wav"
    assert shelf.find("a.wav", "en") is None
    write_sound(tmp_path / "a.wav", Sound(8000, tone(440).samples))
    assert shelf.find("a.wav", "en") == tmp_path / "a.wav"
