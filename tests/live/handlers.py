"""Handlers whose calls a real switch makes; what came of each is in ``RESULTS``."""

from __future__ import annotations

from typing import Any

from fsivr import (
    Call,
    DeadlineExceeded,
    Dialplan,
    Extension,
    Handler,
    Hangup,
    HangupCause,
    PromptError,
    Silence,
    Tone,
)

RESULTS: dict[str, Any] = {}
SHORT = Tone("%(300,0,600)")


class Asks(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        RESULTS["asked"] = call.ask(SHORT, digits=4), call.menu(SHORT, {"1": "one", "2": "two"})
        RESULTS["secret"] = call.ask(SHORT, digits=8, sensitive=True)
        try:
            call.play("nowhere/no-such-file")
        except PromptError as error:
            RESULTS["missing"] = str(error)
        call.hangup(HangupCause.USER_BUSY)


class Records(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        with call.recording(stereo=True) as ongoing:
            call.play(Silence(1.0))
            with ongoing.masked():
                call.play(Silence(1.0))
            call.play(Silence(1.0))
        RESULTS["masked"] = ongoing.result
        RESULTS["message"] = call.record(limit=3, silence=None)


class RecordsOn(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        with call.recording() as ongoing:
            RESULTS["recording"] = ongoing.path
            call.play(Silence(20.0))


class Bridges(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        RESULTS["busy"] = call.bridge("loopback/busy/far", timeout=5)
        call.bridge("loopback/tone/far", timeout=5)


class Queues(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        RESULTS["queued"] = call.queue("live", timeout=4)
        call.play(SHORT)
        RESULTS["back from the queue"] = True


class Waits(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        RESULTS["stay"] = call.queue("served")
        call.play(SHORT)
        RESULTS["back from the talk"] = True


class Serves(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        RESULTS["leg"] = call.serve_queue("served", wait=False)


class Parks(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        RESULTS["parked"] = call.park("live", slot=701, timeout=4)
        call.play(SHORT)
        RESULTS["back from parking"] = True


class Meets(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        try:
            with call.deadline(3):
                call.conference("live")
        except DeadlineExceeded:
            call.play(SHORT)
            RESULTS["met"] = True


class Transfers(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        call.transfer("tone", context="far")


class Placed(Handler):
    def run(self, call: Call) -> None:
        RESULTS["placed"] = call.variables["order"]
        call.play(SHORT)


class Places(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        order = {"order": "a;b,c${x}|'q'"}
        RESULTS["dialled"] = call.switch.originate("loopback/tone/far", Placed, timeout=10, variables=order)
        RESULTS["refused"] = call.switch.originate("loopback/busy/far", Placed, timeout=10)


class Stays(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        RESULTS["there"] = call.uuid
        try:
            call.play(Silence(30.0))
        except Hangup as hangup:
            RESULTS["gone"] = hangup.cause
            raise


dialplan = Dialplan(
    [
        Extension("10", Asks),
        Extension("11", Records),
        Extension("12", RecordsOn),
        Extension("13", Bridges),
        Extension("14", Queues),
        Extension("15", Waits),
        Extension("16", Serves),
        Extension("17", Parks),
        Extension("18", Meets),
        Extension("19", Transfers),
        Extension("20", Places),
        Extension("21", Stays),
    ],
    outbound=[Placed],
)
