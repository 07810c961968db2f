"""Every verb of a call, as a handler would use it: what the fault matrix is held against.

A test sees to it that no verb of ``Call`` is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fsivr import Call, HangupCause

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
    # -- speech
    # -- recording
    # -- other legs
    # -- rooms
    "conference": lambda call: call.conference("sales"),
    "queue": lambda call: call.queue("support"),
    "callcenter queue": lambda call: call.queue("support@x", kind="callcenter", timeout=60),
    "serve queue": lambda call: call.serve_queue("nobody", wait=False),
    "park": lambda call: call.park("main", timeout=40),
    "unpark": lambda call: call.unpark("empty", 701),
}

#: Those that ask something of the switch and run no application, which could be in its middle.
BRIEF = ("set variable", "hangup")

#: Those that run an application which is over as soon as it has begun.
QUICK = ("answer", "serve queue", "unpark")
