"""The pytest plugin, as the test of an application uses it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable

import pytest
from gevent import monkey

pytest_plugins = ["pytester"]

HANDLERS = """
    import gevent
    from fsivr import Dialplan, Extension, Handler, HangupCause

    class Welcome(Handler):
        def run(self, call):
            call.answer()
            call.play("welcome")
            call.play("goodbye")

    class Crash(Handler):
        def run(self, call):
            call.answer()
            call.play("welcome")
            raise LookupError("no such customer")

    class Leaves(Handler):
        def run(self, call):
            call.answer()
            Leaves.behind = gevent.spawn(gevent.sleep, 60)

    class Stays(Handler):
        def run(self, call):
            call.answer()
            with gevent.Timeout(3, False):
                gevent.sleep(60)

    dialplan = Dialplan([Extension("4100", Welcome)])
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Runs a test file beside ``handlers.py``."""
    pytester.makepyfile(handlers=HANDLERS)
    pytester.makeini("[pytest]\nfsivr_dialplan = handlers:dialplan\nfilterwarnings = error\n")
    monkeypatch.syspath_prepend(pytester.path)

    def inside(test: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=test)
        # Without hypothesis, which each of these runs would import anew.
        without = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
        return pytester.runpytest_inprocess("-p", "fsivr.testing.plugin", *without, "-q")

    return inside


def _told(result: pytest.RunResult) -> str:
    return result.stdout.str()


def test_the_standard_library_is_cooperative() -> None:
    assert monkey.is_module_patched("socket") and monkey.is_module_patched("ssl")
    assert monkey.is_object_patched("threading", "local")
    assert ssl.SSLSocket and threading.Thread


def test_calls_reach_the_dialplan(run: Callable[..., pytest.RunResult]) -> None:
    result = run(
        """
        from fsivr import HangupCause

        def test_welcome(switch):
            with switch.call("4100") as caller:
                caller.hears("welcome", "goodbye")
            assert caller.hangup_cause is HangupCause.NORMAL_CLEARING

        def test_nobody_there(switch):
            with switch.call("9") as caller:
                pass
            assert caller.hangup_cause is HangupCause.NO_ROUTE_DESTINATION
        """
    )
    result.assert_outcomes(passed=2)


def test_a_handler_or_a_dialplan_of_the_test_answers(run: Callable[..., pytest.RunResult]) -> None:
    result = run(
        """
        from fsivr import Dialplan, Extension, Handler
        from handlers import Welcome

        class Other(Handler):
            def run(self, call):
                call.play("other")

        def test_a_handler(switch):
            for _ in range(2):
                with switch.call(handler=Other) as caller:
                    caller.hears("other")

        def test_a_dialplan_for_one_call(switch):
            with switch.call("5", dialplan=Dialplan([Extension("5", Other)])) as caller:
                caller.hears("other")
            with switch.call("4100") as caller:
                caller.hears("welcome", "goodbye")

        def test_a_dialplan_for_all(switch):
            switch.dialplan = Dialplan([Extension("6", Other)])
            with switch.call("6") as caller:
                caller.hears("other")
        """
    )
    result.assert_outcomes(passed=3)


def test_a_failure_tells_the_call_in_the_words_of_the_test(run: Callable[..., pytest.RunResult]) -> None:
    result = run(
        """
        def test_welcome(switch):
            with switch.call("4100") as caller:
                caller.hears("welcome", "menu")
        """
    )
    result.assert_outcomes(failed=1)
    told = _told(result)
    assert "the caller expected to hear 'menu', but heard 'goodbye'" in told
    assert "0:00.0  the call is answered" in told
    assert "hears 'goodbye'   <-- expected 'menu'" in told
    # Nothing of the simulator's own code stands between the test and its message.
    assert "caller.py" not in told
    assert "left something behind" not in told


def test_a_handlers_error_is_in_the_message(run: Callable[..., pytest.RunResult]) -> None:
    result = run(
        """
        from handlers import Crash

        def test_crash(switch):
            with switch.call(handler=Crash) as caller:
                caller.hears("welcome", "menu")
        """
    )
    assert "its handler ended with LookupError: no such customer" in _told(result)


def test_a_greenlet_left_behind_fails_the_test(run: Callable[..., pytest.RunResult]) -> None:
    result = run(
        """
        from handlers import Leaves

        def test_leaves(switch):
            with switch.call(handler=Leaves):
                pass

        def test_after(switch):
            Leaves.behind.kill()
        """
    )
    result.assert_outcomes(passed=2, errors=1)
    assert "the test left something behind" in _told(result)
    assert "sleep(60)" in _told(result)


def test_a_socket_left_behind_fails_the_test(run: Callable[..., pytest.RunResult]) -> None:
    result = run(
        """
        import socket
        kept = []

        def test_leaves(switch):
            kept.append(socket.socket())

        def test_after(switch):
            kept.pop().close()
        """
    )
    result.assert_outcomes(passed=2, errors=1)
    assert "a socket: <" in _told(result)


def test_a_call_without_a_with_block_is_ended(run: Callable[..., pytest.RunResult]) -> None:
    result = run(
        """
        def test_loose(switch):
            switch.call("4100").hears("welcome")
        """
    )
    result.assert_outcomes(passed=1)


def test_settings_come_from_a_marker(run: Callable[..., pytest.RunResult]) -> None:
    result = run(
        """
        import pytest
        from fsivr import HangupCause
        pytestmark = pytest.mark.fsivr(reply_timeout=0.5)

        @pytest.mark.fsivr(ports=1)
        def test_full(switch):
            with switch.call("4100") as first:
                first.hears("welcome")
                with switch.call("4100") as second:
                    pass
                assert second.hangup_cause is HangupCause.SWITCH_CONGESTION
                assert not second.answered
                first.hears("goodbye")
            assert switch.server.refused == 1
            assert switch.settings.ports == 1
            assert switch.settings.reply_timeout == 0.5
        """
    )
    result.assert_outcomes(passed=1)


def test_a_wrong_setting_says_so(run: Callable[..., pytest.RunResult]) -> None:
    result = run(
        """
        import pytest

        @pytest.mark.fsivr(prots=1)
        def test_wrong(switch):
            pass
        """
    )
    result.assert_outcomes(errors=1)
    assert "prots" in _told(result)


def test_a_wait_takes_no_time(run: Callable[..., pytest.RunResult]) -> None:
    result = run(
        """
        from fsivr import Handler

        class Slow(Handler):
            def run(self, call):
                call.answer()
                call.sleep(3000)
                call.play("good-morning")

        def test_slow(switch):
            with switch.call(handler=Slow) as caller:
                caller.waits(2000)
                caller.waits(999)
                caller.hears("good-morning")
                assert 2999 < switch.clock.now() < 3003
        """
    )
    result.assert_outcomes(passed=1)
