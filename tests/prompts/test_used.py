"""Which prompts handlers play, as their source tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsivr.prompts.used import Uses, uses_in


def _read(folder: Path, source: str) -> Uses:
    path = folder / "source.py"
    path.write_text(source)
    return uses_in([path])


def _in_run(line: str) -> str:
    return f"class A(Handler):\n    LATER = 'class/constant'\n    def run(self, call):\n        {line}\n"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("call.play('a')", ["a"]),
        ("call.play('a', 'b', 3, Say.number(4), Silence(1), Speak('c'))", ["a", "b"]),
        ("call.ask('a', 'b', digits=4, pattern='x', terminator='y', no_input='c', no_match='d')", ["a", "b", "c", "d"]),
        ("call.menu('a', {'1': 'user/x'})", ["a"]),
        ("call.menu(['a', 'b'], {'1': 'user/x'}, no_match='c')", ["a", "b", "c"]),
        ("call.bridge('user/x', whisper='a')", ["a"]),
        ("call.bridge('user/x', confirm=['a', 'b'], ringback='c', confirm_key='1')", ["a", "b", "c"]),
        ("call.bridge('user/x')", []),
        ("call.conference('x', pin='1', pin_prompt='a', wrong_pin='b')", ["a", "b"]),
        ("call.queue('x', music='a', announce='b', kind='callcenter')", ["a", "b"]),
        ("call.park('x', music='a')", ["a"]),
        ("call.unpark('x', 7)", []),
        ("call.listen('a', 1, grammar='x', engine='y', no_input='b', no_match='c')", ["a", "b", "c"]),
        ("call.confirm('a', 'b', yes='c', no='d')", ["a", "b"]),
        ("call.play(Uninterrupted('a'), 'b', interrupt='any')", ["a", "b"]),
        ("call.ask(fsivr.Uninterrupted('a' if late else 'b'), digits=1)", ["a", "b"]),
        ("call.play(Uninterrupted(Say.number(3)))", []),
        ("call.menu(Uninterrupted('a'), {'1': 1})", ["a"]),
        ("with call.music('a'): pass", ["a"]),
        ("with call.music(Tone('b')): pass", []),
        ("self.call.play('a')", ["a"]),
        ("call.play('a' if late else 'b')", ["a", "b"]),
        ("call.play(given or 'a')", ["a"]),
        ("call.play(*['a', 'b'])", ["a", "b"]),
        ("call.play({1: 'a', 2: 'b'}[number])", ["a", "b"]),
        ("call.play(self.LATER)", ["class/constant"]),
        ("call.play(WELCOME)", ["module/constant"]),
        ("call.play(TABLE['x'])", ["table/1", "table/2"]),
        ("which = 'a'; call.play(which)", ["a"]),
        ("which = 'a'\n        which = 'b'\n        call.play(which)", ["a", "b"]),
        ("call.play(File('a'))", ["a"]),
        ("return [File('a')]", ["a"]),
        ("game.play('a')", []),
        ("play('a')", []),
        ("call.log('a')", []),
        ("call.play('no name at all')", []),
        ("call.play('/from/the/root')", []),
    ],
)
def test_what_a_verb_plays(tmp_path: Path, line: str, names: list[str]) -> None:
    source = "WELCOME = 'module/constant'\nTABLE: dict = {'x': 'table/1', 'y': 'table/2'}\n" + _in_run(line)
    assert sorted(_read(tmp_path, source).names) == names


def test_a_call_by_another_name(tmp_path: Path) -> None:
    uses = _read(
        tmp_path, "class A:\n    def run(self, c):\n        c.play('a')\n    def on_hangup(self, gone):\n        0\n"
    )
    assert list(uses.names) == ["a"]


def test_where_it_is_played(tmp_path: Path) -> None:
    uses = _read(tmp_path, _in_run("call.play('a')") + _in_run("call.play('a')"))
    assert [place.line for place in uses.names["a"]] == [4, 8]
    assert str(uses.names["a"][0]) == f"{tmp_path / 'source.py'}:4"


@pytest.mark.parametrize("line", ["call.play(f'day/{n}/x')", "call.play('day/' + n + '/x')"])
def test_names_that_are_put_together(tmp_path: Path, line: str) -> None:
    uses = _read(tmp_path, _in_run(line))
    assert uses.names == {}
    assert uses.user("day/1/x") == tmp_path / "source.py"
    assert uses.user("day/1/y") is None


@pytest.mark.parametrize("line", ["call.play(given)", "call.play(self.greeting())", "for x in y: call.play(x)"])
def test_what_the_source_does_not_tell_is_told(tmp_path: Path, line: str) -> None:
    assert [place.line for place in _read(tmp_path, _in_run(line)).unknown] == [4]


def test_a_parameter_is_not_the_constant_of_its_name(tmp_path: Path) -> None:
    uses = _read(tmp_path, "which = 'a'\ndef say(call, which):\n    call.play(which)\n")
    assert uses.names == {}
    assert len(uses.unknown) == 1


def test_a_name_that_stands_for_itself_ends(tmp_path: Path) -> None:
    assert len(_read(tmp_path, _in_run("x = x; call.play(x)")).unknown) == 1


def test_any_text_may_be_a_prompt(tmp_path: Path) -> None:
    uses = _read(tmp_path, _in_run("return {'1': 'far/away'}"))
    assert uses.user("far/away") == tmp_path / "source.py"
    assert uses.user("nowhere") is None
