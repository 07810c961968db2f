"""A telephone in the terminal: what is heard is written, what is typed is dialled."""

from __future__ import annotations

import contextlib
import re
import signal
from collections import deque
from collections.abc import Iterable

import gevent
from rich.console import Console
from rich.text import Text

from fsivr.causes import HangupCause
from fsivr.cli.keyboard import Keyboard
from fsivr.cli.signals import interruptible, on_signals
from fsivr.simulator import Caller, CallFailed, Moment, Switch

_NOT_KEYS = re.compile(r"[^0-9*#A-D]")
_COLLECTING = ("play_and_get_digits", "read")
# What stands between two things that a question has to play, and is no pause.
_INAUDIBLE = "hears nothing: Silence(0.001)"

# How a person keys: after the prompt has begun, one key after the other.
_BEFORE_FIRST_KEY, _BETWEEN_KEYS = 0.6, 0.12
_LOOK = 0.5


class Paper:
    """Where a call is written down, moment by moment; keys that follow each other are one line."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._can_rewrite = screen.is_terminal and not screen.is_dumb_terminal
        self._keys = ""
        self._time = ""

    def write(self, moment: Moment) -> None:
        """Write what has happened in the call."""
        time, _, what = str(moment).partition("  ")
        if what.startswith("dials "):
            self._add_keys(time, what.removeprefix("dials "))
        elif what != _INAUDIBLE:
            self.end_line()
            self._print(time, what)

    def end_line(self) -> None:
        """See that the keys so far are written."""
        if self._keys and not self._can_rewrite:
            self._print(self._time, f"dials {self._keys}")
        self._keys = ""

    def _add_keys(self, time: str, keys: str) -> None:
        is_first = not self._keys
        if is_first:
            self._time = time
        self._keys += keys
        if self._can_rewrite:
            if not is_first:
                # The line of keys grows: it replaces the one before.
                self._screen.file.write("\x1b[1A\x1b[2K")
            self._print(self._time, f"dials {self._keys}")

    def _print(self, time: str, what: str) -> None:
        self._screen.print(Text.assemble((f"  {time}  ", "dim"), Text(what, style=_style(what))))


_STYLES = {
    "hears": "bold",
    "dials": "cyan",
    "hangs up": "cyan",
    f"the call ends: {HangupCause.NORMAL_CLEARING}": "green",
    "the call ends": "bold red",
}


def _style(what: str) -> str:
    return next((style for beginning, style in _STYLES.items() if what.startswith(beginning)), "dim")


class Telephone:
    """A telephone of a simulated switch.

    :param switch: whose clock should be the real one, where somebody listens.
    :param keys: what to dial by itself, each time the call waits for digits.
    """

    def __init__(self, switch: Switch, screen: Console, *, keys: Iterable[str] = ()) -> None:
        self._switch = switch
        self._screen = screen
        self._paper = Paper(screen)
        self._pending = deque(keys)
        self._asked = False
        self._waiting = False
        self._caller: Caller | None = None
        self._typing: gevent.Greenlet[..., None] | None = None

    def call(self, caller: Caller, *, keyboard: Keyboard | None = None) -> HangupCause | None:
        """How the call ended; None where nobody took it, or the other side left it alone.

        It blocks until then. Ctrl-C hangs up; once more it raises ``KeyboardInterrupt``,
        for a server that takes its time to let go of the call.
        """
        self._caller = caller
        caller.listen(self._on_moment)
        if keyboard is not None:
            self._typing = gevent.spawn(self._type, keyboard)
        try:
            with interruptible(signal.SIGINT), caller, on_signals(self._hang_up, signal.SIGINT):
                is_alone = self._wait(caller)
        finally:
            self._paper.end_line()
            self._stop_typing()
        return None if is_alone or not caller.line.was_open else caller.hangup_cause

    def _wait(self, caller: Caller) -> bool:
        """Wait for the end; whether the other side left without ending the call."""
        looks = 0
        while not caller.join(_LOOK):
            looks = looks + 1 if caller.line.was_open and not caller.line.open else 0
            if looks > 1:
                caller.hangs_up()
                return True
        return False

    def _stop_typing(self) -> None:
        if self._typing is not None:
            self._typing.kill(block=False)

    def _hang_up(self) -> None:
        assert self._caller is not None
        self._caller.hangs_up()

    # -- what is heard ------------------------------------------------------------------

    def _on_moment(self, moment: Moment) -> None:
        self._paper.write(moment)
        assert self._caller is not None
        if self._caller.hangup_cause is not None:
            # What is typed from here on is not for this call.
            self._stop_typing()
        if not moment.text.startswith("hears"):
            return
        if self._caller.variables.get("current_application") not in _COLLECTING:
            self._asked = self._waiting = False
        elif not (self._asked and moment.text.startswith("hears nothing")):
            self._asked = True
            self._on_question()

    def _on_question(self) -> None:
        self._waiting = not self._pending
        if self._pending:
            self._dial_slowly(self._pending.popleft())

    # -- what is dialled ----------------------------------------------------------------

    def _dial_slowly(self, keys: str) -> None:
        clock = self._switch.clock
        for place, key in enumerate(keys):
            when = clock.now() + _BEFORE_FIRST_KEY + place * _BETWEEN_KEYS
            clock.call_at(when, lambda key=key: self._dial(key))  # type: ignore[misc]

    def _dial(self, keys: str) -> None:
        assert self._caller is not None
        # It may have ended while the key was on its way.
        with contextlib.suppress(CallFailed):
            self._caller.dials(keys)

    def _type(self, keyboard: Keyboard) -> None:
        """Dial what is typed: keys from a terminal at once, lines when the call asks."""
        rest = ""
        while not keyboard.at_end:
            typed = keyboard.read()
            if keyboard.is_terminal:
                keys = _NOT_KEYS.sub("", typed.upper())
                if keys:
                    self._dial(keys)
                continue
            *lines, rest = (rest + typed).split("\n")
            for line in [*lines, rest] if keyboard.at_end else lines:
                self._add(_NOT_KEYS.sub("", line.upper()))

    def _add(self, keys: str) -> None:
        if keys and self._waiting:
            self._waiting = False
            self._dial(keys)
        elif keys:
            self._pending.append(keys)
