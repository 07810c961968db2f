"""What is typed: keys of a terminal, lines of a pipe, nothing at all."""

from __future__ import annotations

import os
import pty
import termios

import pytest

from fsivr.cli import keyboard as module
from fsivr.cli.keyboard import Keyboard


@pytest.fixture
def typed(monkeypatch):
    """Standard input, to be written to."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "r") as stream, os.fdopen(writing, "wb", buffering=0) as keys:
        monkeypatch.setattr("sys.stdin", stream)
        yield keys


@pytest.fixture
def terminal(monkeypatch):
    """A terminal as standard input; what somebody types goes to the other end, which is given."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stream, os.fdopen(ours, "r+b", buffering=0) as keys:
        monkeypatch.setattr("sys.stdin", stream)
        monkeypatch.setattr(module, "_is_in_front", lambda fd: True)
        yield keys


def test_a_pipe_gives_what_is_there_and_then_its_end(typed) -> None:
    with Keyboard() as keyboard:
        assert not keyboard.is_terminal
        assert keyboard.read(0) == ""
        typed.write(b"12#\n")
        assert keyboard.read(5) == "12#\n"
        assert not keyboard.at_end
        typed.close()
        assert keyboard.read(5) == ""
        assert keyboard.at_end


def test_a_terminal_gives_each_key_and_does_not_show_it(terminal) -> None:
    descriptor = terminal.fileno()
    before = termios.tcgetattr(descriptor)
    with Keyboard() as keyboard:
        assert keyboard.is_terminal
        assert not termios.tcgetattr(descriptor)[3] & (termios.ECHO | termios.ICANON)
        # Ctrl-C stays a signal.
        assert termios.tcgetattr(descriptor)[3] & termios.ISIG
        terminal.write(b"1")
        assert keyboard.read(5) == "1"
    assert termios.tcgetattr(descriptor) == before


def test_a_terminal_is_put_back_after_an_error(terminal) -> None:
    before = termios.tcgetattr(terminal.fileno())
    with pytest.raises(ZeroDivisionError), Keyboard():
        raise ZeroDivisionError
    assert termios.tcgetattr(terminal.fileno()) == before


def test_lines_of_a_terminal_stay_lines(terminal) -> None:
    before = termios.tcgetattr(terminal.fileno())
    with Keyboard(single_keys=False):
        assert termios.tcgetattr(terminal.fileno()) == before


def test_a_terminal_that_is_not_ours_to_read_is_left_alone(terminal, monkeypatch) -> None:
    monkeypatch.setattr(module, "_is_in_front", lambda fd: False)
    with Keyboard() as keyboard:
        assert (keyboard.is_terminal, keyboard.at_end, keyboard.read(0)) == (False, True, "")


@pytest.mark.parametrize("stream", [None, "closed", "without a file"])
def test_no_standard_input_is_at_its_end(monkeypatch, tmp_path, stream) -> None:
    if stream == "closed":
        stream = (tmp_path / "x").open("w")
        stream.close()
    elif stream:
        import io

        stream = io.StringIO()
    monkeypatch.setattr("sys.stdin", stream)
    with Keyboard() as keyboard:
        assert (keyboard.is_terminal, keyboard.at_end, keyboard.read(0)) == (False, True, "")


def test_dev_null_is_at_its_end(monkeypatch) -> None:
    with open(os.devnull) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        with Keyboard() as keyboard:
            assert keyboard.read(5) == ""
            assert keyboard.at_end
