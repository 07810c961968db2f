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
    "bridge several": lambda call: call.bridge(["user/agent", "user/other"], ringback="music", whisper="for-you"),
    "bridge in order": lambda call: call.bridge(["user/other", "user/agent"], in_order=True, caller_id="4930"),
    "bridge with a key": lambda call: call.bridge("user/agent", confirm="press-1", confirm_timeout=30),
    "transfer": lambda call: call.transfer("sales"),
    # -- rooms
}

#: Those that ask something of the switch and run no application, which could be in its middle.
BRIEF = ("set variable", "hangup", "transfer")

#: Those that end the call for the handler, with the cause they end it with.
LAST = {"hangup": HangupCause.USER_BUSY, "transfer": HangupCause.BLIND_TRANSFER}
