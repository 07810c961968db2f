"""Every transcript of a real switch through the connection: however it is cut, the same messages."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from fsivr.esl.messages import Event, Message, Notice, Reply
from tests.esl.naive import reference, text
from tests.esl.transcript import FROM_SWITCH, load, messages, names, stream

NAMES = names()
SEEDS = range(4)

#: Closed before the switch had said anything.
EMPTY = {"09j_accept_then_close", "09r_accept_close_caller_hangs_up"}

#: Messages of each Content-Type in all transcripts; those without one are the broken answers of
#: getvar to a value with line breaks.
KINDS: dict[str, int] = {
    "": 1,
    "api/response": 46,
    "auth/request": 23,
    "command/reply": 1139,
    "text/disconnect-notice": 128,
    "text/event-json": 27,
    "text/event-plain": 2076,
    "text/event-xml": 10,
    "text/rude-rejection": 1,
}


def same(left: list[Message], right: list[Message]) -> bool:
    # Messages are tuples, and tuples of different classes can be equal.
    return left == right and [type(one) for one in left] == [type(one) for one in right]


def random_cuts(data: bytes, seed: int) -> Iterator[bytes]:
    rng = random.Random(seed)
    longest = (40, 300, 5_000, 80_000)[seed % 4]
    at = 0
    while at < len(data):
        size = rng.randint(1, longest)
        yield data[at : at + size]
        at += size


def test_the_transcripts_are_here() -> None:
    assert len(NAMES) == 131
    assert sum(len(stream(name)) for name in NAMES) == 11_478_529
    assert {name for name in NAMES if not stream(name)} == EMPTY


@pytest.mark.parametrize("name", NAMES)
def test_a_transcript_reads_the_same_whole_and_as_it_came(name: str) -> None:
    whole = messages([stream(name)])
    as_it_came = messages(line.data for line in load(name) if line.direction == FROM_SWITCH)
    assert same(whole, as_it_came)
    assert bool(whole) == (name not in EMPTY)


@pytest.mark.parametrize("name", NAMES)
def test_a_transcript_reads_the_same_one_byte_at_a_time(name: str) -> None:
    data = stream(name)
    one_by_one = messages(data[at : at + 1] for at in range(len(data)))
    assert same(messages([data]), one_by_one)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_transcript_reads_the_same_in_random_cuts(seed: int) -> None:
    for name in NAMES:
        data = stream(name)
        assert same(messages([data]), messages(random_cuts(data, seed))), name


@pytest.mark.parametrize("name", NAMES)
def test_a_transcript_reads_as_one_would_by_hand(name: str) -> None:
    by_hand, rest = reference(stream(name))
    assert rest == b""
    ours = messages([stream(name)])
    assert len(ours) == len(by_hand)
    for message, naive in zip(ours, by_hand, strict=True):
        assert message.content_type == text(naive.kind)
        assert message.headers == naive.decoded
        for header, value in naive.decoded.items():
            assert message.get(header) == value
        assert message.get("No-Such-Header", "absent") == "absent"
        if naive.kind == b"text/event-plain":
            assert isinstance(message, Event)
            assert message.name == naive.decoded.get("Event-Name", "")
            assert message.body == naive.rest
        else:
            assert not isinstance(message, Event)
            assert message.body == naive.payload
            assert message.text == text(naive.payload)
        assert isinstance(message, Reply) == (naive.kind in (b"command/reply", b"api/response"))
        assert isinstance(message, Notice) == (naive.kind == b"text/disconnect-notice")


def test_the_kinds_of_message_in_all_transcripts() -> None:
    """What the sum of all transcripts holds, so that a reader that drops some is seen."""
    kinds: dict[str, int] = {}
    for name in NAMES:
        for message in messages([stream(name)]):
            kinds[message.content_type] = kinds.get(message.content_type, 0) + 1
    assert kinds == KINDS


def test_the_answer_to_connect_is_decoded() -> None:
    answer = messages([stream("01b_basic_sip")])[0]
    assert isinstance(answer, Reply)
    assert answer.ok
    assert answer.reply_text == "+OK"
    assert answer.get("Caller-Caller-ID-Name") == "Sipp Édith"
    assert answer.get("Channel-Name") == "sofia/internal/5557777@127.0.0.1:5101"
    assert answer.get("Socket-Mode") == "async"
    sdp = answer.get("variable_switch_r_sdp")
    assert sdp is not None
    assert sdp.startswith("v=0\r\no=user1 53655765")


def test_replies_are_not_decoded_twice() -> None:
    """An ordinary reply is not percent-encoded (07a), so a ``%`` in it stays."""
    answers = [one for one in messages([stream("10b_bgapi")]) if isinstance(one, Reply)]
    jobs = [one.get("Job-UUID") for one in answers if one.get("Job-UUID")]
    assert "my-job" in jobs
    assert len(jobs) == 6


def test_a_background_jobs_output_is_the_inner_body() -> None:
    jobs = [one for one in messages([stream("10b_bgapi")]) if isinstance(one, Event) and one.name == "BACKGROUND_JOB"]
    assert [one.get("Job-UUID") for one in jobs][1] == "my-job"
    assert jobs[2].text == "-ERR nosuch Command not found!\n"
    assert jobs[1].text.startswith("UP 0 years")
    assert int(jobs[1].get("Content-Length") or 0) == len(jobs[1].body)


def test_a_lingering_notice_is_not_the_end() -> None:
    notices = [one for one in messages([stream("03c_caller_hangup_linger5")]) if isinstance(one, Notice)]
    assert [one.lingering for one in notices] == [True, False]
    assert notices[0].body == b""
    assert notices[1].text == "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
