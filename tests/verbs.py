"""Every verb of a call, as a handler would use it: what the fault matrix is held against.

A test sees to it that no verb of ``Call`` is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fsivr import Call, HangupCause, Uninterrupted


def _to_music(call: Call) -> None:
    with call.music("hold"):
        call.play("one", "two")


VERBS: dict[str, Callable[[Call], Any]] = {
    "answer": lambda call: call.answer(),
    "play one": lambda call: call.play("one"),
    "play several": lambda call: call.play("one", "two", 3, "four"),
    "ask": lambda call: call.ask("one", digits=4),
    "menu": lambda call: call.menu(["one", "two"], {"1": 1, "22": 2}),
    "bridge": lambda call: call.bridge("user/agent"),
    "sleep": lambda call: call.sleep(30),
    "set variable": lambda call: call.variables.__setitem__("note", "text"),
    "hangup": lambda call: call.hangup(HangupCause.USER_BUSY),
    # -- time
    # -- input
    "ask sensitive": lambda call: call.ask("one", digits=4, sensitive=True),
    "ask typed ahead": lambda call: (setattr(call, "type_ahead", True), call.ask("one", 3, digits=4)),
    "confirm": lambda call: call.confirm(Uninterrupted("one"), "two"),
    "play interrupt": lambda call: call.play("one", "two", 3, interrupt="any"),
    "music": lambda call: _to_music(call),
    "flush": lambda call: (call.flush(), call.sleep(1)),
    "on digit": lambda call: (call.on_digit(len), call.play("one")),
    # -- speech
    # -- recording
    # -- other legs
    # -- rooms
}

#: Those that ask something of the switch and run no application, which could be in its middle.
BRIEF = ("set variable", "hangup")
