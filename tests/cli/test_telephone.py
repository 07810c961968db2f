"""The telephone: what it writes, and when it dials by itself."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from fsivr import Handler, HangupCause, NoInput, Say
from fsivr.cli.telephone import Paper, Telephone
from fsivr.simulator import Moment, Switch


class Questions(Handler):
    def run(self, call):
        call.answer()
        first = call.ask("first", digits=2, tries=2, no_match="again", pattern="[1-5]+")
        second = call.ask(Say.number(7), digits=(1, 4), tries=3)
        try:
            call.ask("third", digits=1, tries=2)
        except NoInput:
            call.play("goodbye", Say.digits(first + second))


@pytest.fixture
def paper() -> Console:
    """A screen that is no terminal."""
    return Console(file=io.StringIO(), width=1000, highlight=False)


def told(screen: Console) -> list[str]:
    """What was written, without the times."""
    assert isinstance(screen.file, io.StringIO)
    return [line.split("  ", 2)[2] for line in screen.file.getvalue().splitlines()]


def test_keys_are_dialled_at_each_question(switch, paper) -> None:
    telephone = Telephone(switch, paper, keys=["99", "12", "34#"])
    assert telephone.call(switch.call(handler=Questions)) is HangupCause.NORMAL_CLEARING
    assert told(paper) == [
        "the call is answered",
        "hears 'first'",
        "dials 99",
        "hears 'again'",
        "hears 'first'",
        "dials 12",
        "hears Say.number(7)",
        "dials 34#",
        "hears 'third'",
        "hears 'third'",
        "hears 'goodbye'",
        "hears Say.digits('1234')",
        "the call ends: NORMAL_CLEARING",
    ]


def test_without_keys_it_listens(switch, paper) -> None:
    assert Telephone(switch, paper).call(switch.call(handler=Questions)) is HangupCause.NORMAL_CLEARING
    assert told(paper) == [
        "the call is answered",
        "hears 'first'",
        "hears 'first'",
        "the call ends: NORMAL_CLEARING",
    ]


def test_a_server_that_is_not_there_is_no_end(switch, paper) -> None:
    caller = Switch(("127.0.0.1", 1), clock=switch.clock).call("4100")
    assert Telephone(switch, paper).call(caller) is None
    assert told(paper) == ["nobody listens at 127.0.0.1:1", "the call ends: NORMAL_CLEARING"]


def moments(*texts: str) -> list[Moment]:
    """Moments one second apart."""
    return [Moment(float(second), text) for second, text in enumerate(texts)]


def test_keys_in_a_row_are_one_line(paper) -> None:
    sheet = Paper(paper)
    for moment in moments("dials 1", "dials 2", "hears 'a'", "dials 3"):
        sheet.write(moment)
    sheet.end_line()
    assert told(paper) == ["dials 12", "hears 'a'", "dials 3"]


def test_on_a_terminal_the_line_of_keys_grows() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=80)
    sheet = Paper(screen)
    for moment in moments("dials 1", "dials 2", "hears 'a'", "dials 3"):
        sheet.write(moment)
    sheet.end_line()
    assert screen.file.getvalue() == (
        "  0:00.0  dials 1\n\x1b[1A\x1b[2K  0:00.0  dials 12\n  0:02.0  hears 'a'\n  0:03.0  dials 3\n"
    )


def test_what_cannot_be_heard_is_not_written(paper) -> None:
    sheet = Paper(paper)
    for moment in moments("hears nothing: Silence(0.001)", "hears nothing: Silence(2)"):
        sheet.write(moment)
    assert told(paper) == ["hears nothing: Silence(2)"]


def test_text_of_a_prompt_is_no_markup(paper) -> None:
    Paper(paper).write(Moment(0.0, "hears File('[bold]x')"))
    assert told(paper) == ["hears File('[bold]x')"]
