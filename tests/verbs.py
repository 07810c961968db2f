"""Every verb of a call, as a handler would use it: what the fault matrix is held against.

A test sees to it that no verb of ``Call`` is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent

from fsivr import Call, Handler, HangupCause, Uninterrupted
from fsivr.simulator import Caller


@dataclass(frozen=True)
class Verb:
    """A verb in use.

    :param run: what a handler does.
    :param meanwhile: what the caller does so that it comes to its end.
    :param brief: it asks something of the switch and runs no application, which could be in its middle.
    :param quick: its application is over in 20 ms.
    :param last: it ends the call for the handler.
    :param ends_with: the cause that the call ends with after it.
    :param survives: faults after which it returns instead of raising ``Hangup``.
    :param goes_on: where the server is gone, the switch goes on with it until the caller leaves.
    :param setup: what the world around the switch is like.
    """

    run: Callable[[Call], Any]
    meanwhile: Callable[[Caller], Any] = lambda caller: None
    brief: bool = False
    quick: bool = False
    last: bool = False
    ends_with: HangupCause = HangupCause.NORMAL_CLEARING
    goes_on: bool = False
    survives: tuple[str, ...] = ()
    setup: Callable[[Any], Any] = lambda switch: None


class Playing(Handler):
    """What another handler hands a call to."""

    def run(self, call: Call) -> None:
        call.play("one")


def _dials_after(keys: str, *prompts: str) -> Callable[[Caller], None]:
    def act(caller: Caller) -> None:
        caller.hears(*prompts)
        caller.dials(keys)

    return act


def _says_yes(caller: Caller) -> None:
    caller.waits(5)
    caller.says("yes")


def _recorded(call: Call) -> None:
    with call.recording(stereo=True) as recording, recording.masked():
        call.play("one", "two")


def _agents(switch: Any, queue: str) -> None:
    switch.agents(queue, count=50, after=1, talks=30)


def _to_music(call: Call) -> None:
    with call.music("hold"):
        call.play("one", "two")


def _within_deadline(call: Call) -> None:
    with call.deadline(60):
        call.play("one")


def _interruptible(call: Call) -> None:
    with call.interruptible():
        call.play("one")
        gevent.sleep(0.01)


VERBS: dict[str, Verb] = {
    "answer": Verb(lambda call: call.answer(), quick=True),
    "play one": Verb(lambda call: call.play("one")),
    "play several": Verb(lambda call: call.play("one", "two", 3, "four")),
    "ask": Verb(lambda call: call.ask("one", digits=4), _dials_after("1234", "one")),
    "menu": Verb(lambda call: call.menu(["one", "two"], {"1": 1, "22": 2}), _dials_after("1#", "one", "two")),
    "sleep": Verb(lambda call: call.sleep(30)),
    "set variable": Verb(lambda call: call.variables.__setitem__("note", "text"), brief=True),
    "hangup": Verb(
        lambda call: call.hangup(HangupCause.USER_BUSY), brief=True, last=True, ends_with=HangupCause.USER_BUSY
    ),
    "execute": Verb(lambda call: call.execute("playback", "one.wav")),
    "invoke": Verb(lambda call: call.invoke(Playing)),
    # -- time
    "deadline": Verb(_within_deadline),
    "interruptible": Verb(_interruptible),
    # -- input
    "ask sensitive": Verb(lambda call: call.ask("one", digits=4, sensitive=True), _dials_after("1234", "one")),
    "ask typed ahead": Verb(
        lambda call: (setattr(call, "type_ahead", True), call.ask("one", 3, digits=4)), _dials_after("1234", "one", 3)
    ),
    "confirm": Verb(lambda call: call.confirm(Uninterrupted("one"), "two"), _dials_after("1#", "one", "two")),
    "play interrupt": Verb(lambda call: call.play("one", "two", 3, interrupt="any")),
    "music": Verb(_to_music, goes_on=True),
    "flush": Verb(lambda call: (call.flush(), call.sleep(1))),
    "on digit": Verb(lambda call: (call.on_digit(len), call.play("one"))),
    # -- speech
    "listen": Verb(lambda call: call.listen("one"), _says_yes),
    "listen for long": Verb(
        lambda call: call.listen("one", 2, "three", engine="unimrcp:main", timeout=20, limit=30), _says_yes
    ),
    "detect machine": Verb(lambda call: call.detect_machine()),
    "detect machine and beep": Verb(lambda call: call.detect_machine(beep=True)),
    # -- recording
    # It returns what was recorded before the caller hung up: the next verb raises.
    "record": Verb(lambda call: (call.record(limit=3, silence=None, beep=False), call.play("one"))),
    "recording": Verb(_recorded),
    "consent": Verb(lambda call: call.consent("one", accept="1", decline="2"), _dials_after("1", "one")),
    # -- other legs
    "bridge": Verb(
        lambda call: call.bridge("user/agent"), setup=lambda switch: switch.answers("user/agent", after=1, talks=30)
    ),
    "bridge several": Verb(
        lambda call: call.bridge(["user/agent", "user/other"], ringback="music", whisper="for-you"),
        setup=lambda switch: switch.no_answer("user/other"),
    ),
    "bridge in order": Verb(
        lambda call: call.bridge(["user/other", "user/agent"], in_order=True, caller_id="4930"),
    ),
    "bridge with a key": Verb(lambda call: call.bridge("user/agent", confirm="press-1", confirm_timeout=30)),
    "transfer": Verb(
        lambda call: call.transfer("sales"),
        brief=True,
        last=True,
        ends_with=HangupCause.BLIND_TRANSFER,
        setup=lambda switch: switch.extensions.update(sales=[("sleep", "30000")]),
    ),
    # -- rooms
    "conference": Verb(lambda call: call.conference("sales")),
    "queue": Verb(lambda call: call.queue("support"), setup=lambda switch: _agents(switch, "support")),
    "callcenter queue": Verb(
        lambda call: call.queue("support@x", kind="callcenter", timeout=60),
        setup=lambda switch: _agents(switch, "support@x"),
    ),
    "serve queue": Verb(lambda call: call.serve_queue("nobody", wait=False), quick=True),
    "park": Verb(lambda call: call.park("main", timeout=40)),
    "unpark": Verb(lambda call: call.unpark("empty", 701), quick=True),
    # -- outbound
    "originate": Verb(
        lambda call: call.switch.originate("user/patient", type(call.handlers[0])),
        survives=("body cut short",),
        setup=lambda switch: switch.no_answer("user/patient"),
    ),
}
