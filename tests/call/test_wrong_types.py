"""What is no number or no text at all is told what is allowed, as what is out of range is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fsivr import Call
from tests.call.conversations import Open

WRONG: dict[str, Callable[[Any], Any]] = {
    "sleep": lambda call: call.sleep("3"),
    "deadline": lambda call: call.deadline(None),
    "ask tries": lambda call: call.ask("one", digits=1, tries=1.5),
    "ask timeout": lambda call: call.ask("one", digits=1, timeout="5"),
    "ask terminator": lambda call: call.ask("one", digits=2, terminator=5),
    "listen timeout": lambda call: call.listen("one", timeout=None),
    "listen confidence": lambda call: call.listen("one", confidence="high"),
    "detect_machine": lambda call: call.detect_machine(timeout="3"),
    "record limit": lambda call: call.record(limit=None),
    "record terminator": lambda call: call.record(terminator=None),
    "consent accept": lambda call: call.consent("one", accept=1),
    "consent tries": lambda call: call.consent("one", tries="2"),
    "bridge timeout": lambda call: call.bridge("user/agent", timeout=None),
    "park timeout": lambda call: call.park("main", timeout="3"),
    "queue timeout": lambda call: call.queue("support", timeout=True),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_type_is_told_what_is_allowed(open_call: Open, wrong: str) -> None:
    call, peer = open_call()
    sent = len(peer.commands)
    with pytest.raises(ValueError, match=r", not |is in seconds|is a number"):
        WRONG[wrong](call)
    assert isinstance(call, Call)
    assert len(peer.commands) == sent
