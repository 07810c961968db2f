"""What a server counts of itself."""

from __future__ import annotations

import json

from gevent.event import Event as Flag

from fsivr import Dialplan, HangupCause
from fsivr.call.noted import _VERBS
from fsivr.durations import OTHER, Durations
from fsivr.server.counts import VERBS, Counts
from fsivr.server.watchdog import Block
from tests.leaks import until
from tests.server.serving import Counting, Returning, Serve, switch


def test_a_duration_is_in_the_first_bucket_that_holds_it() -> None:
    durations = Durations(["a", "b"], [0.1, 1.0])
    for seconds in (0.0, 0.1, 0.11, 1.0, 7.0):
        durations.took("a", seconds)
    assert durations.told() == {"bounds": (0.1, 1.0), "rows": {"a": [2, 2, 1, 8.21]}}


def test_a_name_that_is_not_known_makes_none() -> None:
    durations = Durations(["a"], [1.0])
    for number in range(1000):
        durations.took(f"4930{number}", 0.5)
    assert durations.told()["rows"] == {OTHER: [1000, 0, 500.0]}


def test_lines_of_code_that_block_are_told_apart_up_to_a_number() -> None:
    counts = Counts()
    for number in range(100):
        for _ in range(2):
            counts.blocked(Block(f"/apps/a.py:{number} in run", 0.5, True))
    told = counts.told()["blocked"]
    assert len(told) == 21
    assert told["/apps/a.py:0 in run"] == [2, 1.0]
    assert told[OTHER] == [160, 80.0]


def test_every_verb_that_is_noted_has_a_name() -> None:
    assert set(_VERBS) <= set(VERBS)


def test_all_that_is_told_is_json() -> None:
    counts = Counts()
    counts.ended(HangupCause.USER_BUSY)
    counts.ended(None)
    told = json.loads(json.dumps(counts.told()))
    assert told["causes"] == {"USER_BUSY": 1, "NONE": 1}


def test_calls_are_counted_by_what_came_of_them(serve: Serve) -> None:
    serving = serve(Returning)
    for _ in range(3):
        assert serving.call(switch).wait_end(10)
    assert serving.settled(3)
    counts = serving.server._counts
    assert counts.causes == {HangupCause.NORMAL_CLEARING: 3}
    assert (counts.taken, serving.server.refused) == (3, 0)


def test_refusals_are_not_among_the_calls_that_ended(serve: Serve) -> None:
    class Held(Counting):
        leave = Flag()

    serving = serve(Held, ports=1)
    serving.call(switch)
    assert until(lambda: Held.inside == 1)
    assert serving.call(switch).wait_end(10)
    assert serving.server._counts.told()["refused"] == {"ports": 1, "lag": 0, "stopping": 0}
    Held.leave.set()
    assert serving.settled(1)
    assert serving.server._counts.causes == {HangupCause.NORMAL_CLEARING: 1}


def test_a_number_that_nobody_answers_is_counted(serve: Serve) -> None:
    serving = serve(Dialplan([]))
    assert serving.call(switch).wait_end(10)
    assert serving.idle()
    assert serving.server._counts.causes == {HangupCause.NO_ROUTE_DESTINATION: 1}
