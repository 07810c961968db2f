"""However a handler leaves, its call ends with the right cause, and its hooks are called."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from fsivr import (
    Call,
    ConnectionLost,
    FsivrError,
    Hangup,
    HangupCause,
    InputError,
    NoInput,
    NoMatch,
    PromptError,
    ReplyTimeout,
)
from tests.esl.peer import UUID
from tests.server.handlers import kills, plays, raising, talk, watched
from tests.server.serving import LONG, Serve

# -- how it leaves -----------------------------------------------------------------------


def test_it_returns_without_hanging_up(serve: Serve) -> None:
    serving, peer, seen = talk(serve, lambda call: call.answer())
    assert kills(peer) == ["NORMAL_CLEARING"]
    assert seen == [HangupCause.NORMAL_CLEARING]
    assert serving.ended == [HangupCause.NORMAL_CLEARING]


@pytest.mark.parametrize("cause", [HangupCause.NORMAL_CLEARING, HangupCause.USER_BUSY, HangupCause.CALL_REJECTED])
def test_it_hangs_up(serve: Serve, cause: HangupCause) -> None:
    after: list[str] = []

    def run(call: Call) -> None:
        call.hangup(cause)
        after.append("went on")  # type: ignore[unreachable]

    serving, peer, seen = talk(serve, run)
    assert set(kills(peer)) == {cause.name}
    assert seen == [cause]
    assert serving.ended == [cause]
    assert after == []


class Odd(BaseException):
    """Neither an Exception nor a Hangup."""


class OfOurs(FsivrError):
    """An application's error with a cause of its own."""

    hangup_cause = HangupCause.CHAN_NOT_IMPLEMENTED


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ValueError("on purpose"), HangupCause.NORMAL_TEMPORARY_FAILURE),
        (KeyError("on purpose"), HangupCause.NORMAL_TEMPORARY_FAILURE),
        (OfOurs("on purpose"), HangupCause.CHAN_NOT_IMPLEMENTED),
        (NoInput("on purpose"), HangupCause.NORMAL_CLEARING),
        (NoMatch("on purpose"), HangupCause.NORMAL_CLEARING),
        (PromptError("on purpose"), HangupCause.NORMAL_TEMPORARY_FAILURE),
        (ReplyTimeout("on purpose"), HangupCause.RECOVERY_ON_TIMER_EXPIRE),
        (ConnectionLost("on purpose"), HangupCause.NETWORK_OUT_OF_ORDER),
        (gevent.Timeout(1), HangupCause.NORMAL_TEMPORARY_FAILURE),
        (SystemExit(1), HangupCause.NORMAL_TEMPORARY_FAILURE),
        (KeyboardInterrupt(), HangupCause.NORMAL_TEMPORARY_FAILURE),
        (GeneratorExit(), HangupCause.NORMAL_TEMPORARY_FAILURE),
        (StopIteration(), HangupCause.NORMAL_TEMPORARY_FAILURE),
        (Odd("on purpose"), HangupCause.NORMAL_TEMPORARY_FAILURE),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_it_raises(serve: Serve, caplog: pytest.LogCaptureFixture, error: BaseException, cause: HangupCause) -> None:
    serving, peer, seen = talk(serve, raising(error))
    assert kills(peer) == [cause.name]
    assert seen == [error, cause]  # on_error with it, then on_hangup, each once
    assert serving.ended == [cause]
    told = [one for one in caplog.records if one.levelname == "ERROR"]
    if isinstance(error, InputError):
        assert told == []  # a caller who keys nothing usable is no fault of the program
        return
    [record] = told
    assert UUID in record.getMessage()
    assert record.exc_info
    assert record.exc_info[1] is error


def test_it_raises_hangup_itself(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    _, peer, seen = talk(serve, raising(Hangup(HangupCause.USER_BUSY)))
    assert kills(peer) == ["USER_BUSY"]
    assert seen == [HangupCause.USER_BUSY]  # no error
    assert caplog.records == []


def test_it_is_killed(serve: Serve) -> None:
    _, peer, seen = talk(serve, raising(gevent.GreenletExit()))
    assert kills(peer) == ["MANAGER_REQUEST"]
    assert seen == [HangupCause.MANAGER_REQUEST]


def test_it_cannot_be_made(serve: Serve) -> None:
    def fails(self: Any) -> None:
        raise ValueError("on purpose")

    kind = watched(lambda call: None, __init__=fails)
    serving = serve(kind)
    peer = serving.call(plays)
    assert serving.settled()
    assert kills(peer) == ["NORMAL_TEMPORARY_FAILURE"]
    assert serving.ended == [HangupCause.NORMAL_TEMPORARY_FAILURE]


# -- what is called afterwards ------------------------------------------------------------------


@pytest.mark.parametrize("where", ["on_error", "on_hangup"])
@pytest.mark.parametrize("error", [ValueError("again"), Odd("again"), gevent.Timeout(1), Hangup(HangupCause.CRASH)])
def test_a_failure_in_a_hook_changes_nothing(serve: Serve, where: str, error: BaseException) -> None:
    def fails(self: Any, *arguments: Any) -> None:
        raise error

    kind = watched(raising(ValueError("first")), **{where: fails})
    serving = serve(kind)
    peer = serving.call(plays)
    assert serving.settled()
    assert kills(peer) == ["NORMAL_TEMPORARY_FAILURE"]
    assert len(kind.seen) == 1  # the other hook was called all the same
    assert serving.ended == [HangupCause.NORMAL_TEMPORARY_FAILURE]


def test_on_error_may_still_play(serve: Serve) -> None:
    """The call is up yet: an apology can be heard."""

    def apologises(self: Any, call: Call, error: BaseException) -> None:
        call.play("sorry")

    kind = watched(raising(ValueError("on purpose")), on_error=apologises)
    serving = serve(kind)
    peer = serving.call(plays)
    assert serving.settled()
    assert [one.get("execute-app-arg") for one in peer.executed][-1] == "sorry.wav"
    assert kills(peer) == ["NORMAL_TEMPORARY_FAILURE"]


def test_verbs_in_on_hangup_raise_hangup(serve: Serve) -> None:
    raised: list[BaseException] = []

    def tries(self: Any, call: Call) -> None:
        for verb in (call.answer, lambda: call.play("a"), lambda: call.hangup(), lambda: call.sleep(1)):
            try:
                verb()
            except Hangup as error:
                raised.append(error)

    kind = watched(lambda call: None, on_hangup=tries)
    serving = serve(kind)
    serving.call(plays)
    assert serving.settled()
    assert [error.cause for error in raised if isinstance(error, Hangup)] == [HangupCause.NORMAL_CLEARING] * 4


def test_data_of_the_call_is_there_in_on_hangup(serve: Serve) -> None:
    told: list[Any] = []

    def looks(self: Any, call: Call) -> None:
        told.extend([call.uuid, call.over, call.hangup_cause])

    serving = serve(watched(lambda call: None, on_hangup=looks))
    serving.call(plays)
    assert serving.settled()
    assert told == [UUID, True, HangupCause.NORMAL_CLEARING]


def test_a_switch_that_does_not_confirm_the_hangup(serve: Serve) -> None:
    kind = watched(lambda call: call.answer())
    serving = serve(kind, reply_timeout=0.2)
    peer = serving.call(lambda peer, packet: None if "uuid_kill" in packet.command else plays(peer, packet))
    assert serving.settled()
    assert peer.wait_end(10)
    assert kind.seen == [HangupCause.NORMAL_CLEARING]


def test_nothing_of_one_call_is_in_the_next(serve: Serve) -> None:
    made: list[int] = []

    def run(call: Call) -> None:
        call.play("a")

    kind = watched(run, __init__=lambda self: made.append(id(self)))
    serving = serve(kind)
    for _ in range(3):
        assert serving.call(plays).wait_end(10)
    assert serving.settled(3)
    assert len(made) == 3
    assert kind.seen == [HangupCause.NORMAL_CLEARING] * 3


def test_the_limits_here_are_longer_than_any_test() -> None:
    assert min(LONG.values()) >= 60
