"""One leg's data: what the caller chose, and variables to read and to set."""

from __future__ import annotations

from typing import Any

import pytest

from fsivr import (
    Call,
    LocalProtocolError,
)
from tests.call.conversations import HOSTILE, IDS, Open, in_call
from tests.esl.peer import OK, UUID, complete
from tests.esl.switch_rules import separate


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_a_variable_takes_any_text(open_call: Open, text: str) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    if "\0" in text or "\ud800" in text:
        with pytest.raises(LocalProtocolError):
            call.variables["note"] = text
        assert len(peer.commands) == before
        return
    call.variables["note"] = text
    [packet] = peer.commands[before:]
    assert packet.command.startswith("api uuid_setvar ")
    assert separate(packet.command.removeprefix("api uuid_setvar ")) == [UUID, "note", text]
    assert call.variables["note"] == text


# -- variables ----------------------------------------------------------------------------------


def test_variables_are_read_from_the_last_description(open_call: Open) -> None:
    told = {"variable_lang": "de", "variable_note": "a%20b%0Ac"}
    call, _ = open_call(
        lambda peer, packet: OK + complete(packet, "_none_", told) if packet.get("execute-app-name") else NotImplemented
    )
    assert call.variables["lang"] == "de"
    assert call.variables["note"] == "a b\nc"
    assert call.variables.get("absent") is None
    with pytest.raises(KeyError):
        call.variables["absent"]
    assert "lang" in call.variables
    assert set(call.variables) >= {"lang", "note"}
    call.variables["lang"] = "fr"
    assert call.variables["lang"] == "fr"
    del call.variables["lang"]
    assert "lang" not in call.variables
    call.play("a")  # a new description is the truth again
    assert call.variables["lang"] == "de"


@pytest.mark.parametrize("value", [1, None, b"a", 1.5])
def test_a_variable_is_a_str(open_call: Open, value: Any) -> None:
    call, _ = open_call()
    with pytest.raises(TypeError, match="note"):
        call.variables["note"] = value


def test_what_the_caller_dialled(switch: Any) -> None:
    told: list[Any] = []

    def run(call: Call) -> None:
        told.extend([call.destination, call.caller, call.channel.caller_name, call.channel.context])
        told.extend([call.variables.get("lang"), call.channel.answered])
        call.answer()
        told.append(call.channel.answered)

    name = 'Édith "%0AAnswer-State: hangup\u2028x" ${system(id)}'
    with switch.call(
        "4711", handler=in_call(run), caller_number="+4930", caller_name=name, context="sales", variables={"lang": "de"}
    ) as caller:
        caller.join()
    # Two upper-case hex digits after a % cannot be told from an encoded byte (FACTS 1.7).
    assert told == ["4711", "+4930", name.replace("%0A", "\n"), "sales", "de", False, True]
