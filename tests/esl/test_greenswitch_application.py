"""An application class written for greenswitch stands in the dialplan table, unchanged."""

from __future__ import annotations

import logging
from typing import Any

import gevent
import pytest
from greenswitch.esl import NotConnectedError, OutboundSessionHasGoneAway

from fsivr import Dialplan, Extension, HangupCause
from tests.leaks import until


class MyApplication:
    """The example of greenswitch's own README, with shorter sleeps and a record of what it saw."""

    seen: list[Any] = []  # noqa: RUF012

    def __init__(self, session):
        self.session = session

    def run(self):
        try:
            self.handle_call()
        except:  # noqa: E722
            logging.exception("Exception raised when handling call")
            self.session.stop()

    def handle_call(self):
        self.session.myevents()
        self.session.linger()
        self.session.answer()
        gevent.sleep(0.01)
        self.session.playback("ivr/ivr-welcome")
        digit = self.session.play_and_get_digits(
            "1",
            "1",
            "3",
            "5000",
            "#",
            "conference/conf-pin.wav",
            "invalid.wav",
            "test",
            r"\d",
            "1000",
            "''",
            block=True,
            response_timeout=5,
        )
        self.seen.append(digit)
        self.session.playback("local_stream://default", block=False)
        gevent.sleep(0.02)
        self.session.uuid_break()
        self.session.hangup()
        self.session.stop()


@pytest.fixture(autouse=True)
def fresh():
    MyApplication.seen = []


def test_the_readmes_application(switch, caplog):
    with switch.call(handler=MyApplication) as caller:
        caller.join()
    assert "Exception raised" not in caplog.text
    assert caller.answered
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_what_the_caller_keys_comes_back(switch, caplog):
    with switch.call(handler=MyApplication) as caller:
        caller.waits(1.5)
        caller.dials("7")
        caller.join()
    assert MyApplication.seen == ["7"]
    assert "Exception raised" not in caplog.text


def test_a_caller_who_leaves(switch):
    raised = []

    class Application(MyApplication):
        def handle_call(self):
            self.session.answer()
            try:
                self.session.playback("ivr/ivr-welcome")
            except OutboundSessionHasGoneAway as error:
                raised.append(error)
                self.session.raise_if_disconnected()

    with switch.call(handler=Application) as caller:
        caller.waits(0.5)
        caller.hangs_up()
    assert until(lambda: raised)


class EveryMethod(MyApplication):
    """All that an application can call, with greenswitch's arguments."""

    def handle_call(self):
        session, seen = self.session, self.seen
        seen.append(session.connect() is not None)
        session.register_handle("CHANNEL_EXECUTE_COMPLETE", self.on_complete)
        session.register_handle("DTMF", self.on_digit)
        session.register_handle("*", lambda event: None)
        session.myevents()
        session.linger(timeout=5)
        seen.append(session.answer())
        seen.append(session.uuid == session.session_data["Unique-ID"])
        seen.append(session.session_data.get("Caller-Destination-Number"))
        seen.append(session.caller_id_number)
        with session.while_connected():
            session.playback("one.wav")

        @session.while_connected()
        def say():
            return session.say(text="42", block=True)

        say()
        ended = session.call_command("sleep", "100", block=True)
        seen.append(ended.headers["Application"])
        self.leave()

    def leave(self):
        session, seen = self.session, self.seen
        session.bridge("user/agent", block=True)
        seen.append(session.call_command("set", "note=text", block=True).headers["Application-Response"])
        seen.append(session.send("api uuid_getvar %s note" % session.uuid).data)  # noqa: UP031
        session.unregister_handle("DTMF", self.on_digit)
        session.raise_if_disconnected()
        session.hangup("USER_BUSY")
        session.stop()
        try:
            session.send("api status")
        except NotConnectedError:
            seen.append("not connected")
        try:
            session.raise_if_disconnected()
        except OutboundSessionHasGoneAway:
            seen.append("gone away")

    ended: list[str] = []  # noqa: RUF012

    def on_complete(self, event):
        self.ended.append(event.headers["Application"])

    def on_digit(self, event):
        self.seen.append(event.headers["DTMF-Digit"])


def test_every_method(switch, caplog):
    EveryMethod.ended = []
    switch.answers("user/agent", after=1, talks=2)
    dialplan = Dialplan([Extension("4711", EveryMethod)])
    with switch.call("4711", dialplan=dialplan, caller_number="1234") as caller:
        caller.join()
    assert "Exception raised" not in caplog.text, caplog.text
    assert EveryMethod.seen == [
        True,
        "+OK",
        True,
        "4711",
        "1234",
        "sleep",
        "_none_",
        "text",
        "not connected",
        "gone away",
    ]
    assert EveryMethod.ended[:4] == ["answer", "playback", "say", "sleep"]
    assert "bridge" in EveryMethod.ended
    assert caller.hangup_cause is HangupCause.USER_BUSY


def test_a_timeout_of_its_own_is_gevents(switch):
    """``response_timeout`` raises gevent.Timeout, as in greenswitch."""
    raised = []

    class Application(MyApplication):
        def handle_call(self):
            try:
                self.session.call_command("sleep", "600000", block=True, response_timeout=0.05)
            except gevent.Timeout as error:
                raised.append(error)
            self.session.hangup()

    with switch.call(handler=Application) as caller:
        assert until(lambda: raised)  # the switch's clock stands still: it is not the sleep that ended
        caller.join()
    assert len(raised) == 1


def test_without_a_stop_the_dialplan_goes_on(switch):
    """As greenswitch's server does when run returns: it stops the session, and the call is the switch's again."""

    class Application(MyApplication):
        def run(self):
            self.session.answer()

    with switch.call(handler=Application, after=[("hangup", "USER_BUSY")]) as caller:
        caller.join()
    assert caller.hangup_cause is HangupCause.USER_BUSY


def test_an_application_that_raises(switch, caplog):
    class Application(MyApplication):
        def run(self):
            self.session.answer()
            raise ValueError("on purpose")

    with switch.call(handler=Application) as caller:
        caller.join()
    assert caller.hangup_cause is HangupCause.NORMAL_TEMPORARY_FAILURE
    assert "on purpose" in caplog.text


def test_digits_arrive_as_events(switch):
    class Application(MyApplication):
        def handle_call(self):
            self.session.register_handle("DTMF", lambda event: self.seen.append(event.headers["DTMF-Digit"]))
            self.session.myevents()
            self.session.answer()
            self.session.playback("one.wav")
            self.session.hangup()

    with switch.call(handler=Application) as caller:
        caller.waits(0.5)
        caller.dials("4#")
        caller.join()
    assert until(lambda: MyApplication.seen == ["4", "#"])


def test_prompts_of_an_old_application_can_be_heard(switch):
    class Application(MyApplication):
        def handle_call(self):
            self.session.answer()
            self.session.playback("bank/welcome.wav")
            self.session.playback("bank/menu.wav")
            self.session.hangup()

    with switch.call(handler=Application) as caller:
        caller.hears("bank/welcome", "bank/menu")
    assert caller.over
