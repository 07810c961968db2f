"""``Call.detect_machine``: what is asked of the modules, and what comes of what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from fsivr import Answerer, DeadlineExceeded, ModuleMissing
from tests.call.conversations import Open
from tests.esl.peer import OK, Peer, api_response, complete
from tests.esl.switch_rules import Packet


def amd(*results: str, beep_at: int = 0) -> Callable[[Peer, Packet], Any]:
    """A switch whose modules say so at the end of ``amd`` and of each rest after it."""
    told = list(results)

    def script(peer: Peer, packet: Packet) -> Any:
        application = packet.get("execute-app-name")
        if packet.command.startswith("api module_exists"):
            return api_response("true")
        if application not in ("amd", "sleep"):
            return OK + complete(packet) if application else NotImplemented
        rests = sum(each.get("execute-app-name") == "sleep" for each in peer.executed)
        said = {"variable_amd_result": told.pop(0) if len(told) > 1 else told[0]}
        if beep_at and rests >= beep_at:
            said["variable_avmd_detect"] = "TRUE"
        return OK + complete(packet, "_none_", {name: value for name, value in said.items() if value})

    return script


def names_of(peer: Peer) -> list[str | None]:
    return [packet.get("execute-app-name") for packet in peer.executed[1:]]


@pytest.mark.parametrize(
    ("results", "answerer", "rests"),
    [
        (["HUMAN"], Answerer.PERSON, 0),
        (["MACHINE"], Answerer.MACHINE, 0),
        (["NOTSURE"], Answerer.UNKNOWN, 0),
        (["something"], Answerer.UNKNOWN, 0),
        (["", "", "MACHINE"], Answerer.MACHINE, 2),  # a mod_amd that does not wait
        ([""], Answerer.UNKNOWN, 8),
    ],
)
def test_who_answered(open_call: Open, results: list[str], answerer: Answerer, rests: int) -> None:
    call, peer = open_call(amd(*results))
    assert call.detect_machine(timeout=2) is answerer
    assert names_of(peer) == ["amd", *["sleep"] * rests]


@pytest.mark.parametrize(
    ("results", "beep_at", "answerer", "rests"),
    [
        (["HUMAN"], 0, Answerer.PERSON, 0),
        (["MACHINE"], 3, Answerer.MACHINE, 3),
        (["MACHINE"], 0, Answerer.MACHINE, 5),
        (["NOTSURE"], 0, Answerer.UNKNOWN, 1),
        (["NOTSURE"], 1, Answerer.MACHINE, 1),
    ],
)
def test_the_beep_is_waited_for(
    open_call: Open, results: list[str], beep_at: int, answerer: Answerer, rests: int
) -> None:
    call, peer = open_call(amd(*results, beep_at=beep_at))
    assert call.detect_machine(beep=True, beep_timeout=1) is answerer
    assert names_of(peer) == ["avmd_start", "amd", *["sleep"] * rests, "avmd_stop"]


def test_a_deadline_stops_the_detector(open_call: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name") == "amd":
            return OK
        return amd("")(peer, packet)

    call, peer = open_call(script)
    with pytest.raises(DeadlineExceeded), call.deadline(0.05):
        call.detect_machine(beep=True)
    gevent.sleep(0.02)
    assert names_of(peer) == ["avmd_start", "amd", "avmd_stop"]


def test_a_detector_that_does_not_end_is_not_sure(open_call: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name") == "amd":
            return OK
        return amd("")(peer, packet)

    call, _ = open_call(script)
    assert call.detect_machine(timeout=0.05) is Answerer.UNKNOWN


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": float("nan")}, {"beep_timeout": 601}], ids=str)
def test_wrong_times_are_said_before_anything_is_sent(open_call: Open, options: dict[str, float]) -> None:
    call, peer = open_call()
    before = peer.received
    with pytest.raises(ValueError, match="in seconds"):
        call.detect_machine(**options)
    assert peer.received == before


@pytest.mark.parametrize(
    ("beep", "missing", "message"),
    [
        (False, "mod_amd", "detect_machine needs mod_amd"),
        (True, "mod_amd", "detect_machine needs mod_amd"),
        (True, "mod_avmd", "detect_machine with beep=True needs mod_avmd"),
    ],
)
def test_a_missing_module_is_named_before_its_application_ends_the_call(
    open_call: Open, beep: bool, missing: str, message: str
) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.command.startswith("api module_exists"):
            return api_response("false" if packet.command.endswith(missing) else "true")
        return amd("HUMAN")(peer, packet)

    call, peer = open_call(script)
    with pytest.raises(ModuleMissing, match=message):
        call.detect_machine(beep=beep)
    assert names_of(peer) == []


def test_what_an_earlier_detection_left_does_not_count(open_call: Open) -> None:
    call, peer = open_call(amd("HUMAN"))
    call.detect_machine()
    cleared = [packet.command for packet in peer.commands if "amd_result=;amd_cause=;avmd_detect=" in packet.command]
    assert len(cleared) == 1
