"""Switch, against a server that plays the switch by hand: what reaches the wire, and what comes of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from fsivr import (
    AuthenticationError,
    Call,
    CommandRefused,
    ConfigError,
    ConnectionLost,
    Dialled,
    Dialplan,
    DialResult,
    Extension,
    Handler,
    HangupCause,
    ReplyTimeout,
    Switch,
)
from fsivr.call.dialled import PACKED, pack, unpack
from fsivr.call.dialstring import carried
from fsivr.config import Settings
from fsivr.simulator.originating import _taken_apart
from fsivr.simulator.tokens import separate
from fsivr.switch import switch as switch_module
from tests.call.conversations import HOSTILE, IDS
from tests.esl.inbound import InboundServer, accepted, job_of
from tests.esl.peer import Peer
from tests.esl.switch_rules import Packet
from tests.leaks import left, nothing_more_than, until


class Reminder(Handler):
    def run(self, call: Call) -> None:
        call.answer()


class Stranger(Reminder):
    """One that stands in no dialplan."""


DIALPLAN = Dialplan(outbound=[Reminder])

#: What the switch says a job came to, by the job's command; None: nothing yet.
Said = Callable[[str], str | None]


class Switchboard(InboundServer):
    """A switch that takes every job, and ends it with what it is told to."""

    def __init__(self, said: Said = lambda command: "+OK some-uuid\n") -> None:
        super().__init__(answer=self._answers)
        self.outcome = said
        self.jobs: list[tuple[Peer, Packet]] = []

    def _answers(self, peer: Peer, packet: Packet) -> object:
        if not packet.command.startswith("bgapi "):
            return NotImplemented
        self.jobs.append((peer, packet))
        said = self.outcome(packet.command)
        return accepted(packet) + (b"" if said is None else job_event(packet, said))

    def end(self, said: str, number: int = -1) -> None:
        peer, packet = self.jobs[number]
        peer.send(job_event(packet, said))

    @property
    def placed(self) -> list[str]:
        return [packet.command for _, packet in self.jobs]

    @property
    def killed(self) -> list[str]:
        return [command for command in self.commands if command.startswith("api uuid_kill ")]


def job_event(packet: Packet, said: str) -> bytes:
    body = f"Event-Name: BACKGROUND_JOB\nJob-UUID: {job_of(packet)}\nContent-Length: {len(said)}\n\n{said}"
    return f"Content-Length: {len(body)}\nContent-Type: text/event-plain\n\n{body}".encode()


@pytest.fixture
def board() -> Iterator[Switchboard]:
    before = left()
    one = Switchboard()
    yield one
    one.close()
    nothing_more_than(before)


@pytest.fixture
def reach(board: Switchboard) -> Iterator[Callable[..., Switch]]:
    made: list[Switch] = []

    def make(dialplan: Dialplan | None = DIALPLAN, **settings: object) -> Switch:
        given = {"switch_address": f"127.0.0.1:{board.port}", **settings}
        made.append(Switch.of(Settings.defaults(**given), dialplan))
        return made[-1]

    yield make
    for one in made:
        one.close()


def uuid_of(command: str) -> str:
    return command.partition("origination_uuid=")[2].partition(",")[0]


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
        "fsivr_handler=tests.test_switch:Reminder,origination_caller_id_number=4930,order=a\\, b}user/1000' "
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
        ({"handler": "tests.test_switch:Reminder"}, TypeError, "takes a Handler class"),
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
    with pytest.raises(ConfigError, match=r"test_switch:Stranger is not in the dialplan.*outbound"):
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


# -- leaving early ----------------------------------------------------------------------------------


def test_a_wait_that_is_left_kills_the_call(reach: Any, board: Switchboard) -> None:
    board.outcome = lambda command: None
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.05):
        reach().originate("user/1000", Reminder)
    killed = f"api uuid_kill {uuid_of(board.placed[0])} ORIGINATOR_CANCEL"
    assert until(lambda: board.killed == [killed])
    # It was answered in the moment of the kill, which then had come too early to find it.
    board.end("+OK some-uuid\n")
    assert until(lambda: board.killed == [killed] * 2)


def test_a_call_that_failed_after_it_was_left_is_not_killed_again(reach: Any, board: Switchboard) -> None:
    board.outcome = lambda command: None
    switch = reach()
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.05):
        switch.originate("user/1000", Reminder)
    assert until(lambda: len(board.killed) == 1)
    board.end("-ERR ORIGINATOR_CANCEL\n")
    switch.api("status")  # whatever is to come has come
    assert len(board.killed) == 1


def test_a_greenlet_that_is_killed_kills_its_call(reach: Any, board: Switchboard) -> None:
    board.outcome = lambda command: None
    placing = gevent.spawn(reach().originate, "user/1000", Reminder)
    assert until(lambda: board.placed)
    placing.kill()
    assert until(lambda: len(board.killed) == 1)


def test_a_switch_that_never_says(reach: Any, board: Switchboard, monkeypatch: Any) -> None:
    monkeypatch.setattr(switch_module, "_MARGIN", 0.0)
    board.outcome = lambda command: None
    with pytest.raises(ReplyTimeout, match=r"'originate' had not ended after 0\.05 s"):
        reach().originate("user/1000", Reminder, timeout=0.05)
    assert until(lambda: len(board.killed) == 1)


def test_what_rings_when_it_is_closed_is_hung_up(reach: Any, board: Switchboard) -> None:
    board.outcome = lambda command: None
    failed: list[BaseException] = []

    def place() -> None:
        try:
            switch.originate("user/1000", Reminder)
        except ConnectionLost as error:
            failed.append(error)

    switch = reach()
    placing = gevent.spawn(place)
    assert until(lambda: board.placed)
    switch.close()
    placing.join(5)
    assert len(failed) == 1
    assert until(lambda: len(board.killed) == 1)


# -- the connection -----------------------------------------------------------------------------------


def test_nothing_is_connected_before_it_is_used(reach: Any, board: Switchboard) -> None:
    with reach() as switch:
        gevent.sleep(0.02)
        assert board.peers == []
        assert "connected" not in repr(switch)
        switch.originate("user/1000", Reminder)
    assert len(board.peers) == 1


def test_one_connection_for_all(reach: Any, board: Switchboard) -> None:
    switch = reach()
    waiting = [gevent.spawn(switch.originate, "user/1000", Reminder) for _ in range(20)]
    gevent.joinall(waiting, timeout=10, raise_error=True)
    assert len(board.placed) == 20
    assert len(board.peers) == 1


def test_a_wrong_password_is_told_without_it(reach: Any, board: Switchboard) -> None:
    def refuses(peer: Peer, packet: Packet) -> object:
        if packet.command.startswith("auth "):
            return b"Content-Type: command/reply\nReply-Text: -ERR invalid\n\n"
        return NotImplemented

    board.answer = refuses
    switch = reach(switch_password="s3cr3t")
    with pytest.raises(AuthenticationError, match="refused the password") as caught:
        switch.originate("user/1000", Reminder)
    assert "s3cr3t" not in f"{caught.value}{switch!r}{vars(caught.value)}"


def test_a_switch_that_is_gone_and_comes_back(reach: Any, board: Switchboard) -> None:
    switch = reach()
    assert switch.originate("user/1000", Reminder).answered
    board.drop()
    assert until(lambda: not switch._client.connected)
    assert switch.originate("user/1000", Reminder).answered
    assert len(board.peers) == 2


def test_a_call_whose_end_is_not_known_is_killed_when_the_switch_is_back(reach: Any, board: Switchboard) -> None:
    board.outcome = lambda command: None
    switch = reach()

    def place() -> None:
        with pytest.raises(ConnectionLost):
            switch.originate("user/1000", Reminder)

    placing = gevent.spawn(place)
    assert until(lambda: board.placed)
    board.drop()
    placing.get(timeout=10)
    lost = uuid_of(board.placed[0])
    assert board.killed == []
    board.outcome = lambda command: "+OK some-uuid\n"
    assert switch.originate("user/1000", Reminder).answered
    assert until(lambda: board.killed == [f"api uuid_kill {lost} ORIGINATOR_CANCEL"])


def test_nobody_listens() -> None:
    board = Switchboard()
    board.close()
    with Switch.of(Settings.defaults(switch_address=f"127.0.0.1:{board.port}"), DIALPLAN) as switch:
        for _ in range(2):
            with pytest.raises(ConnectionLost, match="Connection refused"):
                switch.originate("user/1000", Reminder)


# -- where the switch finds us -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "seen"),
    [
        ({}, "127.0.0.1:8084"),
        ({"listen": "0.0.0.0:9000"}, "127.0.0.1:9000"),
        ({"listen": "[::]:9000"}, "127.0.0.1:9000"),
        ({"listen": "10.0.0.5:9000"}, "10.0.0.5:9000"),
        ({"listen": "[::1]:9000"}, "::1:9000"),
        ({"listen": "0.0.0.0:9000", "socket_address": "ivr.example.net:8085"}, "ivr.example.net:8085"),
    ],
)
def test_where_the_switch_finds_the_server(reach: Any, board: Switchboard, settings: Any, seen: str) -> None:
    reach(**settings).originate("user/1000", Reminder)
    assert board.placed[0].endswith(f"'&socket({seen} async full)'")


def test_a_server_that_the_switch_cannot_find(reach: Any, board: Switchboard, monkeypatch: Any) -> None:
    with pytest.raises(ConfigError, match="set socket_address"):
        reach(listen="127.0.0.1:0").originate("user/1000", Reminder)
    switch = reach()
    monkeypatch.setattr(switch, "_host", "192.0.2.7")
    monkeypatch.setattr(switch, "_connected", lambda: None)
    with pytest.raises(ConfigError, match=r"192\.0\.2\.7 cannot reach a server at 127\.0\.0\.1"):
        switch.originate("user/1000", Reminder)
    assert board.placed == []
