"""Calls that a handler places, whole: the caller's, the one that is placed, and what is left of either."""

from __future__ import annotations

import logging
from typing import Any

import gevent
import pytest

from fsivr import (
    AuthenticationError,
    Call,
    CommandRefused,
    ConfigError,
    ConnectionLost,
    DeadlineExceeded,
    Dialplan,
    DialResult,
    Extension,
    Handler,
    Hangup,
    HangupCause,
)
from fsivr.dialplan import handler_name
from fsivr.simulator.originating import originate
from tests.call.conversations import HOSTILE
from tests.leaks import until


class Reminder(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        call.play("reminder/tomorrow")


def dials(run: Any) -> Dialplan:
    """A dialplan whose one extension runs a function, and whose placed calls are Reminder's."""
    placing = type("Placing", (Handler,), {"run": lambda self, call: run(call)})
    return Dialplan([Extension(".*", placing)], outbound=[Reminder])


def test_a_handler_places_a_call_while_its_caller_waits(switch: Any) -> None:
    got: list[Any] = []

    def run(call: Call) -> None:
        call.answer()
        got.append(call.switch.originate("user/1000", Reminder, timeout=20))
        call.play("office/told")

    with switch.phone("user/1000", answers_after=3) as phone, switch.call(dialplan=dials(run)) as caller:
        caller.hears("office/told")
        phone.hears("reminder/tomorrow")
    assert got[0].result is DialResult.ANSWERED
    assert got[0].uuid == phone.uuid
    assert switch.clock.now() >= 3


def test_a_caller_who_leaves_ends_the_ringing(switch: Any) -> None:
    ended: list[Any] = []

    class Waits(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            call.switch.originate("user/1000", Reminder, timeout=60)

        def on_hangup(self, call: Call) -> None:
            ended.append(call.hangup_cause)

    plan = Dialplan([Extension(".*", Waits)], outbound=[Reminder])
    with switch.phone("user/1000", answers_after=None) as phone:
        with switch.call(dialplan=plan) as caller:
            phone.rings()
            caller.hangs_up()
        phone.join()
    assert ended == [HangupCause.NORMAL_CLEARING]
    assert phone.hangup_cause is HangupCause.ORIGINATOR_CANCEL
    assert not phone.answered
    assert until(lambda: switch.sleeping == 0)


def test_a_deadline_ends_the_ringing(switch: Any) -> None:
    got: list[BaseException] = []

    def run(call: Call) -> None:
        call.answer()
        try:
            with call.deadline(0.1):
                call.switch.originate("user/1000", Reminder, timeout=60)
        except DeadlineExceeded as error:
            got.append(error)

    with switch.phone("user/1000", answers_after=None) as phone, switch.call(dialplan=dials(run)) as caller:
        phone.rings()
        assert until(lambda: got)
        phone.join()
        caller.join()
    assert phone.hangup_cause is HangupCause.ORIGINATOR_CANCEL


def test_a_callback_once_the_caller_has_left(switch: Any) -> None:
    class Callback(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            call.play("office/we-call-you-back")

        def on_hangup(self, call: Call) -> None:
            gevent.spawn(call.switch.shared.originate, f"user/{call.caller}", Reminder)

    plan = Dialplan([Extension(".*", Callback)], outbound=[Reminder])
    with switch.phone("user/1001") as phone:
        with switch.call(dialplan=plan, caller_number="1001") as caller:
            caller.hears("office/we-call-you-back")
            caller.hangs_up()
        phone.hears("reminder/tomorrow")


def test_an_order_of_a_call_that_is_over_raises_hangup(switch: Any) -> None:
    raised: list[BaseException] = []

    class Late(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            call.hangup()

        def on_hangup(self, call: Call) -> None:
            for order in (
                lambda: call.switch.originate("user/1000", Reminder),
                lambda: next(call.switch.dial_many(["user/1000"], Reminder)),
                lambda: call.switch.api("status"),
            ):
                try:
                    order()
                except Hangup as hangup:
                    raised.append(hangup)

    with switch.call(handler=Late):
        pass
    assert until(lambda: len(raised) == 3)
    assert switch.session_count == 1


def test_the_api_of_the_switch(switch: Any) -> None:
    got: list[Any] = []

    def run(call: Call) -> None:
        got.append(call.switch.api("hostname"))
        try:
            call.switch.api("nosuch")
        except CommandRefused as error:
            got.append(str(error))

    with switch.call(dialplan=dials(run)):
        pass
    assert got == ["simulator", "the switch refused 'nosuch': -ERR nosuch Command not found!"]


def test_a_call_without_a_switch() -> None:
    class Silent:
        uuid = "1"

        def post(self, command: str, argument: str = "") -> None:
            pass

    with pytest.raises(ConfigError, match="switch_address and switch_password"):
        _ = Call(Silent()).switch  # type: ignore[arg-type]


# -- which handler ------------------------------------------------------------------------------------------


def test_a_handler_that_the_server_does_not_have(switch: Any, caplog: Any) -> None:
    """As where another program places the call: the server looks the name up, and imports nothing."""
    server = switch._serve(Dialplan([Extension(".*", Reminder)]))
    where = f"127.0.0.1:{server.address[1]}"
    with switch.phone("user/1000", answers_after=0) as phone, caplog.at_level(logging.WARNING):
        order = f"{{fsivr_handler=os:system}}user/1000 '&socket({where} async full)'"
        placed = gevent.spawn(originate, switch, order)
        phone.join()
    assert placed.get().startswith("+OK")
    assert phone.hangup_cause is HangupCause.NO_ROUTE_DESTINATION
    assert "no handler 'os:system' in the dialplan" in caplog.text


def test_a_caller_cannot_choose_a_handler(switch: Any) -> None:
    reached: list[str] = []

    class Secret(Handler):
        def run(self, call: Call) -> None:
            reached.append("secret")

    plan = Dialplan([Extension("1000", Reminder)], outbound=[Secret])
    with switch.call("1000", dialplan=plan, variables={"fsivr_handler": handler_name(Secret)}) as caller:
        caller.hears("reminder/tomorrow")
    assert reached == []


def test_a_placed_call_that_names_no_handler_goes_through_the_dialplan(switch: Any) -> None:
    server = switch._serve(Dialplan([Extension("1000", Reminder)]))
    with switch.phone("user/1000", answers_after=0) as phone:
        gevent.spawn(originate, switch, f"user/1000 '&socket(127.0.0.1:{server.address[1]} async full)'")
        phone.hears("reminder/tomorrow")


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\0" not in text and text != "\ud800"], ids=ascii)
def test_text_for_the_handler_is_exact(switch: Any, text: str) -> None:
    if len(text) > 3000:
        with pytest.raises(ValueError, match="too long"):
            switch.originate("user/1000", Reminder, variables={"note": text})
        return
    read: list[str] = []

    class Reads(Handler):
        def run(self, call: Call) -> None:
            read.append(call.variables["note"])
            read.append(call.variables.fetch("note") or "")

    switch.answers("user/1000")
    assert switch.originate("user/1000", Reads, variables={"note": text}).answered
    switch.callers[0].join()
    assert read == [text, text]


def test_a_placed_call_that_is_transferred_goes_through_the_dialplan(switch: Any) -> None:
    class Passes(Handler):
        def run(self, call: Call) -> None:
            call.play("office/one-moment")
            call.execute("transfer", "5000")
            call.sleep(60)

    plan = Dialplan([Extension("5000", Reminder)], outbound=[Passes])
    server = switch._serve(plan)
    switch.extensions["5000"] = [("socket", f"127.0.0.1:{server.address[1]} async full")]
    with switch.phone("user/1000") as phone:
        switch.originate("user/1000", Passes, dialplan=plan, variables={"note": "it's"})
        phone.hears("office/one-moment", "reminder/tomorrow")


# -- the switch's side ------------------------------------------------------------------------------------------


def test_a_wrong_password(switch: Any) -> None:
    switch.inbound.password = "another"
    with pytest.raises(AuthenticationError):
        switch.originate("user/1000", Reminder)


def test_an_address_that_may_not(switch: Any) -> None:
    switch.inbound.denies = True
    with pytest.raises(AuthenticationError, match="access list"):
        switch.originate("user/1000", Reminder)


def test_a_switch_that_is_gone_for_a_while(switch: Any) -> None:
    switch.answers("user/1000", talks=1)
    assert switch.originate("user/1000", Reminder).answered
    switch.inbound.stop()
    with pytest.raises(ConnectionLost):
        switch.originate("user/1000", Reminder)
    switch.inbound.start()
    assert switch.originate("user/1000", Reminder).answered
    for phone in switch.callers:
        phone.join()
