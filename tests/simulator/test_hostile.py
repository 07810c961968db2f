"""Whatever a handler sends, the simulated switch neither hangs nor breaks."""

from __future__ import annotations

import logging
import random

import gevent
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsivr.simulator import tokens, wire
from tests.simulator.app import App, Wire

JUNK = [
    b"\n\n\n\r\n\0\0\n\n",
    b"sendmsg\ncontent-length: -5\n\n",
    b"sendmsg\ncontent-length: 99999999999\n\n",
    b"sendmsg\ncontent-length: 10\n\nabc",
    b"\xff\xfe\xfd\n\n" * 50,
    b"sendmsg\n" + b"x: y\n" * 5000 + b"\n",
    b"filter \n\nfilter a\n\nfilter delete\n\nfilter x /[/\n\nfilter X -\n\n",
    b"event plain ALL\n\nnixevent ALL\n\nnixevent DTMF\n\nevent json ALL\n\nevent xml ALL\n\n",
    b"linger 99999999999999999999\n\n",
    b"api uuid_setvar\n\napi uuid_setvar ' ' '\n\napi uuid_getvar x [0]\n\napi uuid_kill\n\napi msleep -1\n\n",
    b"api uuid_setvar_multi\n\napi uuid_break\n\napi uuid_dump\n\napi uuid_transfer\n\nbgapi x\nJob-UUID: \xff\n\n",
    b"sendmsg\ncall-command: execute\nexecute-app-name: set\nloops: 0\n\n",
    b"sendmsg\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: \n\n",
    b"sendmsg\ncall-command: execute\nexecute-app-name: sleep\nexecute-app-arg: -99999999999999\n\n",
    b"sendmsg\ncall-command: execute\nexecute-app-name: play_and_get_digits\nexecute-app-arg: 1\n\n",
    b"sendmsg\ncall-command: execute\nexecute-app-name: play_and_get_digits\nexecute-app-arg: 9 1 9 0 x y z [ ( 0\n\n",
    b"sendmsg\ncall-command: execute\nexecute-app-name: read\nexecute-app-arg: -1 -1\n\n",
    b"sendmsg\ncall-command: execute\nexecute-app-name: bridge\nexecute-app-arg: ,,||{x}\n\n",
    b"sendmsg\ncall-command: execute\nexecute-app-name: transfer\n\n",
    b"sendmsg\ncall-command: execute\nexecute-app-name: say\nexecute-app-arg: x\n\n",
    b"sendmsg\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: tone_stream://%(a;loops=x\n\n",
    b"sendmsg\ncall-command: execute\nexecute-app-name: record\n\n",
    b"sendmsg nobody\n\nsendevent\n\nsendevent CUSTOM\nunique-id: x\n\ndivert_events\n\nmyevents xml\n\nresume\n\n",
]


def _unbroken(caplog: pytest.LogCaptureFixture) -> None:
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk_does_not_break_the_switch(junk: bytes, caplog: pytest.LogCaptureFixture) -> None:
    def script(wire: Wire) -> None:
        wire.start()
        wire.sock.sendall(junk)
        with gevent.Timeout(0.05, False):
            while wire.next() is not None:
                pass

    with App(script) as app, app.switch.call("1") as caller:
        app.switch.grace = 0.01
        caller.waits(30)
        caller.dials("12#") if not caller.over else None
        caller.waits(30)
        caller.hangs_up()
    assert caller.over
    _unbroken(caplog)


def test_random_commands_do_not_break_the_switch(caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(7)
    pieces = [piece for junk in JUNK for piece in junk.split(b"\n")] + [b"", b"\n", b"\r\n", b"connect", b"exit"]
    for _ in range(20):
        data = b"\n".join(chance.choice(pieces) for _ in range(60))

        def script(wire: Wire, data: bytes = data) -> None:
            wire.sock.sendall(b"connect\n\n" + data + b"\n\n")
            with gevent.Timeout(0.02, False):
                while wire.next() is not None:
                    pass

        with App(script) as app, app.switch.call("1") as caller:
            app.switch.grace = 0.0
            caller.waits(60)
            caller.hangs_up()
        assert caller.over
    _unbroken(caplog)


def test_a_server_that_does_not_read_does_not_hold_the_call_up() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        for _ in range(200):
            wire.execute("set", f"x={'y' * 20000}", lock=True)
        wire.send("sendmsg\ncall-command: hangup")
        wire.event("CHANNEL_HANGUP_COMPLETE")

    with App(script) as app, app.switch.call("1") as caller:
        caller.join()


@given(st.binary(max_size=300), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_commands_are_the_same_however_the_bytes_are_cut(data: bytes, size: int) -> None:
    def read(pieces: list[bytes]) -> list[tuple[str, list[tuple[str, str]], str]]:
        reader, found = wire.CommandReader(), []
        try:
            for piece in pieces:
                reader.feed(piece)
                while (command := reader.next()) is not None:
                    found.append((command.line, command.headers, command.body))
        except wire.BadCommand:
            found.append(("bad", [], ""))
        return found

    data += b"\n\nconnect\n\n"
    assert read([data]) == read([data[place : place + size] for place in range(0, len(data), size)])


@given(st.text(max_size=60), st.sampled_from(" ;,"), st.integers(1, 5))
def test_any_text_can_be_taken_apart(text: str, delimiter: str, limit: int) -> None:
    assert len(tokens.separate(text, delimiter, limit)) <= limit


@given(st.text(max_size=60))
def test_values_without_a_percent_sign_survive(value: str) -> None:
    from urllib.parse import unquote

    value = value.replace("%", "").encode("utf-8", "ignore").decode()
    assert unquote(wire.quote(value).decode()) == value
