"""The simulated switch's own event socket, against transcripts of the real one and by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import socket

from fsivr import CommandRefused, HangupCause
from fsivr.esl.client import Client
from fsivr.simulator import Switch
from tests.esl.inbound import exchanges
from tests.esl.transcript import TO_SWITCH, load
from tests.leaks import left, nothing_more_than, until
from tests.simulator.frames import Frame, frames
from tests.simulator.replay import gist, original


@pytest.fixture
def simulated() -> Iterator[Switch]:
    before = left()
    switch = Switch(("127.0.0.1", 1))
    switch.patience = 0.0
    yield switch
    switch.stop()
    nothing_more_than(before)


@pytest.fixture
def client(simulated: Switch) -> Iterator[Client]:
    one = Client(*simulated.inbound.address, "ClueCon")
    one.connect()
    yield one
    one.close()


def move(switch: Switch, seconds: float) -> None:
    """Let time pass."""
    phone = switch.phone("nobody")
    phone._run(lambda: False, until=switch.clock.now() + seconds, strict=False, patience=0.0)


def answers(switch: Switch, name: str) -> list[Frame]:
    """What the simulated switch says to the commands of a transcript, each sent when the last was answered."""
    sent = [line.data for line in load(name) if line.direction == TO_SWITCH]
    wanted = [len(frames(said.encode() if isinstance(said, str) else said)[0]) for _, said in exchanges(name)]
    received: list[Frame] = []
    rest = b""
    with socket.create_connection(switch.inbound.address) as sock:
        sock.settimeout(5)
        for place, count in enumerate(wanted):
            if place:
                sock.sendall(sent[place - 1])
            received_before = len(received)
            while len(received) < received_before + count:
                data = sock.recv(65536)
                if not data:
                    return received
                fresh, rest = frames(rest + data)
                received += fresh
    return received


@pytest.mark.parametrize("name", ["12b_inbound_auth_bad", "12c_inbound_command_before_auth"])
def test_the_login_goes_as_on_the_real_switch(simulated: Switch, name: str) -> None:
    assert [gist(frame) for frame in answers(simulated, name)] == [gist(frame) for frame in original(name)]


def test_an_address_that_may_not_is_told_as_by_the_real_switch(simulated: Switch) -> None:
    simulated.inbound.denies = True
    name = "12d_inbound_rude_rejection"
    with socket.create_connection(simulated.inbound.address) as sock:
        data = b""
        while more := sock.recv(65536):
            data += more
    assert frames(data)[0] == original(name)
    assert data == exchanges(name)[0][1]


def _job(frame: Frame) -> tuple[str, ...]:
    told = json.loads(frame.body)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "SOME-UUID", told["_body"])
    return (
        told["Event-Name"],
        told["Job-Command"],
        told.get("Job-Command-Arg", ""),
        "STATUS" if text.startswith("UP ") else text,
    )


def test_placed_calls_end_as_on_the_real_switch(simulated: Switch) -> None:
    """``12a_inbound_auth_ok``: what ``originate`` prints, as ``api`` and as the end of a job, and for whom."""
    simulated.answers("loopback/9199/public", after=0)
    simulated.rejects("loopback/404404/public", cause=HangupCause.NO_ROUTE_DESTINATION)
    simulated.busy("sofia/internal/9486@127.0.0.1:5060", after=0.04)
    name = "12a_inbound_auth_ok"
    commands = [line.data for line in load(name) if line.direction == TO_SWITCH]
    first = next(place for place, command in enumerate(commands) if b"event json" in command)
    received: list[Frame] = []
    rest = b""
    with socket.create_connection(simulated.inbound.address) as sock:
        sock.settimeout(5)
        for command in [commands[0], *commands[first : first + 6]]:
            sock.sendall(command)
            move(simulated, 0.001)
        move(simulated, 0.1)
        while len(received) < 12 and (data := sock.recv(65536)):
            fresh, rest = frames(rest + data)
            received += fresh
    wanted = original(name)

    def jobs(all_frames: list[Frame]) -> list[tuple[str, ...]]:
        json_events = [frame for frame in all_frames if frame.kind == "text/event-json"]
        return [_job(frame) for frame in json_events if '"BACKGROUND_JOB"' in frame.body]

    assert jobs(received) == jobs(wanted)
    assert len(jobs(received)) == 4
    said = [gist(frame) for frame in received if frame.kind in ("api/response", "command/reply")]
    told = [gist(frame) for frame in wanted if frame.kind in ("api/response", "command/reply")]
    first = next(place for place, answer in enumerate(told) if "event listener" in answer[1])
    assert said[1:] == told[first : first + 6]
    assert len(simulated.channels) == 2


def test_a_job_of_the_real_switch_names_no_owner() -> None:
    events = [frame for frame in original("12a_inbound_auth_ok") if frame.kind == "text/event-json"]
    assert "Job-Owner-UUID" not in events[0].body


# -- control of a call, as in 12f_inbound_control_of_parked_call ------------------------------------------------


def test_a_call_is_controlled_from_outside(simulated: Switch, client: Client) -> None:
    simulated.answers("user/1000", after=0)
    seen: list[tuple[str, str]] = []
    for name in ("CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP_COMPLETE"):
        client.on(name, lambda event, name=name: seen.append((name, event.headers["Application"])))  # type: ignore[misc]
    client.subscribe("CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE")
    uuid = client.api("originate", "user/1000 &park").split()[1]
    move(simulated, 0.1)
    assert client.send(f"filter Unique-ID {uuid}").data == f"+OK filter added. [Unique-ID]=[{uuid}]"
    command = f"sendmsg {uuid}\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: /hello.wav"
    assert client.send(command).data == "+OK"
    move(simulated, 2)
    assert until(lambda: ("CHANNEL_EXECUTE_COMPLETE", "playback") in seen)
    assert client.send(f"sendmsg {uuid}\ncall-command: hangup\nhangup-cause: NORMAL_CLEARING").data == "+OK"
    move(simulated, 0.1)
    assert until(lambda: ("CHANNEL_EXECUTE_COMPLETE", "park") in seen)
    assert client.send(f"sendmsg {uuid}\ncall-command: hangup").data == f"-ERR invalid session id [{uuid}]"
    assert client.send(f"myevents {uuid}").data == "+OK Events Enabled"


@pytest.mark.parametrize("command", ["connect", "getvar uuid", "linger", "nolinger", "resume", "divert_events on"])
def test_what_needs_a_channel_is_refused(client: Client, command: str) -> None:
    assert client.send(command).data == "-ERR command not found"


# -- originate ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("argument", ["", "user/1000", "a b c d e f g h"])
def test_too_few_and_too_many_words(client: Client, argument: str) -> None:
    with pytest.raises(CommandRefused, match="-USAGE: <call url>"):
        client.api("originate", argument)


@pytest.mark.parametrize("argument", ["{a=b &park", "{a=b} &park"])
def test_braces_without_an_end_and_a_call_to_nobody(client: Client, argument: str) -> None:
    with pytest.raises(CommandRefused, match="-ERR NORMAL_CLEARING"):
        client.api("originate", argument)


def test_the_variables_in_the_braces(simulated: Switch, client: Client) -> None:
    simulated.answers("user/1000", after=0)
    client.api("originate", r"'{origination_uuid=u-1,a=b\, c,d=e=f}{g=h}user/1000' &park")
    told = simulated.channels["u-1"].variables
    assert (told["a"], told["d"], told["g"]) == ("b, c", "e=f", "h")
    assert told["direction"] == "outbound"


def test_the_second_destination_is_called_where_the_first_fails(simulated: Switch, client: Client) -> None:
    simulated.busy("user/1")
    simulated.answers("user/2", after=0)
    assert client.api("originate", "user/1|user/2 &park").startswith("+OK ")


def test_an_extension_runs_on_the_new_channel(simulated: Switch, client: Client) -> None:
    simulated.answers("user/1000", after=0)
    simulated.extensions["5000"] = [("set", "reached=yes"), ("park", "")]
    uuid = client.api("originate", "user/1000 5000").split()[1]
    move(simulated, 0.1)
    assert client.api("uuid_getvar", f"{uuid} reached") == "yes"
    gone = client.api("originate", "user/1000 6000").split()[1]
    move(simulated, 0.1)
    assert client.api("uuid_exists", gone) == "false"


def test_early_media_is_a_success_unless_it_is_ignored(simulated: Switch, client: Client) -> None:
    simulated.early_media("user/1000", after=3)
    uuid = client.api("originate", "user/1000 &park").split()[1]
    assert simulated.channels[uuid].answer_state == "early"
    move(simulated, 4)
    assert client.api("uuid_exists", uuid) == "false"
    placed = gevent.spawn(client.job, "originate", "{ignore_early_media=true}user/1000 &park", timeout=5)
    move(simulated, 4)
    assert placed.get(timeout=5) == "-ERR USER_BUSY\n"


def test_a_job_holds_up_nothing_and_can_be_killed(simulated: Switch, client: Client) -> None:
    simulated.no_answer("user/1000")
    placed = gevent.spawn(client.job, "originate", "{origination_uuid=u-1}user/1000 &park", timeout=5)
    assert until(lambda: "u-1" in simulated.channels)
    assert client.api("uuid_exists", "u-1") == "true"
    assert client.api("uuid_kill", "u-1 ORIGINATOR_CANCEL") == "+OK\n"
    move(simulated, 0.1)
    assert placed.get(timeout=5) == "-ERR ORIGINATOR_CANCEL\n"
    assert not simulated.sleeping


def test_the_switch_stops_while_it_rings(simulated: Switch, client: Client) -> None:
    simulated.no_answer("user/1000")
    failed: list[Any] = []

    def place() -> None:
        try:
            client.job("originate", "user/1000 &park", timeout=5)
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    placed = gevent.spawn(place)
    assert until(lambda: simulated.channels)
    simulated.stop()
    placed.join(5)
    assert len(failed) == 1
    assert not simulated.sleeping


@pytest.mark.parametrize("junk", [b"\n\n\n", b"\0\n\n", b"auth\n\n", b"auth \xff\n\n", b"x" * 100_000 + b"\n\n"])
def test_junk_before_the_login_is_no_login(simulated: Switch, junk: bytes) -> None:
    with socket.create_connection(simulated.inbound.address) as sock:
        sock.settimeout(5)
        sock.sendall(junk + b"api status\n\nexit\n\n")
        data = b""
        while more := sock.recv(65536):
            data += more
    assert b"UP 0 years" not in data
