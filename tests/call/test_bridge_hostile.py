"""Each text of a bridge as a caller may have written it: the switch gets one bridge, and nobody else is called."""

from __future__ import annotations

from typing import Any

import pytest

from fsivr import Silence
from fsivr.call.dialstring import caller_name, caller_number
from tests.call.conversations import HOSTILE, IDS, Open, argument
from tests.call.dialstrings import read
from tests.esl.switch_rules import separate

OPTIONS = ["caller_id", "caller_name", "confirm", "confirm_key", "whisper", "ringback"]
_OURS = {
    "ignore_early_media", "bridge_early_media", "origination_caller_id_number", "origination_caller_id_name",
    "group_confirm_key", "group_confirm_file", "group_confirm_timeout", "leg_timeout", "instant_ringback",
    "origination_uuid",
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_no_more_than_an_option(open_call: Open, option: str, text: str) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    options: dict[str, Any] = {"confirm": "press"} if option == "confirm_key" else {}
    try:
        call.bridge(["user/a", "user/b"], **{**options, option: text})
    except ValueError:
        assert not option.startswith("caller")  # a caller's text is passed on, as far as it goes
        assert len(peer.commands) == before
        return
    sent = [packet.command for packet in peer.commands[before:]]
    assert [command.split(" ")[1] for command in sent if command.startswith("api ")] == (
        ["uuid_setvar_multi"] + ["uuid_setvar"] * (2 if option == "ringback" else 0)
    )
    assert len([command for command in sent if not command.startswith("api ")]) == 1
    [packet] = [packet for packet in peer.executed if packet.get("execute-app-name") == "bridge"]
    legs = read(argument(packet))
    assert [endpoint for endpoint, _ in legs] == ["user/a", "user/b"]
    for _, variables in legs:
        assert set(variables) <= _OURS
        assert variables.get("origination_caller_id_name", "") == (caller_name(text) if option == "caller_name" else "")
        assert variables.get("origination_caller_id_number", "") == (
            caller_number(text) if option == "caller_id" else ""
        )


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_a_caller_id_stays_readable(text: str) -> None:
    number, name = caller_number(text), caller_name(text)
    assert not set(number) - set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+*#._-")
    assert name.isprintable()
    assert not set(name) & set("\"'<>{}[]$\\:;")
    assert max(len(number), len(name)) <= 64


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_a_destination_is_one_endpoint(open_call: Open, text: str) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    for destination in (f"user/{text}", [f"user/{text}", "user/b"]):
        with pytest.raises(ValueError, match="destination"):
            call.bridge(destination)
    assert len(peer.commands) == before


def test_what_several_options_come_to(open_call: Open) -> None:
    call, peer = open_call()
    call.bridge(
        "user/a", timeout=20, caller_id="4930", whisper="a", confirm="b", confirm_timeout=9, ringback=Silence(1)
    )
    [(endpoint, variables)] = read(argument(peer.executed[-1]))
    assert endpoint == "user/a"
    assert variables == {
        "ignore_early_media": "true",
        "origination_caller_id_number": "4930",
        "instant_ringback": "true",
        "leg_timeout": "19",
        "group_confirm_timeout": "9",
        "group_confirm_key": "1",
        "group_confirm_file": "file_string://a.wav!b.wav",
    }
    posts = [packet.command for packet in peer.commands if packet.command.startswith("api uuid_setvar")]
    _, _, settings = separate(posts[1].removeprefix("api "))
    assert "call_timeout=29" in separate(settings, ";", 64)
    assert [command.split(" ")[3:] for command in posts[2:4]] == [
        ["transfer_ringback", "silence"],
        ["ringback", "silence"],
    ]


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"timeout": 0}, "timeout"),
        ({"timeout": 4000}, "timeout"),
        ({"confirm_timeout": -1}, "confirm_timeout"),
        ({"confirm_key": "exec"}, "confirm_key"),
        ({"confirm_key": ""}, "confirm_key"),
        ({"confirm_key": 1}, "confirm_key"),
        ({"confirm": []}, "at least one"),
        ({"whisper": 42, "confirm": "a"}, "sound files"),
        ({"whisper": ["a", 42]}, "sound files"),
        ({"ringback": 42}, "ringback"),
        ({"destination": []}, "destinations"),
        ({"destination": ["user/a", "user/a"]}, "each once"),
        ({"destination": [f"user/{n}" for n in range(101)]}, "destinations"),
    ],
)
def test_wrong_arguments(open_call: Open, wrong: dict[str, Any], match: str) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises(ValueError, match=match):
        call.bridge(**{"destination": "user/a", **wrong})
    with pytest.raises(TypeError, match="caller id"):
        call.bridge("user/a", caller_id=49)  # type: ignore[arg-type]
    assert len(peer.commands) == before
