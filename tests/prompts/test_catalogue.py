"""The catalogue: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsivr.errors import ConfigError
from fsivr.prompts.catalogue import load_catalogue


def _written(folder: Path, text: str) -> Path:
    path = folder / "prompts.toml"
    path.write_text(text)
    return path


def test_texts_by_name_and_language(tmp_path: Path) -> None:
    path = _written(tmp_path, '["a/b"]\nen = """Two\n lines"""\nde = "Zwei"\n["music"]\n[c]\npt_BR = "Três"')
    catalogue = load_catalogue(path)
    assert list(catalogue.texts) == ["a/b", "music", "c"]
    assert catalogue.languages == ("en", "de", "pt_BR")
    assert catalogue.text("a/b", "en") == "Two lines"
    assert catalogue.text("c", "en") is None
    assert catalogue.text("nowhere", "en") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = [", "is not TOML"),
        ('["a b"]\nen = "x"', "a prompt's name has letters"),
        ('["../a"]\nen = "x"', "a prompt's name has letters"),
        ('["/a"]\nen = "x"', "starts from the root"),
        ('a = "x"', "should be a table"),
        ('[a]\nenglish = "x"', "a language is written as 'en' or 'pt_BR'"),
        ('[a]\n"../de" = "x"', "a language is written as 'en' or 'pt_BR'"),
        ("[a]\nen = 7", "'a' in en should be a text, not 7"),
        ('[a]\nen = " "', "'a' in en should be a text, not ' '"),
        ('[a]\nen = "x\\u0000y"', "'a' in en should be a text"),
        ("[a.b]\nen.x = 'y'", "'a' has a text in 'b'|'a' in b should be"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = _written(tmp_path, text)
    with pytest.raises(ConfigError, match=said) as raised:
        load_catalogue(path)
    assert str(path) in str(raised.value)


def test_every_fault_has_a_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load_catalogue(_written(tmp_path, '["a b"]\n[c]\nen = 1\nenglish = "x"'))
    assert len(str(raised.value).splitlines()) == 3


def test_a_catalogue_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no catalogue of prompts"):
        load_catalogue(tmp_path / "prompts.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_catalogue(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'[a]\nen = "\xe9"')
    with pytest.raises(ConfigError, match="is not TOML"):
        load_catalogue(tmp_path / "latin.toml")
