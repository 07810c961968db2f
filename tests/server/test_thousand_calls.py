"""A thousand calls with random verbs and random faults leave nothing behind."""

from __future__ import annotations

import random
from contextlib import ExitStack, suppress
from typing import Any

from fsivr import Call, Handler, Hangup, NoInput, NoMatch
from tests.leaks import until
from tests.server.test_faults import BREAKS, NOISE, VERBS, served

CALLS, AT_ONCE = 1000, 25
#: Music is repeated by the switch until the caller leaves, where the server is gone (FACTS 3.17).
ENDING = [name for name, verb in VERBS.items() if not verb.goes_on]


class Anything(Handler):
    """Verbs at random."""

    rng = random.Random(20261124)
    begun = 0
    hung_up = 0
    wrong: list[BaseException] = []  # noqa: RUF012  one for all of them

    def run(self, call: Call) -> None:
        kind = type(self)
        kind.begun += 1
        try:
            for verb in kind.rng.choices(ENDING, k=kind.rng.randint(1, 6)):
                with suppress(NoInput, NoMatch):
                    VERBS[verb].run(call)
        except Hangup:
            raise
        except BaseException as error:
            kind.wrong.append(error)
            raise

    def on_hangup(self, call: Call) -> None:
        type(self).hung_up += 1


def test_a_thousand_calls_with_random_faults(switch: Any) -> None:
    served(switch, reply_timeout=0.2, probe_interval=0.05)
    rng = random.Random(4)
    # A half-open line costs real time, the limit's, so it is rarer.
    faults = [name for name in BREAKS if name != "half open"] * 4 + list(NOISE) * 2 + ["half open", "gone", "none"]
    struck: dict[str, int] = {}
    for _ in range(CALLS // AT_ONCE):
        with ExitStack() as calls:
            callers = []
            for _ in range(AT_ONCE):
                fault = rng.choice(faults)
                struck[fault] = struck.get(fault, 0) + 1
                caller = switch.call(handler=Anything, gone_before_connect=fault == "gone")
                callers.append((calls.enter_context(caller), fault))
            for caller, fault in callers:
                caller.waits(rng.choice([0, 0, 0.02, 0.3, 1.1, 3]))
                act = BREAKS.get(fault) or NOISE.get(fault)
                if act is not None and not caller.over:
                    act(caller)
    server = switch._servers[-1][1]
    assert until(lambda: server.ports_in_use == 0, 20)
    assert sum(struck.values()) == CALLS
    assert set(struck) == set(faults)
    assert Anything.wrong == []
    assert Anything.begun > CALLS * 0.8
    assert Anything.hung_up == Anything.begun
    assert server.calls == []
    assert server.abandoned == 0
