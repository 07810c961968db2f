"""Handing a call to the switch's own dialplan."""

from __future__ import annotations

from typing import Any

import pytest

from fsivr import Call, Handler, Hangup, HangupCause, ReplyTimeout
from fsivr.call import connecting
from tests.call.conversations import HOSTILE, Open, argument, in_call
from tests.esl.peer import OK, UUID, Peer, complete, event
from tests.esl.switch_rules import Packet


class Transfers(Handler):
    ended: list[Any] = []  # noqa: RUF012  one for the class, as the test reads it

    def run(self, call: Call) -> None:
        call.answer()
        call.transfer("9200", context="public")

    def on_hangup(self, call: Call) -> None:
        self.ended.append(call.hangup_cause)


def test_the_call_goes_on_in_the_dialplan(switch: Any) -> None:
    switch.extensions["9200"] = [("playback", "there.wav"), ("hangup", "USER_BUSY")]
    Transfers.ended.clear()
    with switch.call(handler=Transfers) as caller:
        caller.hears("there")
        caller.join()
    assert caller.hangup_cause is HangupCause.USER_BUSY
    assert Transfers.ended == [HangupCause.BLIND_TRANSFER]


def test_an_unknown_extension_ends_the_call(switch: Any) -> None:
    Transfers.ended.clear()
    with switch.call(handler=Transfers) as caller:
        caller.join()
    assert caller.hangup_cause is HangupCause.NO_ROUTE_DESTINATION
    assert Transfers.ended == [HangupCause.BLIND_TRANSFER]


def test_it_is_sent_as_in_the_capture(open_call: Open) -> None:
    """The order and the words of capture ``11d_transfer_app_to_9200``."""
    gone = event("CHANNEL_EXECUTE_COMPLETE", {"Application": "socket", "Application-UUID": UUID})

    def answers(peer: Peer, packet: Packet) -> Any:
        application = packet.get("execute-app-name")
        if not application:
            return NotImplemented
        return OK + complete(packet, "_none_") + (gone if application == "transfer" else b"")

    call, peer = open_call(answers)
    with pytest.raises(Hangup) as raised:
        call.transfer("9200", context="public")
    assert raised.value.cause is HangupCause.BLIND_TRANSFER
    assert argument(peer.executed[-1]) == "9200 XML public"


def test_a_switch_that_does_not_take_it(open_call: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "_TAKEN", 0.05)
    call, _ = open_call()
    with pytest.raises(ReplyTimeout, match="did not take the call to '9200'"):
        call.transfer("9200")
    call.play("afterwards")


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("dialplan", "inline"),
        *((word, text) for word in ("extension", "context", "dialplan") for text in [*HOSTILE, "-bleg", "", "a:b", 5]),
    ],
)
def test_its_words_are_words(open_call: Open, word: str, text: Any) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises(ValueError, match=word):
        call.transfer(**{"extension": "9200", word: text})
    assert len(peer.commands) == before


def test_the_caller_leaves_first(switch: Any) -> None:
    causes: list[HangupCause] = []

    def run(call: Call) -> None:
        try:
            call.sleep(1)
            caller.hangs_up()
            call.transfer("9200")
        except Hangup as hangup:
            causes.append(hangup.cause)
            raise

    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    assert causes == [caller.hangup_cause] == [HangupCause.ORIGINATOR_CANCEL]
