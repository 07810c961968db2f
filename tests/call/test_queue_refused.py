"""Queues: what is refused, and what reaches the wire."""

from __future__ import annotations

from typing import Any

import pytest

from fsivr import Call, CommandRefused, ModuleMissing, Queue, RemoteProtocolError, Silence
from tests.call.conversations import HOSTILE, IDS, Open, argument, in_call
from tests.call.rooms import Asked, modules_there
from tests.esl.peer import complete


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_hostile_text_reaches_nothing(open_call: Open, text: str) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    prompts = (lambda: call.queue("support", music=text), lambda: call.queue("support", announce=text))
    for verb in (
        lambda: call.queue(text),
        lambda: call.queue("support", exit_key=text),
        lambda: call.queue("support", kind=text),
        *(prompts if text[:2] != "xx" else ()),  # a long name is a name
        lambda: call.serve_queue(text),
        lambda: Queue(call, text),
    ):
        with pytest.raises(ValueError, match=r"not|digits"):
            verb()
    assert len(peer.commands) == before


@pytest.mark.parametrize("name", ["", "a,b", "a!5", "a b", "-x", "x@", "@x", "a@b@c", None])
def test_a_name_that_means_something_else_is_refused(open_call: Open, name: Any) -> None:
    call, _ = open_call()
    with pytest.raises(ValueError, match="name of a queue"):
        call.queue(name)


@pytest.mark.parametrize("timeout", [0, -1, 0.5, 86401, float("nan"), float("inf")])
def test_a_time_out_of_range_is_refused(open_call: Open, timeout: float) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises(ValueError, match="seconds from 1"):
        call.queue("support", timeout=timeout)
    with pytest.raises(ValueError, match="announcements"):
        call.queue("support", kind="callcenter", announce="x")
    assert len(peer.commands) == before


def test_what_reaches_the_wire(open_call: Open) -> None:
    def script(peer: Any, packet: Any) -> Any:
        if packet.get("execute-app-name") == "fifo":
            return b"Content-Type: command/reply\nReply-Text: +OK\n\n" + complete(
                packet, "_none_", {"variable_fifo_status": "TIMEOUT"}
            )
        return modules_there(peer, packet)

    call, peer = open_call(script)
    call.queue("support@example.com", music=Silence(1), timeout=30, exit_key="#")
    assert argument(peer.executed[-1]) == "support@example.com in"
    sent = "\n".join(each.command for each in peer.commands)
    assert "fifo_music 'silence_stream://1000'" in sent
    assert "fifo_orbit_exten=_continue_:30;fifo_caller_exit_key=##;" in sent


def test_a_callcenter_queue_that_is_not_there(switch: Any) -> None:
    raised: list[str] = []

    def run(call: Call) -> None:
        for kind in ("callcenter", "fifo"):
            try:
                call.queue("nowhere", kind=kind)
            except (CommandRefused, ModuleMissing) as error:
                raised.append(str(error))

    switch.modules_missing.add("mod_fifo")
    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    assert "no callcenter queue 'nowhere'" in raised[0]
    assert "mod_fifo" in raised[1]


@pytest.mark.parametrize("said", ["", "support", "support:a:1:2:3:4", "-ERR Usage"])
def test_a_length_that_cannot_be_read_is_an_error(said: str) -> None:
    class Said:
        def api(self, command: str, argument: str = "") -> str:
            return said

    with pytest.raises(RemoteProtocolError, match="length of queue"):
        Queue(Said(), "support").waiting()


def test_a_queue_that_nobody_was_in_is_empty(switch: Any) -> None:
    assert (Queue(Asked(switch), "never").waiting(), Queue(Asked(switch), "never").agents()) == (0, 0)
