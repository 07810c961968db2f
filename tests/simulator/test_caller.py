"""What a test can do with a call."""

from __future__ import annotations

import contextlib

import gevent
import pytest

from fsivr import HangupCause, Say
from fsivr.prompts import Silence
from fsivr.simulator import CallFailed, Unheard
from tests.simulator.app import App, Wire


def bank(wire: Wire) -> None:
    with contextlib.suppress(EOFError):  # a caller who leaves early
        _bank(wire)


def _bank(wire: Wire) -> None:
    wire.start()
    wire.execute("answer")
    wire.execute("playback", "bank/welcome.wav", lock=True)
    wire.execute(
        "play_and_get_digits",
        "1 6 1 5000 # file_string://bank/account.wav!bank/number.wav silence_stream://1 keyed \\S+ 2000",
        lock=True,
    )
    keyed = wire.done("play_and_get_digits").get("variable_keyed")
    wire.execute("say", f"en NUMBER ITERATED {keyed or 0}")
    wire.done("say")
    wire.send("sendmsg\ncall-command: hangup")
    wire.event("CHANNEL_HANGUP_COMPLETE")


def test_a_call_as_a_test_tells_it() -> None:
    with App(bank) as app, app.switch.call("4100") as caller:
        caller.hears("bank/welcome", "bank/account", "bank/number")
        caller.dials("1234#")
        caller.hears(Say.digits("1234"))
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING
    assert caller.over and caller.answered
    assert caller.transcript == [
        "0:00.0  the call is answered",
        "0:00.0  hears 'bank/welcome'",
        "0:01.0  hears 'bank/account'",
        "0:02.0  hears 'bank/number'",
        "0:03.0  dials 1234#",
        "0:03.1  hears Say.digits('1234')",
        "0:04.1  the call ends: NORMAL_CLEARING",
    ]


def test_a_prompt_that_was_not_expected_is_a_failure_that_tells_the_call() -> None:
    with App(bank) as app, app.switch.call("4100", caller_name="Édith") as caller:
        with pytest.raises(Unheard) as failure:
            caller.hears("bank/welcome", "bank/menu")
        caller.hangs_up()
    assert str(failure.value) == (
        "the caller expected to hear 'bank/menu', but heard 'bank/account'\n"
        "(it is number 2 of 'bank/welcome' and 'bank/menu')\n"
        "\n"
        "The call so far (4100, from 1000 'Édith'):\n"
        "  0:00.0  the call is answered\n"
        "  0:00.0  hears 'bank/welcome'\n"
        "> 0:01.0  hears 'bank/account'   <-- expected 'bank/menu'"
    )


def test_the_end_of_the_call_instead_of_a_prompt_is_a_failure() -> None:
    with App(bank) as app, app.switch.call("4100") as caller:
        caller.hears("bank/welcome", "bank/account", "bank/number")
        caller.dials("1#")
        caller.hears(Say.digits("1"))
        with pytest.raises(Unheard, match=r"expected to hear 'more', but the call ended \(NORMAL_CLEARING\)"):
            caller.hears("more")


def test_a_handler_that_falls_silent_is_a_failure() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        wire.execute("answer")
        wire.event("CHANNEL_HANGUP")

    with App(script) as app, app.switch.call("4100") as caller:
        app.switch.patience = 0.05
        with pytest.raises(Unheard, match=r"the handler did nothing for 0\.05 real seconds"):
            caller.hears("bank/welcome")
        caller.hangs_up()


def test_a_call_that_its_handler_does_not_end_is_a_failure() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        wire.execute("answer")
        wire.event("CHANNEL_HANGUP")

    with App(script) as app:
        app.switch.patience = 0.05
        with pytest.raises(CallFailed, match="the handler has not ended the call"), app.switch.call("4100") as caller:
            pass
        assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_the_error_of_the_test_is_not_hidden_by_the_end_of_the_call() -> None:
    with App(bank) as app, pytest.raises(ZeroDivisionError), app.switch.call("4100"):
        raise ZeroDivisionError


def test_keys_pressed_during_a_prompt_cut_it_short() -> None:
    with App(bank) as app, app.switch.call("4100") as caller:
        caller.hears("bank/welcome")
        caller.dials("12#", during="bank/account")
        caller.hears(Say.digits("12"))
    assert "hears 'bank/number'" not in "\n".join(caller.transcript)


def test_a_caller_may_leave_during_a_prompt() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        wire.execute("answer")
        wire.execute("playback", "bank/welcome.wav", lock=True, **{"Event-UUID": "p"})
        wire.execute("playback", "bank/more.wav", lock=True, **{"Event-UUID": "never"})
        assert wire.done("playback").get("Application-Response") == "PLAYBACK ERROR"
        wire.event("CHANNEL_HANGUP_COMPLETE")
        assert all(frame.get("Application-UUID") != "never" for frame in wire.frames)

    with App(script) as app, app.switch.call("4100") as caller:
        caller.hangs_up(during="bank/welcome")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_a_caller_who_leaves_before_the_answer_cancels() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        assert wire.event("CHANNEL_HANGUP").get("Hangup-Cause") == "ORIGINATOR_CANCEL"

    with App(script) as app, app.switch.call("4100") as caller:
        caller.waits(1)
        caller.hangs_up()
    assert caller.hangup_cause is HangupCause.ORIGINATOR_CANCEL


def test_nothing_more_is_heard() -> None:
    with App(bank) as app, app.switch.call("4100") as caller:
        caller.hears("bank/welcome", "bank/account", "bank/number")
        caller.dials("1234#")
        with pytest.raises(Unheard, match=r"expected to hear no more, but heard Say.digits\('1234'\)"):
            caller.hears_no_more()
        caller.hears(Say.digits("1234"))
        caller.hears_no_more()
        assert caller.over


def test_silence_is_heard_only_where_it_is_expected() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        for name in ("a.wav", "silence_stream://500", "b.wav", "silence_stream://500", "c.wav"):
            wire.execute("playback", name, lock=True)
        wire.send("sendmsg\ncall-command: hangup")
        wire.event("CHANNEL_HANGUP_COMPLETE")

    with App(script) as app, app.switch.call("4100") as caller:
        caller.hears("a", Silence(0.5), "b", "c")


def test_lengths_and_missing_files() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        wire.execute("playback", "long.wav")
        wire.done("playback")
        wire.execute("playback", "gone.wav")
        assert wire.done("playback").get("Application-Response") == "FILE NOT FOUND"
        wire.execute("play_and_get_digits", "1 1 1 5000 # gone.wav silence_stream://1 keyed \\d 2000")
        assert "variable_keyed" not in wire.done("play_and_get_digits").names
        wire.send("sendmsg\ncall-command: hangup")
        wire.event("CHANNEL_HANGUP_COMPLETE")

    with App(script) as app, app.switch.call("4100") as caller:
        app.switch.lasts("long", 90)
        app.switch.missing("gone")
        caller.hears("long")
        assert caller.transcript[-1].startswith("0:00.0  hears 'long'")
        before = app.switch.clock.now()
    assert before == pytest.approx(90, abs=0.1)
    assert app.switch.clock.now() < before + 1


def test_time_passes_while_the_caller_waits_and_not_otherwise() -> None:
    with App(bank) as app, app.switch.call("4100") as caller:
        gevent.sleep(0.02)
        assert app.switch.clock.now() == 0
        caller.waits(4.5)
        assert app.switch.clock.now() == 4.5
        caller.hears("bank/welcome", "bank/account", "bank/number", Say.digits("0"))


def test_two_calls_share_a_clock() -> None:
    with App(bank) as app, app.switch.call("1") as first, app.switch.call("2") as second:
        first.hears("bank/welcome")
        second.hears("bank/welcome")
        first.hears("bank/account", "bank/number")
        second.hears("bank/account", "bank/number")
        second.dials("2#")
        first.dials("1#")
        first.hears(Say.digits("1"))
        second.hears(Say.digits("2"))


def test_only_the_keys_of_a_telephone_can_be_pressed() -> None:
    with App(bank) as app, app.switch.call("4100") as caller:
        with pytest.raises(ValueError, match="not 'x'"):
            caller.dials("1x")
        with pytest.raises(ValueError, match="a telephone has the keys"):
            caller.dials("")
        caller.hangs_up()
        with pytest.raises(CallFailed, match="the call is over"):
            caller.dials("1")


def test_nobody_listening_leaves_the_call_to_the_dialplan() -> None:
    with App(bank) as app:
        app.server.stop()
        with app.switch.call("4100", after=[("hangup", "NORMAL_TEMPORARY_FAILURE")]) as caller:
            pass
    assert caller.hangup_cause is HangupCause.NORMAL_TEMPORARY_FAILURE
    assert "nobody listens" in caller.transcript[0]


def test_what_the_caller_says_is_kept() -> None:
    with App(bank) as app, app.switch.call("4100") as caller:
        caller.says("hello")
        caller.hangs_up()
    assert caller.said == ["hello"]
    assert "says 'hello'" in caller.transcript[0]


def test_whoever_listens_is_told_each_moment() -> None:
    told: list[str] = []
    with App(bank) as app, app.switch.call("4100") as caller:
        caller.listen(lambda moment: told.append(moment.text))
        caller.hears("bank/welcome")
        caller.hangs_up()
    assert told[:2] == ["the call is answered", "hears 'bank/welcome'"]
