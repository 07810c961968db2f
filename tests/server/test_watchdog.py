"""Who keeps every call waiting is named."""

from __future__ import annotations

import time

import gevent
import pytest

from fsivr import Handler
from fsivr.server.watchdog import Block, Watchdog

pytest_plugins = ["pytester"]


def compute(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(100))


def watched(limit: float, work, **options) -> tuple[list[Block], Watchdog]:
    found: list[Block] = []
    watchdog = Watchdog(limit, found.append, **options)
    try:
        work()
        deadline = time.monotonic() + 5
        while not found and work is not gevent.sleep and time.monotonic() < deadline:
            gevent.sleep(0.01)
        return found, watchdog
    finally:
        watchdog.stop()


def test_the_line_that_stops_the_loop_is_named() -> None:
    (block,), _ = watched(0.1, lambda: compute(0.5))
    assert __file__ in block.where
    assert block.where.endswith(("in compute", "in compute.<locals>"))
    assert block.seconds >= 0.5


def test_a_library_is_not_blamed_for_what_calls_it() -> None:
    import json

    def parse() -> None:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            json.loads("[" + "1," * 100_000 + "1]")

    (block,), _ = watched(0.1, parse)
    assert block.where.endswith("parse")


def test_what_lets_others_run_is_not_named() -> None:
    found, _ = watched(0.2, gevent.sleep)
    gevent.sleep(0.3)
    assert found == []


@pytest.mark.parametrize("code", [compute.__code__, (lambda: None).__code__])
def test_whether_it_was_within_a_piece_of_code_is_told(code) -> None:
    (block,), _ = watched(0.1, lambda: compute(0.3), within=code)
    assert block.within == (code is compute.__code__)


class Busy(Handler):
    def run(self, call) -> None:
        call.answer()
        compute(0.5)


@pytest.mark.fsivr(blocking_limit=0.1)
def test_a_server_names_the_handler_in_its_log(switch, caplog) -> None:
    with switch.call(handler=Busy) as caller:
        caller.join()
    gevent.sleep(0.1)
    (said,) = (each for each in caplog.messages if "kept all calls waiting" in each)
    assert said.startswith("a handler kept all calls waiting for ")
    assert "test_watchdog.py:" in said


@pytest.mark.fsivr(blocking_limit=0)
def test_nobody_is_named_where_the_limit_is_none(switch, caplog) -> None:
    with switch.call(handler=Busy) as caller:
        caller.join()
    gevent.sleep(0.1)
    assert switch.blocks == []


TEST = """
import time
from fsivr import Handler

class Busy(Handler):
    def run(self, call):
        call.answer()
        end = time.monotonic() + {seconds}
        while time.monotonic() < end:
            pass

def test_it(switch):
    with switch.call(handler=Busy) as caller:
        caller.join()
"""


@pytest.mark.parametrize(("seconds", "result"), [(0.8, {"passed": 1, "errors": 1}), (0.0, {"passed": 1})])
def test_a_test_fails_where_it_is_strict(pytester, seconds, result) -> None:
    pytester.makeini("[pytest]\nfsivr_strict_blocking = 0.2")
    pytester.makepyfile(TEST.format(seconds=seconds))
    ran = pytester.runpytest_subprocess()
    ran.assert_outcomes(**result)
    if "errors" in result:
        ran.stdout.fnmatch_lines(["*a handler kept all calls waiting:*", "*test_a_test_fails*.py:* in Busy.run"])
