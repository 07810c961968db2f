"""Sensitive questions: what was keyed is returned, and nothing else holds it."""

from __future__ import annotations

import logging
import traceback
from contextlib import contextmanager
from typing import Any

import pytest

from fsivr import Call, NoMatch
from tests.call.conversations import Open, in_call, plays
from tests.esl.peer import OK, UUID, Peer, complete
from tests.esl.switch_rules import Packet

PIN = "7391"


def _everything(call: Call) -> str:
    """All that a handler can see of a call."""
    described = call._session.channel
    assert described is not None
    return f"{call!r} {dict(call.variables)} {call.channel.get('variable_fsivr_digits')} {described.headers}"


def test_a_pin_is_returned_and_forgotten(switch: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    got: list[str] = []
    seen: list[str] = []
    keys: list[str] = []

    def run(call: Call) -> None:
        call.answer()
        call.on_digit(keys.append)
        call.type_ahead = True
        got.append(call.ask("pin", digits=4, sensitive=True))
        seen.append(_everything(call))
        call.play("after")
        seen.append(_everything(call))
        assert call.variables.fetch("fsivr_digits") is None
        assert call.variables.fetch("sensitive_dtmf") is None
        call.ask("plain", digits=1)

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("pin")
        caller.dials(PIN)
        caller.hears("after", "plain")
        caller.dials("5")
    assert got == [PIN]
    assert not [text for text in seen if PIN in text]
    assert keys == ["5"]
    assert next(line for line in caller.transcript if "dials" in line).endswith("dials ****")
    assert PIN not in "".join(caller.transcript) + str(caller.variables) + caplog.text


def test_no_event_of_the_switch_holds_a_key(switch: Any) -> None:
    told: list[str] = []

    def run(call: Call) -> None:
        call.answer()
        call._session.watch("DTMF", lambda event: told.append(event.get("DTMF-Digit") or ""))
        call.ask("pin", digits=4, sensitive=True)
        call.play("after")

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("pin")
        caller.dials(PIN + "5")  # a key too many is as secret
        caller.hears("after")
        caller.dials("8")
        caller.join()
    assert told in ([], ["8"])


def test_a_wrong_pin_is_in_no_error(switch: Any, caplog: pytest.LogCaptureFixture) -> None:
    raised: list[NoMatch] = []
    seen: list[str] = []

    def run(call: Call) -> None:
        call.answer()
        try:
            call.ask("pin", digits=4, pattern="0+", tries=2, no_match="wrong", sensitive=True)
        except NoMatch as error:
            raised.append(error)
            seen.append(_everything(call))
        call.ask("pin", digits=4, pattern="0+", tries=1, sensitive=True)

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("pin")
        caller.dials(PIN)
        caller.hears("wrong", "pin")
        caller.dials(PIN)
        caller.hears("pin")
        caller.dials(PIN)
    [error] = raised
    assert error.digits == ""
    assert error.__context__ is None
    assert error.__cause__ is None
    assert PIN not in "".join(traceback.format_exception(error)) + "".join(seen) + caplog.text


def test_what_was_wrong_is_deleted_before_anything_is_played(open_call: Open) -> None:
    call, peer = open_call()
    with pytest.raises(NoMatch):
        call.ask("pin", digits=5, tries=2, no_match="wrong", sensitive=True)
    commands = [packet.command for packet in peer.commands]
    at = next(at for at, one in enumerate(peer.commands) if one.get("execute-app-arg") == "wrong.wav")
    assert commands[at - 1] == f"api uuid_setvar_multi {UUID} fsivr_digits="
    assert commands[-2:] == [
        f"api uuid_setvar_multi {UUID} fsivr_digits=;sensitive_dtmf=;read_terminator_used=",
        "connect",
    ]


def test_the_switch_is_told_before_it_asks(open_call: Open) -> None:
    call, peer = open_call()
    assert call.ask("pin", digits=4, sensitive=True) == "1234"
    commands = [packet.command for packet in peer.commands]
    asked = next(at for at, one in enumerate(peer.commands) if one.get("execute-app-name") == "play_and_get_digits")
    assert commands.index(f"api uuid_setvar_multi {UUID} sensitive_dtmf=true") < asked


def test_an_older_switch_tells_the_keys_and_they_are_not_looked_at(open_call: Open) -> None:
    """One that does not know ``sensitive_dtmf`` sends DTMF events all the same."""
    from tests.esl.peer import event

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name") == "play_and_get_digits":
            told = b"".join(
                event("DTMF", {"DTMF-Digit": key, "Event-Sequence": str(at)}) for at, key in enumerate("1234", 900)
            )
            end = complete(packet, "_none_", {"variable_fsivr_digits": "1234", "Event-Sequence": "910"})
            return OK + told + end
        return plays(peer, packet)

    keys: list[str] = []
    call, _ = open_call(script)
    call.on_digit(keys.append)
    call.type_ahead = True
    assert call.ask("pin", digits=4, sensitive=True) == "1234"
    call.play("after")
    assert keys == []
    assert call._keypad is not None
    assert call._keypad.take(9, "") == ("", "")


def test_the_caller_leaves_in_the_middle(switch: Any) -> None:
    seen: list[str] = []

    class Leaves(in_call(lambda call: call.ask("pin", digits=6, sensitive=True))):  # type: ignore[misc]
        def on_hangup(self, call: Call) -> None:
            assert "fsivr_digits" not in call.variables
            seen.append(f"{dict(call.variables)} {call.channel.get('variable_fsivr_digits')}")

    with switch.call(handler=Leaves) as caller:
        caller.hears("pin")
        caller.dials(PIN)
        caller.waits(0.5)
        caller.hangs_up()
    assert len(seen) == 1
    assert PIN not in seen[0]


def test_recordings_are_masked_around_it(switch: Any) -> None:
    happened: list[str] = []

    def run(call: Call) -> None:
        @contextmanager
        def masked() -> Any:
            happened.append("masked")
            yield
            happened.append("unmasked")

        call._masked = masked  # type: ignore[method-assign]
        call.answer()
        happened.append(call.ask("pin", digits=4, sensitive=True))
        happened.append(call.ask("plain", digits=4))

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("pin")
        caller.dials(PIN)
        caller.hears("plain")
        caller.dials("1234")
    assert happened == ["masked", "unmasked", PIN, "1234"]
