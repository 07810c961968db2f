"""Any bytes give a message, NEED_DATA or RemoteProtocolError, in bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsivr.errors import RemoteProtocolError
from fsivr.esl.connection import MAX_BODY, MAX_HEAD, NEED_DATA, Connection
from fsivr.esl.messages import Event, Message, Notice, Reply
from tests.esl.naive import reference, text

#: Pieces of the protocol, and of what resembles it.
PIECES = [
    b"\n", b"\n\n", b"\r\n", b": ", b"%0A", b"%0a", b"\x85", "\u2028".encode(), b"\xff\xfe", b"\0",
    b"Content-Type: text/event-plain\n", b"Content-Type: command/reply\n", b"Content-Type: api/response\n",
    b"Content-Type: text/disconnect-notice\n", b"Content-Type: text/event-json\n", b"Content-Disposition: linger\n",
    b"Content-Length: 5\n", b"Content-Length: 0\n", b"Content-Length: 40\n\n", b"Content-Length: -1\n",
    b"Content-Length: 99999999999999999999\n\n", b"Content-Length: ", b"Reply-Text: +OK\n", b"Reply-Text: -ERR x\n\n",
    b"Event-Name: CHANNEL_DATA\n", b"Event-Name: DTMF\n", b"Content-Type: command/reply\nReply-Text: +OK\n\n",
    b"Content-Length: 17\nContent-Type: text/event-plain\n\nEvent-Name: DTMF\n",
]  # fmt: skip

streams = st.one_of(
    st.binary(max_size=200),
    st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)), max_size=20).map(b"".join),
)
cuts = st.lists(st.integers(min_value=1, max_value=60), max_size=30)

HEAD, BODY = 150, 200  # small limits, so that a stream of 200 bytes can go over them


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    found, at = [], 0
    for size in sizes:
        found.append(data[at : at + size])
        at += size
    return [*found, data[at:]]


def feed(connection: Connection, chunks: Iterable[bytes]) -> tuple[list[Message], str]:
    """The messages that came out, and the error that ended it ("" for none).

    Fails where anything else happens, or more is kept than the limits allow.
    """
    found: list[Message] = []
    try:
        for chunk in chunks:
            connection.receive(chunk)
            while (message := connection.next_message()) is not NEED_DATA:
                assert isinstance(message, Message)
                read_all_of(message)
                found.append(message)
            assert len(connection._buffer) <= HEAD + 2 + BODY
        connection.receive_end()
    except RemoteProtocolError as error:
        for again in (connection.next_message, connection.receive_end, lambda: connection.receive(b"x")):
            with pytest.raises(RemoteProtocolError):
                again()
        return found, str(error)
    assert len(connection._buffer) == 0
    return found, ""


def read_all_of(message: Message) -> None:
    """Everything a message offers can be read, whatever its bytes are."""
    assert isinstance(message.content_type, str)
    headers = message.headers
    for name, value in headers.items():
        assert isinstance(value, str)
        assert "\n" not in name
    assert message.get("No-Such", "-") == "-"
    assert isinstance(message.text, str)
    assert isinstance(message.body, bytes)
    if isinstance(message, Event):
        assert isinstance(message.name, str)
    if isinstance(message, Reply):
        assert message.ok is not message.reply_text.startswith(("-ERR", "-USAGE"))
    if isinstance(message, Notice):
        assert message.lingering in (True, False)


def has_a_second_type(head: bytes) -> bool:
    """The answer to connect is looked through from its end, where a real one has each header once."""
    return head.startswith(b"Event-Name: ") and head.count(b"Content-Type: ") > 1


@given(data=streams, sizes=cuts)
@example(data=b"\n\n", sizes=[1])
@example(data=b"a" * (HEAD + 1), sizes=[HEAD])
@example(data=b"a" * HEAD + b"\n\n", sizes=[HEAD + 1])
@example(data=b"Content-Length: 201\n\n", sizes=[])
@example(data=b"Content-Length: 200\n\n" + b"a" * 200, sizes=[1, 1, 1])
@example(data=b"Content-Length: 5\n\nab", sizes=[3])
@example(data=b"Content-Length: \xd9\xa5\n\n", sizes=[])
@example(data=b"Content-Type: x\nContent-Length: 1_0\n\n", sizes=[])
def test_any_bytes_in_any_cuts(data: bytes, sizes: list[int]) -> None:
    whole = feed(Connection(HEAD, BODY), [data])
    cut = feed(Connection(HEAD, BODY), pieces(data, sizes))
    assert cut[0] == whole[0]
    assert [type(one) for one in cut[0]] == [type(one) for one in whole[0]]
    assert bool(cut[1]) == bool(whole[1])


@given(data=streams)
@example(data=b"\n\n\n\n\n")
@example(data=b"Content-Length: 1\n\nxContent-Length: 5\nContent-Type: text/event-plain\n\nA: b\n")
def test_the_messages_are_those_one_would_read_by_hand(data: bytes) -> None:
    found, error = feed(Connection(HEAD, BODY), [data])
    if error and "in the middle" not in error:
        return
    by_hand, rest = reference(data)
    assert bool(rest) == bool(error)
    if any(has_a_second_type(naive.head) for naive in by_hand):
        return
    assert [one.content_type for one in found] == [text(naive.kind) for naive in by_hand]
    for one, naive in zip(found, by_hand, strict=True):
        if naive.kind != b"text/event-plain":
            assert one.headers == naive.decoded
            assert one.body == naive.payload
        elif naive.is_as_the_switch_writes_it:  # else it is only known to be harmless
            assert one.headers == naive.decoded
            assert one.body == naive.rest


@given(data=streams)
def test_a_message_is_of_the_class_its_type_says(data: bytes) -> None:
    classes = {
        "text/event-plain": Event,
        "command/reply": Reply,
        "api/response": Reply,
        "text/disconnect-notice": Notice,
    }
    for message in feed(Connection(HEAD, BODY), [data])[0]:
        if has_a_second_type(message.head):
            continue
        assert type(message) is classes.get(message.content_type, Message)


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
@pytest.mark.parametrize("excess", [0, 1])
def test_the_limit_of_a_head_is_exact(chunk: int, excess: int) -> None:
    data = b"X: ".ljust(HEAD + excess, b"a") + b"\n\n"
    found, error = feed(Connection(HEAD, BODY), [data[at : at + chunk] for at in range(0, len(data), chunk)])
    assert (len(found), bool(error)) == ((0, True) if excess else (1, False))
    assert (str(HEAD) in error) == bool(excess)


def test_a_head_without_an_end_is_refused_as_soon_as_it_is_too_long() -> None:
    connection = Connection(HEAD, BODY)
    connection.receive(b"a" * (HEAD + 1))  # its last byte may be the first of the two that end it
    assert connection.next_message() is NEED_DATA
    connection.receive(b"a")
    with pytest.raises(RemoteProtocolError, match=str(HEAD)):
        connection.next_message()


def test_the_answer_to_connect_has_no_body() -> None:
    """It describes the channel in one block (01b), whatever a header of the channel's is called."""
    connection = Connection()
    connection.receive(
        b"Event-Name: CHANNEL_DATA\nContent-Length: 400\nContent-Type: command/reply\nReply-Text: %2BOK%0A\n"
        b"Socket-Mode: async\nControl: full\n\n"
    )
    answer = connection.next_message()
    assert isinstance(answer, Reply)
    assert answer.get("Control") == "full"
    assert answer.body == b""
    connection.receive_end()


@pytest.mark.parametrize("excess", [0, 1])
def test_the_limit_of_a_body_is_exact(excess: int) -> None:
    data = b"Content-Length: %d\n\n" % (BODY + excess) + b"a" * (BODY + excess)
    found, error = feed(Connection(HEAD, BODY), [data])
    assert (len(found), bool(error)) == ((0, True) if excess else (1, False))
    assert (str(BODY) in error) == bool(excess)


def test_a_body_that_is_too_long_is_refused_before_it_comes() -> None:
    connection = Connection(HEAD, BODY)
    connection.receive(b"Content-Length: 201\n\n")
    with pytest.raises(RemoteProtocolError, match="a body of 201 bytes; the limit is 200"):
        connection.next_message()


def test_the_limits_hold_what_a_real_switch_sends() -> None:
    """A 70 kB variable made single events of 426 kB (06g, 08k); a body may also be a long list of calls."""
    assert MAX_HEAD >= 1 << 20
    assert MAX_BODY >= 8 << 20


@pytest.mark.parametrize(
    "length", ["-1", "+5", "5x", "0x5", "1_0", "5 5", "", " ", "five", "5.0", "1" * 13, "9" * 5000, "\u0665", "5\0"]
)
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    connection = Connection()
    connection.receive(f"Content-Type: text/event-plain\nContent-Length: {length}\n\nabcdef".encode())
    with pytest.raises(RemoteProtocolError, match="Content-Length"):
        connection.next_message()


@pytest.mark.parametrize(
    "data", [b"C", b"Content-Length: 10\n\n", b"Content-Length: 10\n\n123456789", b"Content-Type: command/reply\n"]
)
def test_an_end_in_the_middle_of_a_message_is_an_error(data: bytes) -> None:
    connection = Connection()
    connection.receive(data)
    assert connection.next_message() is NEED_DATA
    with pytest.raises(RemoteProtocolError, match="in the middle of a message"):
        connection.receive_end()
    with pytest.raises(RemoteProtocolError, match="in the middle of a message"):
        connection.next_message()


def test_an_end_between_messages_is_none() -> None:
    connection = Connection()
    connection.receive_end()
    connection.receive(b"Content-Type: auth/request\n\n")
    message = connection.next_message()
    assert isinstance(message, Message)
    assert message.content_type == "auth/request"
    connection.receive_end()


def test_need_data_changes_nothing() -> None:
    connection = Connection()
    connection.receive(b"Content-Length: 3\n\nab")
    assert [connection.next_message() for _ in range(3)] == [NEED_DATA] * 3
    connection.receive(b"c")
    message = connection.next_message()
    assert isinstance(message, Message)
    assert message.body == b"abc"


@pytest.mark.parametrize("head", [b"", b"Content-Length: 1000\n\n", b"Content-Length: 999999999\n\n"])
def test_a_switch_that_never_stops_is_held_to_the_limits(head: bytes) -> None:
    """64 MB of one head, or of a body that claims to be huge: an error, and no more memory than the limits."""
    connection, junk = Connection(100_000, 100_000), b"a" * 65_536
    tracemalloc.start()
    try:
        connection.receive(head)
        failed = False
        try:
            for _ in range(1000):
                while connection.next_message() is not NEED_DATA:
                    pass
                connection.receive(junk)
        except RemoteProtocolError:
            failed = True
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert failed
    assert peak < 1_000_000
    assert kept < 50_000  # what the buffer held is let go with the error


def test_many_small_messages_in_one_receive_cost_their_size_once() -> None:
    """Taking one message must not copy all that is behind it: 20,000 replies are quick or this takes minutes."""
    connection, reply = Connection(), b"Content-Type: command/reply\nReply-Text: +OK Events Enabled\n\n"
    connection.receive(reply * 20_000)
    count = 0
    while connection.next_message() is not NEED_DATA:
        count += 1
    assert count == 20_000


def test_a_fixed_answer_reads_as_if_parsed() -> None:
    """The most frequent reply has a short cut through the reader; it must not be seen."""
    short, longer = Connection(), Connection()
    short.receive(b"Content-Type: command/reply\nReply-Text: +OK\n\n")
    longer.receive(b"Reply-Text: +OK\nContent-Type: command/reply\n\n")
    one, other = short.next_message(), longer.next_message()
    assert isinstance(one, Reply)
    assert isinstance(other, Reply)
    assert one.headers == other.headers
    assert one.ok
    assert one.reply_text == "+OK"
    assert one.body == b""
    assert one.content_type == "command/reply"


def test_a_slow_sender_does_not_have_all_it_sent_copied_each_time() -> None:
    connection = Connection()
    connection.receive(b"Content-Type: x\n" + b"a" * 1000)
    kept = connection._buffer
    for _ in range(50):
        connection.receive(b"a")
    assert connection._buffer is kept
    connection.receive(b"\n\nContent-Length: 9")
    assert connection._buffer is kept
    assert kept == b"Content-Length: 9"
