"""Messages: what was sent in a header comes back from it, and nothing else does."""

from __future__ import annotations

import re
from typing import TypeVar

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fsivr.esl.connection import NEED_DATA, Connection
from fsivr.esl.messages import Event, Message, Notice, Reply, decode

M = TypeVar("M", bound=Message)

#: What str.splitlines, or a reader that decodes first, would take for the end of a line.
BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]

#: FACTS 1.6: what the switch leaves as it is.
PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,/!*'()$~_-.")

values = st.lists(
    st.one_of(st.text(max_size=8), st.sampled_from([*BREAKS, ": ", "%", "%0A", "%0a", "Content-Length: 9", "+", " "])),
    max_size=6,
).map("".join)
names = st.one_of(
    st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True),
    # Names are not encoded (FACTS 1.6), so a variable's name can hold anything but what ends it.
    st.tuples(st.just("variable_"), st.text(max_size=8)).map("".join),
).filter(lambda name: "\n" not in name and ": " not in name and not name.endswith(":"))


def encode(value: str) -> bytes:
    """A value as the switch writes it into an event, with its loss (FACTS 1.6 and 1.7)."""
    data, out, at = value.encode(), b"", 0
    while at < len(data):
        if re.match(rb"%[0-9A-F]{2}", data[at : at + 3]):  # passed through as it is
            out += data[at : at + 3]
            at += 3
            continue
        out += data[at : at + 1] if data[at] in PLAIN else b"%%%02X" % data[at]
        at += 1
    return out


def event(headers: list[tuple[str, str]], body: bytes = b"") -> Event:
    told = [*headers, ("Content-Length", str(len(body)))] if body else headers  # as the switch announces it (10b)
    inner = b"".join(name.encode() + b": " + encode(value) + b"\n" for name, value in told) + b"\n" + body
    return one(b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(inner) + inner, Event)


def one(wire: bytes, kind: type[M]) -> M:
    connection = Connection()
    connection.receive(wire)
    message = connection.next_message()
    assert isinstance(message, kind)
    assert connection.next_message() is NEED_DATA
    connection.receive_end()
    return message


unique = st.lists(st.tuples(names, values), min_size=1, max_size=6, unique_by=lambda pair: pair[0])


@given(headers=unique, body=st.binary(max_size=30))
@example(headers=[("Caller-Caller-ID-Name", "x\nEvent-Name: CHANNEL_HANGUP")], body=b"")
@example(headers=[("A", "1"), ("variable_x", "\u2028Content-Length: 5")], body=b"\n\nEvent-Name: X\n")
def test_the_headers_of_an_event_come_back(headers: list[tuple[str, str]], body: bytes) -> None:
    assume(not any(re.search("%[0-9A-F]{2}", value) for _, value in headers))
    message = event(headers, body)
    announced = {"Content-Length": str(len(body))} if body else {}
    assert message.headers == {**announced, **dict(headers)}
    for name, value in headers:
        assert message.get(name) == value
    assert message.body == body
    assert message.get("Event-Name") == dict(headers).get("Event-Name")


@given(value=st.one_of(values, st.from_regex(r"(%[0-9A-F]{2}|[a-z])*", fullmatch=True)))
@example(value="%41%2B")
@example(value="%0AEvent-Name: CHANNEL_HANGUP")
@example(value="100%")
def test_only_upper_case_escapes_are_lost(value: str) -> None:
    """Rule 1.7: a ``%`` and two upper-case hex digits in the text itself are decoded too; all else survives."""
    lost = re.sub(
        r"(?:%[0-9A-F]{2})+",
        lambda match: bytes.fromhex(match[0].replace("%", "")).decode("latin-1"),
        value.encode().decode("latin-1"),
    )
    expected = lost.encode("latin-1").decode("utf-8", "replace")
    message = event([("Event-Name", "DTMF"), ("variable_x", value), ("Last", "z")])
    assert message.get("variable_x") == expected
    assert list(message.headers) == ["Event-Name", "variable_x", "Last"]
    assert message.name == "DTMF"


@pytest.mark.parametrize("char", BREAKS)
@pytest.mark.parametrize("encoded", [True, False])
def test_no_break_in_a_value_makes_a_header(char: str, encoded: bool) -> None:
    """Also where it comes unencoded, except for the line feed itself, which ends a line by the protocol."""
    if "\n" in char and not encoded:
        return
    forged = f"x{char}Answer-State: hangup"
    value = encode(forged) if encoded else forged.encode()
    inner = b"Event-Name: DTMF\nCaller-Caller-ID-Name: " + value + b"\nAnswer-State: answered\n\n"
    message = one(b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(inner) + inner, Event)
    assert message.get("Answer-State") == "answered"
    assert message.get("Caller-Caller-ID-Name") == forged
    assert list(message.headers) == ["Event-Name", "Caller-Caller-ID-Name", "Answer-State"]


@pytest.mark.parametrize("char", [char for char in BREAKS if "\n" not in char])
def test_no_break_in_a_reply_makes_a_header(char: str) -> None:
    text = f"+OK x{char}Job-UUID: forged{char}Content-Length: 5"
    message = one(b"Content-Type: command/reply\nReply-Text: " + text.encode() + b"\n\n", Reply)
    assert message.get("Job-UUID") is None
    assert message.get("Reply-Text") == text
    assert list(message.headers) == ["Content-Type", "Reply-Text"]


def test_an_escape_in_a_name_stays_in_the_name() -> None:
    inner = b"Event-Name: DTMF\nvariable_a%0AAnswer-State: hangup\n\n"
    message = one(b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(inner) + inner, Event)
    assert message.get("Answer-State") is None
    assert message.get("variable_a%0AAnswer-State") == "hangup"


def test_of_a_repeated_header_the_first_counts() -> None:
    """CHANNEL_HANGUP_COMPLETE has Hangup-Cause twice (07b); both ways to read must agree."""
    message = event([("A", "first"), ("A", "second"), ("B", "third"), ("B", "fourth")])
    assert message.headers == {"A": "first", "B": "third"}
    assert (message.get("A"), message.get("B")) == ("first", "third")
    reply = one(b"X: 1\nX: 2\nContent-Type: command/reply\n\n", Reply)
    assert reply.get("X") == reply.headers["X"] == "1"


def test_the_type_of_a_message_is_its_first_too() -> None:
    """A getvar answer of several lines writes headers of its own (FACTS 2.7): it cannot change its kind."""
    forged = b"Content-Type: command/reply\nReply-Text: a\nContent-Type: text/event-plain\n\n"
    assert one(forged, Reply).reply_text == "a"


def test_a_header_of_the_body_is_not_a_header() -> None:
    message = event([("Event-Name", "BACKGROUND_JOB"), ("Job-UUID", "j")], b"Answer-State: hangup\nJob-UUID: k\n")
    assert message.get("Answer-State") is None
    assert message.get("Job-UUID") == "j"
    assert message.text == "Answer-State: hangup\nJob-UUID: k\n"


def test_a_headers_name_is_matched_whole() -> None:
    message = event([("variable_uuid", "a"), ("uuid", "b"), ("Other-Unique-ID", "c")])
    assert message.get("uuid") == "b"
    assert message.get("Unique-ID") is None
    assert message.get("id") is None


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert decode(b"a%FF%C3b") == "a\ufffd\ufffdb"
    inner = b"Event-Name: DTMF\nx: \xff%E9\n\n\xfe"
    message = one(b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(inner) + inner, Event)
    assert message.get("x") == "\ufffd\ufffd"
    assert message.text == "\ufffd"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a+b", "a+b"),
        (b"a+b%20c+%C3%A9", "a+b c+é"),
        (b"%2B", "+"),
        (b"%2b", "+"),
        (b"%", "%"),
        (b"%4", "%4"),
        (b"%zz", "%zz"),
        (b"%25zz", "%zz"),
        (b"%C3%A9", "é"),
    ],
)
def test_decoding(raw: bytes, text: str) -> None:
    assert decode(raw) == text


@pytest.mark.parametrize(
    ("text", "ok"),
    [("+OK", True), ("+OK bye", True), ("-ERR invalid", False), ("-USAGE: x", False), ("", True), ("true", True)],
)
def test_whether_a_reply_is_a_refusal(text: str, ok: bool) -> None:
    reply = one(f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode(), Reply)
    answer = one(f"Content-Type: api/response\nContent-Length: {len(text) + 1}\n\n{text}\n".encode(), Reply)
    assert reply.ok is answer.ok is ok
    assert reply.reply_text == answer.reply_text == text


def test_a_message_is_frozen() -> None:
    message = event([("Event-Name", "DTMF")])
    with pytest.raises(AttributeError):
        message.payload = b""  # type: ignore[misc]
    with pytest.raises(AttributeError):
        message.more = 1  # type: ignore[attr-defined]
    assert hash(message) == hash(event([("Event-Name", "DTMF")]))


def test_a_notice_lingers_only_where_it_says_so() -> None:
    wire = b"Content-Type: text/disconnect-notice\nContent-Disposition: %s\nContent-Length: 0\n\n"
    assert one(wire % b"linger", Notice).lingering
    assert not one(wire % b"disconnect", Notice).lingering
    assert not one(b"Content-Type: text/disconnect-notice\nContent-Length: 0\n\n", Notice).lingering
