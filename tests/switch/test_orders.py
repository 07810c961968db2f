"""Orders of ``Switch``: what reaches the wire, and what comes of the answers."""

from __future__ import annotations

from typing import Any

import pytest

from fsivr import CommandRefused, ConfigError, Dialled, Dialplan, DialResult, Extension, Handler, HangupCause, Switch
from fsivr.call.dialled import PACKED, pack, unpack
from fsivr.call.dialstring import carried
from fsivr.simulator.originating import _taken_apart
from fsivr.simulator.tokens import separate
from tests.call.conversations import HOSTILE, IDS
from tests.switch.switchboard import Reminder, Stranger, Switchboard


def order(switch: Switch, board: Switchboard, **options: Any) -> dict[str, str]:
    """The variables of the channel, read out of the wire by the switch's rules."""
    switch.originate("user/1000", Reminder, **options)
    words = separate(board.placed[-1].removeprefix("bgapi originate "), " ", 10)
    variables, endpoints = _taken_apart(words[0])
    assert endpoints == "user/1000"
    assert words[1:] == ["&socket(127.0.0.1:8084 async full)"]
    assert variables is not None
    return variables


def test_an_order_on_the_wire(reach: Any, board: Switchboard) -> None:
    dialled = reach().originate("user/1000", Reminder, timeout=12.3, caller_id="4930", variables={"order": "a, b"})
    assert board.placed == [
        f"bgapi originate '{{origination_uuid={dialled.uuid},originate_timeout=13,ignore_early_media=true,"
        "fsivr_handler=tests.switch.switchboard:Reminder,origination_caller_id_number=4930,order=a\\, b}user/1000' "
        "'&socket(127.0.0.1:8084 async full)'"
    ]
    assert dialled == Dialled("user/1000", DialResult.ANSWERED, None, dialled.uuid)
    assert dialled.answered


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_hostile_text_for_the_handler_arrives_or_is_refused(reach: Any, board: Switchboard, text: str) -> None:
    if "\0" in text or text == "\ud800" or len(text.encode()) > 3000:
        with pytest.raises(ValueError, match="note"):
            order(reach(), board, variables={"note": text, "other": "x"})
        assert board.placed == []  # nothing was sent
        return
    variables = order(reach(), board, variables={"note": text, "other": "x"})
    assert variables["other"] == "x"
    arrived = {**variables, **unpack(variables.get(PACKED, ""))}
    assert arrived["note"] == text


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
@pytest.mark.parametrize("where", ["to", "caller_id", "caller_name", "name"])
def test_hostile_text_elsewhere_is_refused_before_anything_is_sent(
    reach: Any, board: Switchboard, where: str, text: str
) -> None:
    options: dict[str, Any] = {"variables": {text: "x"}} if where == "name" else {where: text}
    if where == "to":
        with pytest.raises(ValueError, match="a destination is"):
            reach().originate(text, Reminder)
    elif where == "caller_name" and carried(text) and len(text) <= 128:
        assert order(reach(), board, **options)["origination_caller_id_name"] == text
        return
    else:
        with pytest.raises(ValueError, match=r"caller_id|caller_name|a variable's name"):
            reach().originate("user/1000", Reminder, **options)
    assert board.commands == []  # not even a connection


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"timeout": 0}, ValueError, "above 0 and up to 600, not 0"),
        ({"timeout": float("nan")}, ValueError, "above 0"),
        ({"timeout": 601}, ValueError, "up to 600"),
        ({"variables": {"n": 1}}, TypeError, "a str, not int"),
        ({"variables": {"origination_uuid": "x"}}, ValueError, "set by originate itself"),
        ({"variables": {"fsivr_handler": "os:system"}}, ValueError, "set by originate itself"),
        ({"variables": {"1a": "x"}}, ValueError, "begins with a letter"),
        ({"caller_id": "0" * 65}, ValueError, "at most 64"),
        ({"handler": "tests.switch.switchboard:Reminder"}, TypeError, "takes a Handler class"),
        ({"handler": object}, TypeError, "takes a Handler class"),
        ({"to": 1000}, TypeError, "a destination is a str"),
    ],
)
def test_a_wrong_order_is_refused(reach: Any, board: Switchboard, options: Any, error: Any, match: str) -> None:
    given = {"to": "user/1000", "handler": Reminder, **options}
    with pytest.raises(error, match=match):
        reach().originate(given.pop("to"), given.pop("handler"), **given)
    assert board.commands == []


def test_an_empty_variable_is_none(reach: Any, board: Switchboard) -> None:
    assert "note" not in order(reach(), board, variables={"note": ""})


def test_what_cannot_be_unpacked_is_nothing() -> None:
    assert unpack(pack({"a": "é\n'", "b": ""})) == {"a": "é\n'", "b": ""}
    for text in ["", "x", "====", "é", pack({})[:-1], "bnVsbA==", "WzFd"]:
        assert unpack(text) == {}


def test_a_handler_that_stands_in_no_dialplan(reach: Any, board: Switchboard) -> None:
    with pytest.raises(ConfigError, match=r"switchboard:Stranger is not in the dialplan.*outbound"):
        reach().originate("user/1000", Stranger)
    assert board.commands == []
    assert reach(None).originate("user/1000", Stranger).answered  # where only the server knows
    assert reach(Dialplan([Extension("1", Stranger)])).originate("user/1000", Stranger).answered


def test_two_handlers_of_one_name(reach: Any) -> None:
    def named() -> type[Handler]:
        class Same(Reminder):
            pass

        return Same

    one, other = named(), named()
    with pytest.raises(ConfigError, match="another has its name"):
        reach(Dialplan([Extension("1", one)], outbound=[other])).originate("user/1000", one)


@pytest.mark.parametrize(
    ("said", "result", "cause"),
    [
        ("-ERR USER_BUSY\n", DialResult.BUSY, HangupCause.USER_BUSY),
        ("-ERR NO_ANSWER\n", DialResult.NO_ANSWER, HangupCause.NO_ANSWER),
        ("-ERR ALLOTTED_TIMEOUT\n", DialResult.NO_ANSWER, HangupCause.ALLOTTED_TIMEOUT),
        ("-ERR CALL_REJECTED\n", DialResult.REJECTED, HangupCause.CALL_REJECTED),
        ("-ERR NO_ROUTE_DESTINATION\n", DialResult.FAILED, HangupCause.NO_ROUTE_DESTINATION),
        ("-ERR GATEWAY_DOWN\n", DialResult.FAILED, HangupCause.GATEWAY_DOWN),
    ],
)
def test_what_the_switch_said(reach: Any, board: Switchboard, said: str, result: Any, cause: Any) -> None:
    board.outcome = lambda command: said
    dialled = reach().originate("user/1000", Reminder)
    assert (dialled.result, dialled.hangup_cause, dialled.answered) == (result, cause, False)
    assert board.killed == []


@pytest.mark.parametrize("said", ["-ERR permission denied\n", "-USAGE: <call url>\n", "-ERR \n", "", "what?"])
def test_an_order_that_is_not_taken(reach: Any, board: Switchboard, said: str) -> None:
    board.outcome = lambda command: said
    with pytest.raises(CommandRefused, match="refused 'originate'"):
        reach().originate("user/1000", Reminder)


def test_an_order_is_checked_before_it_is_placed(reach: Any, board: Switchboard) -> None:
    with pytest.raises(ValueError, match="a destination is"):
        reach().ordered("user/1000,user/1001", Reminder)
    place = reach().ordered("user/1000", Reminder, call_uuid="11111111-2222-3333-4444-555555555555", timeout=5)
    assert board.placed == []
    assert place().uuid == "11111111-2222-3333-4444-555555555555"
    assert "origination_uuid=11111111-2222-3333-4444-555555555555,originate_timeout=5," in board.placed[0]
