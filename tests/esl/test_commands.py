"""The one builder of wire text: one command, or an error, whatever the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsivr.errors import LocalProtocolError
from fsivr.esl.commands import command, execute, quote
from fsivr.esl.messages import Reply
from tests.esl.switch_rules import Dropped, Packet, expansions, read_packets, separate
from tests.esl.transcript import TO_SWITCH, messages, names, stream

#: What has had a meaning to some reader of lines, of C strings, of numbers or of commands.
NASTY = [
    "\n", "\r", "\0", "\r\n", "\n\n", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029", "\ud800",
    "content-length: 5", "Content-Length", "api system touch /tmp/x", ":", ": ", " ", "%0a", "%0A",
    "'", '"', "\\", "\\n",
    "${", "}", "!", ",", "\N{PILE OF POO}", "é", "0", "-1", "exit",
]  # fmt: skip

nasty = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=8)), max_size=8).map("".join)


def only(wire: bytes) -> Packet:
    """The one command in the bytes, or a failure."""
    try:
        packets, rest = read_packets(wire)
    except Dropped:
        pytest.fail("the switch would drop the connection")
    assert rest == b"", "the switch waits for more, and would swallow the next command"
    assert len(packets) == 1, packets
    return packets[0]


@given(line=nasty, headers=st.lists(st.tuples(nasty, nasty), max_size=3), body=st.none() | nasty)
@example(line="api status", headers=[("content-length", "100")], body=None)
@example(line="sendmsg", headers=[("Content-Length", "3")], body="abcdef")
@example(line="\nexit", headers=[], body=None)
@example(line="api x", headers=[], body="")
def test_any_text_is_one_command_or_an_error(line: str, headers: list[tuple[str, str]], body: str | None) -> None:
    try:
        wire = command(line, headers, body)
    except LocalProtocolError:
        return
    packet = only(wire)
    assert packet.command == line
    sent = [(name, value.lstrip(" ")) for name, value in headers]
    assert packet.headers[: len(sent)] == sent
    assert (packet.body or "") == (body or "")
    added = {name.lower() for name, _ in packet.headers[len(sent) :]}
    assert added == (set() if body is None else {"content-type", "content-length"})


@given(application=nasty, argument=nasty, event_uuid=nasty, lock=st.booleans())
@example(application="playback", argument="a\n\nexit", event_uuid="", lock=True)
@example(application="set", argument="  x", event_uuid="t-1", lock=False)
@example(application="set", argument="é" * 3000, event_uuid="t-1", lock=False)
def test_any_argument_arrives_as_it_was(application: str, argument: str, event_uuid: str, lock: bool) -> None:
    try:
        wire = execute(application, argument, event_uuid=event_uuid, lock=lock)
    except LocalProtocolError:
        assert re.search("[\r\n\0\ud800]", application + argument + event_uuid)
        return
    packet = only(wire)
    assert packet.command == "sendmsg"
    assert packet.get("call-command") == "execute"
    assert packet.get("execute-app-name") == application.lstrip(" ")
    assert (packet.body if packet.body is not None else packet.get("execute-app-arg") or "") == argument
    assert (packet.get("Event-UUID") or "") == event_uuid.lstrip(" ")
    assert packet.get("event-lock") == ("true" if lock else None)


@given(value=nasty)
@example(value="it's")
@example(value="\\'; x")
@example(value="ends in a backslash\\")
@example(value=" spaces ")
@example(value="two\nlines\r\n")
def test_a_quoted_value_is_read_back_as_it_was(value: str) -> None:
    if "\0" in value:
        with pytest.raises(LocalProtocolError):
            quote(value)
        return
    quoted = quote(value)
    assert "\n" not in quoted
    assert "\r" not in quoted
    assert separate(f"5c09725d-aea0 name {quoted}") == ["5c09725d-aea0", "name", value]


@pytest.mark.parametrize("char", ["\r", "\n", "\0"])
@pytest.mark.parametrize("place", ["{}api status", "api {}status", "api status{}"])
def test_a_break_in_a_line_is_refused(char: str, place: str) -> None:
    with pytest.raises(LocalProtocolError, match="line break"):
        command(place.format(char))


@pytest.mark.parametrize("char", ["\r", "\n", "\0"])
@pytest.mark.parametrize("part", [0, 1])
def test_a_break_in_a_header_is_refused(char: str, part: int) -> None:
    header = ["execute-app-arg", "hello"]
    header[part] += char
    with pytest.raises(LocalProtocolError, match="line break"):
        command("sendmsg", [(header[0], header[1])])


@pytest.mark.parametrize("name", ["content-length", "Content-Length", "CONTENT-LENGTH"])
@pytest.mark.parametrize("body", [None, "text"])
def test_a_length_is_only_ever_counted(name: str, body: str | None) -> None:
    """A length that is not the body's would make the switch swallow the next command, or run its end as one."""
    with pytest.raises(LocalProtocolError):
        command("sendmsg", [(name, "17")], body)


@pytest.mark.parametrize("line", ["", " ", "\t"])
def test_an_empty_command_is_refused(line: str) -> None:
    with pytest.raises(LocalProtocolError, match="empty"):
        command(line)


def test_a_head_that_the_switch_would_cut_in_two_is_refused() -> None:
    """read_packet ends a command after 10 MiB by itself; the rest would run as a command of its own."""
    smuggled = "api uuid_setvar x y ".ljust(10 << 20, "a") + "exit"
    with pytest.raises(LocalProtocolError):
        command(smuggled)
    with pytest.raises(LocalProtocolError):
        command("sendmsg", [("execute-app-arg", smuggled)])


def test_a_body_that_the_switch_would_drop_the_connection_over_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        command("sendmsg", (), "a" * ((16 << 20) + 1))


def test_an_argument_of_70_kb_goes_as_a_counted_body() -> None:
    text = "é" * 35_000
    packet = only(execute("set", text, event_uuid="a-1"))
    assert packet.body == text
    assert packet.get("execute-app-arg") is None
    assert packet.get("content-type") == "text/plain"  # without it the body is ignored (06g)


def test_the_messages_name_what_was_refused() -> None:
    with pytest.raises(LocalProtocolError, match="'uuid_kill'"):
        command("uuid_kill x\n\nexit")
    with pytest.raises(LocalProtocolError, match="'execute-app-arg'"):
        command("sendmsg", [("execute-app-arg", "a\nb")])


def test_the_rules_read_counted_bodies() -> None:
    packets, rest = read_packets(stream("06g_content_body_args", TO_SWITCH))
    assert rest == b""
    assert any(packet.body and "\n" in packet.body for packet in packets)


#: Commands without an answer: 15 behind the one that overflowed the queue, and a first one that is not connect.
UNANSWERED = {"06i_sendmsg_queue_overflow": 15, "10d_first_command_not_connect": 1}


@pytest.mark.parametrize("name", names())
def test_the_rules_see_one_command_for_each_answer(name: str) -> None:
    """The reference reader itself, held to a real switch: every command has its reply."""
    packets, rest = read_packets(stream(name, TO_SWITCH))
    answers = [one for one in messages([stream(name)]) if isinstance(one, Reply)]
    assert rest == b""
    assert len(packets) - UNANSWERED.get(name, 0) == len(answers)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("u name 'a b'", ["u", "name", "a b"]),
        ("u name a b ", ["u", "name", "a b"]),
        (r"u name 'it\'s'", ["u", "name", "it's"]),
        (r"u name 'a\nb'", ["u", "name", "a\nb"]),
        ("u name ''", ["u", "name", ""]),
        ("u name ' x '", ["u", "name", " x "]),
    ],
)
def test_the_rules_separate_as_the_source_does(text: str, parts: list[str]) -> None:
    assert separate(text) == parts


def test_the_rules_find_expansions() -> None:
    assert expansions("a ${b} \\${c} $d $${e}") == ["${b}", "$${e}"]
