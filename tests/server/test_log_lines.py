"""Each line that is logged of a call names it, whoever logs it, and none holds what is secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from fsivr import Call, Handler
from fsivr.logs import HIDDEN, configure

log = logging.getLogger("apps.example")
SECRET = "824693"


@pytest.fixture(params=["text", "json"])
def lines(request: Any) -> Iterator[Callable[[], list[str]]]:
    """All lines of the log, those of tracebacks included."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    configure("debug", request.param, secrets=["s3cr3t-of-the-store"], worker="2-4711")
    written = io.StringIO()
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield lambda: written.getvalue().splitlines()
    root.handlers[:] = handlers
    root.setLevel(level)


def _call(line: str) -> str:
    """The call that a line names; "" for none."""
    if line.startswith("{"):
        return str(json.loads(line).get("call", ""))
    _, named, rest = line.partition(" worker 2-4711 call ")
    return rest.partition(":")[0] if named else ""


def _of(lines: list[str], *what: str) -> list[str]:
    return [line for line in lines if any(each in line for each in what)]


class Talking(Handler):
    """Logs from all that a handler may have going on."""

    def run(self, call: Call) -> None:
        call.answer()
        log.info("from the handler")
        gevent.spawn(lambda: gevent.spawn(log.info, "from a greenlet's greenlet").join()).join()
        call.on_digit(lambda digit: log.info("from a key"))
        call.play("a")
        call.sleep(1)
        raise RuntimeError("from an error: s3cr3t-of-the-store")


def test_each_line_of_a_call_names_it(switch: Any, lines: Any) -> None:
    uuids = []
    for _ in range(2):
        with switch.call(handler=Talking) as caller:
            caller.hears("a")
            caller.dials("5")
            caller.join()
            uuids.append(caller.uuid)
    found = lines()
    for line in _of(found, "from the handler", "from a greenlet", "from a key", "ended with"):
        assert _call(line) in uuids, line
    assert [_call(line) for line in _of(found, "from a key")] == uuids
    assert [_call(line) for line in _of(found, "from a greenlet's greenlet")] == uuids
    assert all("2-4711" in line for line in found if not line.startswith("  "))


def test_a_line_logged_on_the_hub_names_its_call(switch: Any, lines: Any) -> None:
    class Long(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            for conversation in switch._servers[-1][1]._conversations:
                gevent.get_hub().loop.run_callback(conversation._on_limit)
            call.sleep(600)

    with switch.call(handler=Long) as caller:
        caller.join()
    (line,) = _of(lines(), "over its limit")
    assert _call(line) == caller.uuid


def test_what_the_switch_refuses_names_the_call(switch: Any, lines: Any) -> None:
    class Posting(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            call._session._exchange.send(b"nonsense\n\n")
            call.play("a")

    with switch.call(handler=Posting) as caller:
        caller.join()
    (line,) = _of(lines(), "refused a command")
    assert _call(line) == caller.uuid


class Secretive(Handler):
    """Asks for a secret until it is wrong."""

    def run(self, call: Call) -> None:
        call.answer()
        call.ask("pin", digits=6, sensitive=True)
        call.ask("pin", digits=6, pattern="111111", tries=1, sensitive=True)


def test_no_line_holds_what_was_keyed_as_a_secret_or_a_password(switch: Any, lines: Any) -> None:
    with switch.call(handler=Secretive) as caller:
        for _ in range(2):
            caller.hears("pin")
            caller.dials(SECRET)
        caller.join()
    with switch.call(handler=Talking) as caller:
        caller.join()
    text = "\n".join(lines())
    assert "gave up asking" in text
    assert "ended with an error" in text
    assert SECRET not in text
    assert "s3cr3t-of-the-store" not in text
    assert f"from an error: {HIDDEN}" in text
