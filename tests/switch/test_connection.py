"""Switch and its connection: waits that are left, passwords, and a switch that goes and comes back."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from fsivr import AuthenticationError, ConfigError, ConnectionLost, ReplyTimeout, Switch
from fsivr.config import Settings
from fsivr.switch import switch as switch_module
from tests.esl.peer import Peer
from tests.esl.switch_rules import Packet
from tests.leaks import until
from tests.switch.switchboard import DIALPLAN, Reminder, Switchboard, uuid_of

pytestmark = pytest.mark.usefixtures("nothing_is_left")


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


def test_those_who_wait_for_a_connection_share_its_failure() -> None:
    board = Switchboard()
    board.answer = lambda peer, packet: None  # it says nothing, not even to the login
    failed: list[BaseException] = []

    def place() -> None:
        try:
            switch.originate("user/1000", Reminder)
        except ReplyTimeout as error:
            failed.append(error)

    settings = Settings.defaults(switch_address=f"127.0.0.1:{board.port}", reply_timeout=0.1)
    with Switch.of(settings, DIALPLAN) as switch:
        gevent.joinall([gevent.spawn(place) for _ in range(20)], timeout=10)
    board.close()
    assert len(failed) == 20
    assert len(board.peers) == 1


def test_nothing_is_sent_while_it_logs_in_again(reach: Any, board: Switchboard) -> None:
    switch = reach()
    switch.api("status")
    held: list[Peer] = []

    def holds(peer: Peer, packet: Packet) -> object:
        if packet.command.startswith("auth "):
            held.append(peer)
            return None
        return NotImplemented

    usual, board.answer = board.answer, holds
    board.drop()
    assert until(lambda: held, 10)
    assert not switch._client.connected
    assert not switch._client.post("uuid_kill", "x")
    board.answer = usual
    assert switch.originate("user/1000", Reminder).answered
    assert "api uuid_kill x" not in board.commands


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
