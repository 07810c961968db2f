"""Each fault of the line against a handler in each verb: the verb ends, on_hangup runs, nothing is left.

The simulated switch's clock stands still unless a caller waits, and the server's
limits are a minute: where a verb ends here, it was the fault that ended it and
not a time that ran out. (A half-open line is silence, which nothing but a limit
can end: there the limits are short.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.event import Event as Flag

from fsivr import Call, ESLError, Handler, Hangup, HangupCause
from fsivr.esl.orders import Limits
from fsivr.simulator import Caller
from fsivr.simulator.api import run as run_api
from tests.leaks import until
from tests.verbs import VERBS

BREAKS: dict[str, Callable[[Caller], Any]] = {
    "end of file": lambda caller: caller.line.eof(),
    "reset": lambda caller: caller.line.reset(),
    "half open": lambda caller: caller.line.half_open(),
    "body cut short": lambda caller: caller.line.cut_body(),
    "caller hangs up": lambda caller: caller.hangs_up(),
}

#: What the switch may do to its events without a verb being wrong or a call going wrong.
NOISE: dict[str, Callable[[Caller], Any]] = {
    "bad UTF-8": lambda caller: caller.line.bad_utf8(),
    "duplicated events": lambda caller: caller.line.duplicate_events(),
    "reordered events": lambda caller: caller.line.reorder_events(),
}

#: Those that need the switch's clock to move before they are seen: something must be sent for it to be cut.
NEED_TIME = ("body cut short", "caller hangs up")


class Probe:
    """A handler in a verb, and what became of both."""

    def __init__(self, verb: str, *, hurried: bool = False) -> None:
        self.hurried = hurried
        self.entered, self.go, self.left = Flag(), Flag(), Flag()
        self.before: Callable[[], Any] = lambda: None
        self.raised: BaseException | None = None
        self.errors: list[BaseException] = []
        self.hung_up: list[HangupCause | None] = []
        self.handler = probing(self, verb)


def probing(probe: Probe, verb: str) -> type[Handler]:
    """The handler of a probe."""

    class Probing(Handler):
        def run(self, call: Call) -> None:
            if probe.hurried:  # only now: to connect may take longer on a busy machine
                call._session.limits = Limits(reply=0.05, probe=0.02)  # type: ignore[attr-defined]
                call._session._exchange.timeout = 0.05  # type: ignore[attr-defined]
            probe.entered.set()
            probe.go.wait()
            probe.before()
            try:
                VERBS[verb].run(call)
            except BaseException as error:
                probe.raised = error
                raise
            finally:
                probe.left.set()

        def on_error(self, call: Call, error: BaseException) -> None:
            probe.errors.append(error)

        def on_hangup(self, call: Call) -> None:
            probe.hung_up.append(call.hangup_cause)

    return Probing


def served(switch: Any, **short: float) -> Any:
    """The switch, with limits that cannot be what ends a verb, or with the given ones."""
    long = {"reply_timeout": 60.0, "probe_interval": 60.0, "hangup_grace": 60.0, "call_limit": 600.0}
    switch.settings = dataclasses.replace(switch.settings, **{**long, **short})
    switch.grace = 0.01  # what waits for the test cannot be waited for
    for verb in VERBS.values():
        verb.setup(switch)
    closing_time(switch)
    return switch


def closing_time(switch: Any) -> None:
    """Every 40 s whoever is in the conference has to leave it."""
    run_api(switch, "conference", "sales kick all")
    switch.clock.call_at(switch.clock.now() + 40, lambda: closing_time(switch))


def strike_before(caller: Caller, probe: Probe, fault: str) -> None:
    """While the handler is between two verbs."""
    BREAKS[fault](caller)
    gevent.sleep(0.02)
    probe.go.set()


def strike_racing(caller: Caller, probe: Probe, fault: str) -> None:
    """When the verb's command has been written, and before the switch reads it."""
    probe.before = lambda: gevent.spawn(BREAKS[fault], caller)
    probe.go.set()


def strike_at_once(caller: Caller, probe: Probe, fault: str) -> None:
    """When the switch has the command and has not begun."""
    probe.go.set()
    gevent.sleep(0.02)
    assert not probe.left.is_set()
    BREAKS[fault](caller)


def strike_in_the_middle(caller: Caller, probe: Probe, fault: str) -> None:
    """While the application runs."""
    probe.go.set()
    caller.waits(0.4)
    assert not probe.left.is_set()
    BREAKS[fault](caller)


STRIKES = {
    "before": strike_before,
    "racing": strike_racing,
    "at once": strike_at_once,
    "in the middle": strike_in_the_middle,
}


def cases() -> list[Any]:
    found = []
    for verb in VERBS:
        for fault in BREAKS:
            for strike in STRIKES:
                if VERBS[verb].brief and strike in ("at once", "in the middle"):
                    continue
                if VERBS[verb].quick and strike == "in the middle":
                    continue
                found.append(pytest.param(verb, fault, strike, id=f"{verb}-{fault}-{strike}"))
    return found


@pytest.mark.parametrize(("verb", "fault", "strike"), cases())
def test_a_fault_ends_the_verb(switch: Any, verb: str, fault: str, strike: str) -> None:
    served(switch)
    probe = Probe(verb, hurried=fault == "half open")
    with switch.call(handler=probe.handler) as caller:
        server = switch._servers[-1][1]
        caller.waits(0.05)  # the channel is parked, and the handler waits for its turn
        assert probe.entered.is_set()
        STRIKES[strike](caller, probe, fault)
        if fault in NEED_TIME:
            caller.waits(120)
        assert probe.left.wait(20), "the verb did not end"
        assert until(lambda: probe.hung_up, 20), "on_hangup did not run"
        assert until(lambda: server.ports_in_use == 0, 20)
        if VERBS[verb].goes_on:
            caller.hangs_up()  # the switch repeats it for as long as there is somebody to hear it
    # That no greenlet and no socket is left is asserted by the fixture, as for every test that uses it.
    if VERBS[verb].brief and probe.raised is None:
        # The switch had answered; a cut body is only seen at the hangup that follows.
        assert fault in NEED_TIME
    elif fault in VERBS[verb].survives:
        # One cannot be seen before the hangup where nothing is sent on the caller's own line meanwhile.
        assert probe.raised is None or isinstance(probe.raised, Hangup)
    else:
        assert isinstance(probe.raised, Hangup)
    assert len(probe.hung_up) == 1
    assert probe.errors == []
    if fault == "caller hangs up" and isinstance(probe.raised, Hangup) and not VERBS[verb].last:
        assert probe.hung_up == [caller.hangup_cause]
        assert probe.raised.error is None
    elif isinstance(probe.raised, Hangup) and not VERBS[verb].last:
        assert isinstance(probe.raised.error, ESLError)


@pytest.mark.parametrize("fault", NOISE)
@pytest.mark.parametrize("verb", VERBS)
def test_noise_changes_nothing(switch: Any, verb: str, fault: str) -> None:
    served(switch)
    probe = Probe(verb)
    probe.go.set()
    with switch.call(handler=probe.handler) as caller:
        NOISE[fault](caller)
        VERBS[verb].meanwhile(caller)
        caller.join()
    assert probe.left.is_set()
    assert probe.raised is None or VERBS[verb].last
    assert probe.errors == []
    expected = VERBS[verb].ends_with
    assert probe.hung_up == [expected]
    # A call that was transferred goes on, and ends by itself.
    assert caller.hangup_cause is (HangupCause.NORMAL_CLEARING if verb == "transfer" else expected)


def test_no_verb_is_missing() -> None:
    """What a call can do, by name, is held against every fault."""
    # What is only told is no verb, and hand_over leaves by an exception of its own.
    verbs = {name for name in dir(Call) if not (name.startswith("_") or isinstance(getattr(Call, name), property))}
    verbs -= {"hand_over"}
    held = set().union(*(verb.run.__code__.co_names for verb in VERBS.values()))
    assert not verbs - held


def test_duplicates_do_not_end_the_next_verb(switch: Any) -> None:
    """The second copy of one prompt's end must not be taken for the next one's."""
    served(switch)
    told: list[float] = []

    class Twice(Handler):
        def run(self, call: Call) -> None:
            call.play("one")
            told.append(switch.clock.now())
            call.play("two")
            told.append(switch.clock.now())

    with switch.call(handler=Twice) as caller:
        caller.line.duplicate_events()
        caller.hears("one", "two")
    assert told[1] - told[0] >= 1  # a sound lasts a second on the switch's clock


@pytest.mark.parametrize("mode", ["async full"])
def test_a_caller_who_is_gone_before_connect(switch: Any, mode: str) -> None:
    served(switch)
    probe = Probe("play one")
    probe.go.set()
    with switch.call(handler=probe.handler, gone_before_connect=True, mode=mode):
        server = switch._servers[-1][1]
    assert until(lambda: server.ports_in_use == 0, 20)
    assert probe.raised is None or isinstance(probe.raised, Hangup)
    assert len(probe.hung_up) == probe.entered.is_set()


def test_a_handler_in_no_verb(switch: Any) -> None:
    """It computes while the line breaks: its next verb raises, on_hangup runs."""
    served(switch)
    probe = Probe("play one")
    with switch.call(handler=probe.handler) as caller:
        caller.waits(0.05)
        assert probe.entered.is_set()
        caller.line.eof()
        gevent.sleep(0.05)
        assert probe.hung_up == []
        probe.go.set()
        assert probe.left.wait(20)
    assert isinstance(probe.raised, Hangup)
    assert until(lambda: probe.hung_up == [HangupCause.NETWORK_OUT_OF_ORDER])
