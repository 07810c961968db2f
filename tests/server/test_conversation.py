"""Whatever a handler does, its call ends with the right cause, and nothing of it is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.event import Event as Flag
from gevent.lock import Semaphore
from gevent.queue import Queue

from fsivr import (
    Call,
    ConnectionLost,
    FsivrError,
    Handler,
    Hangup,
    HangupCause,
    InputError,
    NoInput,
    NoMatch,
    PromptError,
    ReplyTimeout,
)
from tests.esl.peer import CONNECT_REPLY, OK, UUID, Peer, api_response, complete, hangup
from tests.esl.switch_rules import Packet
from tests.leaks import left, nothing_more_than, until
from tests.server.conftest import LONG, Serve, Serving


def plays(peer: Peer, packet: Packet) -> Any:
    """A switch that plays anything but "long" at once, and hangs up when it is told to."""
    if packet.get("execute-app-name"):
        return OK if "long" in (packet.get("execute-app-arg") or "") else OK + complete(packet)
    if "uuid_kill" in packet.command:
        return api_response("+OK\n") + hangup(packet.command.rpartition(" ")[2])
    return NotImplemented


def kills(peer: Peer) -> list[str]:
    """The causes that the switch was told to hang up with."""
    return [one.command.removeprefix(f"api uuid_kill {UUID} ") for one in peer.commands if "uuid_kill" in one.command]


class Watched(Handler):
    """Remembers what was called."""

    seen: list[Any]

    def on_error(self, call: Call, error: BaseException) -> None:
        self.seen.append(error)

    def on_hangup(self, call: Call) -> None:
        self.seen.append(call.hangup_cause)


def watched(run: Callable[[Call], Any], **methods: Any) -> type[Watched]:
    """A handler class with this ``run``."""
    return type("Watching", (Watched,), {"run": lambda self, call: run(call), "seen": [], **methods})


def talk(serve: Serve, run: Callable[[Call], Any], **settings: Any) -> tuple[Serving, Peer, list[Any]]:
    """A call to a handler, up to its end."""
    kind = watched(run)
    serving = serve(kind, **settings)
    peer = serving.call(plays)
    assert serving.settled()
    assert peer.wait_end(10)
    return serving, peer, kind.seen


def raising(error: BaseException) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        call.answer()
        raise error

    return run


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


# -- when the caller leaves ------------------------------------------------------------------------


def leaving(serve: Serve, run: Callable[[Call], Any], **settings: Any) -> tuple[Serving, Peer, list[Any]]:
    """A call whose caller hangs up while the handler is in its second prompt."""
    kind = watched(run)
    serving = serve(kind, **settings)
    before = left()
    peer = serving.call(plays)
    assert until(lambda: any("long" in (one.get("execute-app-arg") or "") for one in peer.executed))
    peer.send(hangup("ORIGINATOR_CANCEL"))
    assert serving.settled()
    assert peer.wait_end(10)
    peer.close()
    nothing_more_than(before)  # not even a handler that had to be left behind, which might call a hook again
    return serving, peer, kind.seen


def test_the_verb_raises_hangup(serve: Serve) -> None:
    raised: list[BaseException] = []

    def run(call: Call) -> None:
        try:
            call.play("long")
        except BaseException as error:
            raised.append(error)
            raise

    serving, peer, seen = leaving(serve, run)
    assert [type(error) for error in raised] == [Hangup]
    assert seen == [HangupCause.ORIGINATOR_CANCEL]
    assert kills(peer) == []  # it is over; nothing is left to hang up
    assert serving.ended == [HangupCause.ORIGINATOR_CANCEL]


def test_except_exception_does_not_keep_it(serve: Serve) -> None:
    def run(call: Call) -> None:
        while True:
            try:  # noqa: SIM105  as people write it
                call.play("long")
            except Exception:
                pass

    _, _, seen = leaving(serve, run)
    assert seen == [HangupCause.ORIGINATOR_CANCEL]


def test_swallowing_hangup_once_ends_as_well(serve: Serve) -> None:
    def run(call: Call) -> None:
        try:  # noqa: SIM105
            call.play("long")
        except BaseException:
            pass
        call.play("goodbye")

    _, peer, seen = leaving(serve, run)
    assert seen == [HangupCause.ORIGINATOR_CANCEL]
    assert "goodbye.wav" not in [one.get("execute-app-arg") for one in peer.executed]


def swallows_everything(call: Call) -> None:
    while True:
        try:  # noqa: SIM105
            call.play("long")
        except:  # noqa: E722
            pass


def swallows_in_a_function(call: Call) -> None:
    def play() -> None:
        try:
            call.play("long")
        except BaseException:
            return

    while True:
        play()


def swallows_in_a_finally(call: Call) -> None:
    while True:
        try:
            call.play("long")
        finally:
            continue  # noqa: B012


def swallows_and_sleeps(call: Call) -> None:
    while True:
        try:
            call.play("long")
        except BaseException:
            gevent.sleep(0.01)


@pytest.mark.parametrize(
    "run", [swallows_everything, swallows_in_a_function, swallows_in_a_finally, swallows_and_sleeps]
)
def test_a_bare_except_in_a_loop_does_not_keep_it(serve: Serve, run: Callable[[Call], Any]) -> None:
    serving, _, seen = leaving(serve, run, hangup_grace=0.05)
    assert seen == [HangupCause.ORIGINATOR_CANCEL]
    assert serving.ended == [HangupCause.ORIGINATOR_CANCEL]


def test_a_handler_that_cannot_be_thrown_out_is_left_behind_and_told(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """It swallows all and never comes back to a verb. Its call ends all the same, and its port is free."""
    release = Flag()

    def run(call: Call) -> None:
        call.answer()
        entered.set()
        while not release.is_set():
            try:  # noqa: SIM105
                release.wait(0.02)
            except BaseException:
                pass

    entered = Flag()
    kind = watched(run)
    serving = serve(kind, hangup_grace=0.02)
    peer = serving.call(plays)
    assert entered.wait(10)
    peer.send(hangup("USER_BUSY"))
    assert serving.settled()
    assert peer.wait_end(10)
    assert kind.seen == [HangupCause.USER_BUSY]
    assert serving.ended == [HangupCause.USER_BUSY]
    assert serving.server.abandoned == 1
    assert UUID in caplog.text
    release.set()


def test_a_bare_except_in_a_loop_leaves_the_rest_of_the_server_alone(serve: Serve) -> None:
    """While one handler goes round and round, others are served."""

    class Both(Handler):
        def run(self, call: Call) -> None:
            if call.caller == "5557777":
                swallows_everything(call)
            call.play("short")

    serving = serve(Both, hangup_grace=0.3)
    bad = serving.call(plays)
    assert until(lambda: bad.executed)
    bad.send(hangup())
    gevent.sleep(0.05)
    other = CONNECT_REPLY.replace(b"5557777", b"4")
    for _ in range(10):
        good = serving.call(lambda peer, packet: other if packet.command == "connect" else plays(peer, packet))
        assert good.wait_end(10)
        assert kills(good) == ["NORMAL_CLEARING"]
    assert serving.settled(11)


@pytest.mark.parametrize("wait", ["event", "sleep", "lock", "queue", "join"])
def test_it_blocks_for_ever(serve: Serve, wait: str) -> None:
    """In something that knows nothing of calls: thrown out when the grace is over."""
    lock = Semaphore(0)
    blocks: dict[str, Callable[[], Any]] = {
        "event": Flag().wait,
        "sleep": lambda: gevent.sleep(3600),
        "lock": lock.acquire,
        "queue": Queue[int]().get,
        "join": lambda: blocked.join(),
    }
    blocked = gevent.spawn(Flag().wait)
    entered = Flag()

    def run(call: Call) -> None:
        call.answer()
        entered.set()
        blocks[wait]()

    kind = watched(run)
    serving = serve(kind, hangup_grace=0.05)
    peer = serving.call(plays)
    assert entered.wait(10)
    peer.send(hangup("USER_BUSY"))
    assert serving.settled()
    assert kind.seen == [HangupCause.USER_BUSY]
    blocked.kill()


def test_it_goes_on_within_the_grace(serve: Serve) -> None:
    """Work after the hangup, such as writing down what was keyed, is not cut off."""
    done: list[str] = []
    entered, finish = Flag(), Flag()

    def run(call: Call) -> None:
        call.answer()
        entered.set()
        finish.wait()
        done.append("written")

    kind = watched(run)
    serving = serve(kind)
    peer = serving.call(plays)
    assert entered.wait(10)
    peer.send(hangup())
    gevent.sleep(0.05)
    assert kind.seen == []
    finish.set()
    assert serving.settled()
    assert done == ["written"]
    assert kind.seen == [HangupCause.NORMAL_CLEARING]


def test_on_hangup_that_blocks_for_ever_is_thrown_out(serve: Serve) -> None:
    kind = watched(lambda call: None, on_hangup=lambda self, call: Flag().wait())
    serving = serve(kind, hangup_grace=0.05)
    peer = serving.call(plays)
    assert serving.settled()
    assert peer.wait_end(10)


def test_on_error_that_blocks_for_ever_is_thrown_out(serve: Serve) -> None:
    """The caller waits in silence: the call's own limit ends it."""
    kind = watched(raising(ValueError("on purpose")), on_error=lambda self, call, error: Flag().wait())
    serving = serve(kind, hangup_grace=0.05, call_limit=0.1)
    serving.call(plays)
    assert serving.settled()
    assert kind.seen == [HangupCause.ALLOTTED_TIMEOUT]


# -- limits -------------------------------------------------------------------------------------------


def test_a_call_that_lasts_too_long_is_ended(serve: Serve) -> None:
    _, peer, seen = talk(serve, lambda call: call.play("long"), call_limit=0.1)
    assert kills(peer) == ["ALLOTTED_TIMEOUT"]
    assert seen == [HangupCause.ALLOTTED_TIMEOUT]


def test_a_handler_that_computes_past_the_limit_is_ended(serve: Serve) -> None:
    _, peer, seen = talk(serve, lambda call: Flag().wait(), call_limit=0.1, hangup_grace=0.05)
    assert seen == [HangupCause.ALLOTTED_TIMEOUT]
    assert "ALLOTTED_TIMEOUT" in kills(peer)


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
