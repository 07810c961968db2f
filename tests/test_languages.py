"""Prompts in several languages: which file is played, and how a test speaks of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from fsivr import File, Handler, Say
from fsivr.prompts import Prompt, PromptLibrary
from fsivr.server import Server
from fsivr.settings import Settings
from fsivr.simulator import Switch


def _files(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return str(folder)


def _found(library: PromptLibrary, names: Iterable[str]) -> list[str]:
    return [library.file(File(name)).removeprefix(library.path + "/") for name in names]


def test_a_file_is_looked_for_by_language(tmp_path: Path) -> None:
    path = _files(tmp_path, "pt_BR/a.wav", "pt/a.wav", "en/a.wav", "pt/b.wav", "en/b.wav", "en/c.wav", "d.wav")
    library = PromptLibrary(path, language="pt_BR", fallback_languages=("pt", "en"))
    assert _found(library, "abcde") == ["pt_BR/a.wav", "pt/b.wav", "en/c.wav", "d.wav", "e.wav"]
    assert _found(library.in_language("en"), "abc") == ["en/a.wav", "en/b.wav", "en/c.wav"]
    assert _found(library.in_language("fr"), "abc") == ["pt/a.wav", "pt/b.wav", "en/c.wav"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    path = _files(tmp_path, "en/a.wav/b.wav")
    assert PromptLibrary(path).file(File("a")) == f"{path}/a.wav"


def test_a_name_from_the_root_has_no_language(tmp_path: Path) -> None:
    path = _files(tmp_path, "en/a.wav")
    assert PromptLibrary(path).file(File("/a")) == "/a.wav"


def test_where_there_is_no_folder_here_the_switch_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _files(tmp_path, "sounds/en/a.wav", "en/a.wav")
    # A relative path starts from the switch's sound_prefix, whatever there is here.
    assert PromptLibrary("sounds").file(File("a")) == "sounds/a.wav"
    assert PromptLibrary().file(File("a")) == "a.wav"
    assert PromptLibrary("/nowhere/sounds").file(File("a")) == "/nowhere/sounds/a.wav"


def test_a_file_that_comes_later_is_found(tmp_path: Path) -> None:
    library = PromptLibrary(str(tmp_path))
    assert library.steps(["a"])[0][1][1] == f"{tmp_path}/a.wav"
    _files(tmp_path, "en/a.wav")
    assert library.steps(["a"])[0][1][1] == f"{tmp_path}/en/a.wav"


@pytest.mark.parametrize("language", ["", "e", "english", "en GB", "en\n", "../en", "${x}", None, 7])
def test_what_is_no_language(language: Any) -> None:
    with pytest.raises(ValueError, match="a language is written as"):
        PromptLibrary().in_language(language)


def test_files_are_read_back_by_name(tmp_path: Path) -> None:
    path = _files(tmp_path, "en/a/b.wav", "de/a/b.wav", "en/en/c.wav", "vip/d.wav")
    library = PromptLibrary(path, language="de", fallback_languages=("en",))
    for name in ("a/b", "en/c", "vip/d", "x"):
        assert library.read(*library.application(File(name))) == [File(name)]
    # One that only exists as en/x below the path itself is called by its whole name.
    assert library.read("playback", f"{path}/en/x.wav") == [File("en/x")]


@pytest.mark.parametrize("one", [File("a/b"), Say.number(3), Say.spelled("a b")])
def test_a_prompt_is_known_in_each_language(tmp_path: Path, one: Prompt) -> None:
    path = _files(tmp_path, "en/a/b.wav", "de/a/b.wav", "fr/a/c.wav")
    library = PromptLibrary(path)
    for language in ("en", "de"):
        assert library.plays(*library.in_language(language).application(one), one)
    assert not library.plays("playback", f"{path}/fr/a/b.wav", one)
    assert not library.plays("say", "en NUMBER PRONOUNCED 4", one)
    assert not library.plays("playback", f"{path}/en/a/c.wav", one)


class _Chooses(Handler):
    def run(self, call: Any) -> None:
        call.answer()
        assert call.language == "en"
        call.language = call.menu("choose", {"1": "en", "2": "de"})
        call.play("welcome", 3)
        call.ask("only-english", digits=1, tries=1)


def test_a_call_changes_its_language(tmp_path: Path, switch: Any) -> None:
    path = _files(tmp_path, "en/choose.wav", "en/welcome.wav", "de/welcome.wav", "en/only-english.wav")
    settings = Settings.defaults(listen="127.0.0.1:0", prompts_path=path, fallback_languages=["en"])
    from fsivr import Dialplan, Extension

    server = Server(Dialplan([Extension("1", _Chooses)]), settings)
    server.start()
    try:
        library = PromptLibrary(path, fallback_languages=("en",))
        with Switch(server.address, library=library).call("1") as caller:
            caller.hears("choose")
            caller.dials("2")
            caller.hears("welcome", 3, "only-english")
            caller.hangs_up()
    finally:
        server.stop()
    told = "\n".join(map(str, caller.transcript))
    assert "'de/welcome'" in told
    assert "'only-english'" in told


def test_a_call_refuses_what_is_no_language(switch: Any) -> None:
    refused = []

    class Wrong(Handler):
        def run(self, call: Any) -> None:
            call.answer()
            try:
                call.language = "${x}"
            except ValueError as error:
                refused.append(str(error))

    with switch.call(handler=Wrong):
        pass
    assert refused == ["a language is written as 'en' or 'pt_BR', not '${x}'"]
