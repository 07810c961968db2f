"""``fsivr new NAME``: a handler and its test, to start from."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

import click
from rich.text import Text

from fsivr.cli.output import console, program
from fsivr.errors import ConfigError

_HANDLER = '''"""{number}: say here what callers get."""

from fsivr import Handler


class {cls}(Handler):
    def run(self, call):
        call.answer()
        call.play("{name}/welcome")
        choice = call.menu("{name}/main-menu", {{"1": self.say_hours, "2": self.reach_person}})
        choice(call)

    def say_hours(self, call):
        call.play("{name}/hours")

    def reach_person(self, call):
        leg = call.bridge("user/{name}", timeout=20)
        if not leg.answered:
            call.play("{name}/nobody-is-here")
'''

_TEST = '''"""{number}, as its callers hear it."""

from fsivr import HangupCause

from apps.{name} import {cls}


def test_the_hours_are_told(switch):
    with switch.call("{number}", handler={cls}) as caller:
        caller.hears("{name}/welcome", "{name}/main-menu")
        caller.dials("1")
        caller.hears("{name}/hours")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_nobody_answers(switch):
    switch.no_answer("user/{name}")
    with switch.call("{number}", handler={cls}) as caller:
        caller.hears("{name}/welcome", "{name}/main-menu")
        caller.dials("2")
        caller.hears("{name}/nobody-is-here")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING
'''

_DIALPLAN = '''"""The applications, and the table that says which number reaches which."""

from fsivr import Dialplan, Extension

from apps.{name} import {cls}

dialplan = Dialplan([Extension({pattern}, {cls})])
'''

# Classes of these names would hide what the handler imports, or mean something else to pytest.
_TAKEN = {"Handler", "Test"}
_FIRST_NUMBER, _STEP = 4200, 100


@click.command(name="new")
@click.argument("name")
@click.option("--number", metavar="NUMBER", help="The number that will reach it; a free one when left out.")
def command(name: str, number: str | None) -> None:
    """Write a handler and its test, to start from.

    They are apps/NAME.py and tests/apps/test_NAME.py. Nothing that is there already is touched.
    """
    names = {"name": _checked(name), "cls": _class_name(name), "number": _checked_number(number) or _free_number()}
    names["pattern"] = _as_pattern(names["number"])
    files = {f"apps/{name}.py": _HANDLER, f"tests/apps/test_{name}.py": _TEST}
    is_first = not Path("apps/__init__.py").exists()
    if is_first:
        files["apps/__init__.py"] = _DIALPLAN
    _write({Path(path): template.format(**names) for path, template in files.items()})
    for package in (Path("tests"), Path("tests/apps")):
        (package / "__init__.py").touch()
    _tell(list(files), names, is_first)


def _checked(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) or keyword.iskeyword(name):
        near = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")[:40]
        usable = re.fullmatch(r"[a-z][a-z0-9_]*", near) and not keyword.iskeyword(near) and near != name
        advice = f"; try {near}" if usable else ""
        raise ConfigError(f"a name has small letters, digits and _, as opening_hours, not {name!r}{advice}")
    if _class_name(name) in _TAKEN:
        raise ConfigError(f"the name {name} would hide another class; choose one that says what callers get")
    return name


def _class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _checked_number(number: str | None) -> str | None:
    if number is not None and not re.fullmatch(r"[0-9*#+]{1,32}", number, re.ASCII):
        raise ConfigError(f"a number has digits and * # +, as 4200, not {number!r}")
    return None if number is None else number


def _as_pattern(number: str) -> str:
    """The number as an extension has it, in Python's text: ``*`` and ``+`` mean themselves."""
    escaped = re.sub(r"([*+])", r"\\\1", number)
    return f'"{number}"' if escaped == number else f'r"{escaped}"'


def _free_number() -> str:
    """A number that the dialplan here, if there is one, does not know."""
    from fsivr.config import load
    from fsivr.dialplan import load_dialplan

    number = _FIRST_NUMBER
    try:
        table = load_dialplan(load().dialplan)
    except ConfigError:
        return str(number)
    while table.match(str(number), "public", "") is not None and number < 10_000:
        number += _STEP
    return str(number)


def _write(files: dict[Path, str]) -> None:
    """Write every file, or none where one is there already."""
    for path in files:
        if path.exists():
            raise ConfigError(f"{path} is there already; nothing was written")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x") as file:
            file.write(text)


def _tell(written: list[str], names: dict[str, str], is_first: bool) -> None:
    screen = console()
    for path in written:
        screen.print(Text.assemble(("wrote ", "dim"), (path, "bold")))
    name, cls, number = names["name"], names["cls"], names["number"]
    if not is_first:
        screen.print("Put it into the dialplan, in apps/__init__.py:")
        screen.print(f"  from apps.{name} import {cls}", style="cyan")
        screen.print(f"  Extension({names['pattern']}, {cls}),", style="cyan")
    screen.print("Then:")
    screen.print(f"  {program('python')} -m pytest tests/apps/test_{name}.py", style="cyan")
    screen.print(f"  {program('fsivr')} call {number}", style="cyan")
