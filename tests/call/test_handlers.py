"""Handlers that call upon each other: invoke returns, hand_over does not."""

from __future__ import annotations

from typing import Any

import pytest

from fsivr import Call, Handler, HangupCause
from tests.call.conversations import Open


class Told(Handler):
    """Remembers what was called, in order, over all classes."""

    told: list[str]

    def on_error(self, call: Call, error: BaseException) -> None:
        self.told.append(f"{type(self).__name__}.on_error {error}")

    def on_hangup(self, call: Call) -> None:
        assert call.hangup_cause is not None
        self.told.append(f"{type(self).__name__}.on_hangup")


@pytest.fixture(autouse=True)
def told() -> list[str]:
    Told.told = []
    return Told.told


class Number(Told):
    def run(self, call: Call) -> str:
        return call.ask("which/number", digits=2)


class Asks(Told):
    def run(self, call: Call) -> None:
        call.answer()
        call.play("you/chose", int(call.invoke(Number)))


def test_invoke_returns_what_the_other_returned(switch: Any, told: list[str]) -> None:
    with switch.call(handler=Asks) as caller:
        caller.hears("which/number")
        caller.dials("42")
        caller.hears("you/chose", 42)
    assert told == ["Number.on_hangup", "Asks.on_hangup"]


class Breaks(Told):
    def run(self, call: Call) -> None:
        raise LookupError("no such thing")


class Catches(Told):
    def run(self, call: Call) -> None:
        call.answer()
        try:
            call.invoke(Breaks)
        except LookupError:
            call.play("sorry")


class DoesNotCatch(Told):
    def run(self, call: Call) -> None:
        call.invoke(Breaks)


def test_what_leaves_the_other_can_be_caught(switch: Any, told: list[str]) -> None:
    with switch.call(handler=Catches) as caller:
        caller.hears("sorry")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING
    assert told == ["Breaks.on_hangup", "Catches.on_hangup"]


def test_what_nobody_catches_is_told_to_the_one_that_holds_the_call(switch: Any, told: list[str]) -> None:
    with switch.call(handler=DoesNotCatch) as caller:
        pass
    assert caller.hangup_cause is HangupCause.NORMAL_TEMPORARY_FAILURE
    assert told == ["DoesNotCatch.on_error no such thing", "Breaks.on_hangup", "DoesNotCatch.on_hangup"]


class HandsToOneThatBreaks(Told):
    def run(self, call: Call) -> None:
        call.hand_over(DoesNotCatch)


def test_an_error_after_hand_over_is_told_to_the_one_that_has_the_call_now(switch: Any, told: list[str]) -> None:
    with switch.call(handler=HandsToOneThatBreaks):
        pass
    assert told[0] == "DoesNotCatch.on_error no such thing"
    assert len([line for line in told if "on_error" in line]) == 1


class Second(Told):
    def run(self, call: Call) -> None:
        call.play("second")


class First(Told):
    def run(self, call: Call) -> None:
        call.answer()
        try:
            call.hand_over(Second)
        except Exception:  # noqa: BLE001  as handlers have it
            self.told.append("swallowed")
        self.told.append("went on")


def test_hand_over_does_not_return(switch: Any, told: list[str]) -> None:
    with switch.call(handler=First) as caller:
        caller.hears("second")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING
    assert told == ["Second.on_hangup", "First.on_hangup"]


class Invokes(Told):
    def run(self, call: Call) -> None:
        call.invoke(First)
        self.told.append("came back")


def test_an_invoked_handler_can_hand_over_too(switch: Any, told: list[str]) -> None:
    """The call is the other's from then on, and whoever invoked does not get it back."""
    with switch.call(handler=Invokes) as caller:
        caller.hears("second")
    assert told == ["Second.on_hangup", "First.on_hangup", "Invokes.on_hangup"]


class Hot(Told):
    rounds = 0

    def run(self, call: Call) -> None:
        Hot.rounds += 1
        if not call.over:
            call.hand_over(Hot)


def test_two_that_hand_a_call_to_each_other_do_not_stop_the_rest(switch: Any) -> None:
    with switch.call(handler=Hot) as caller:
        caller.waits(0.1)
        caller.hangs_up()
    assert Hot.rounds > 1


@pytest.mark.parametrize("verb", ["invoke", "hand_over"])
@pytest.mark.parametrize("wrong", ["Second", None, Second(), int])
def test_only_handler_classes_are_taken(open_call: Open, verb: str, wrong: Any) -> None:
    call, _ = open_call()
    with pytest.raises(TypeError, match=f"{verb} takes a Handler class, not"):
        getattr(call, verb)(wrong)
