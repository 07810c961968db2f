"""One call each in which greenswitch 0.0.19 goes wrong, run on either implementation.

``python -m tests.greenswitch_faults.scenarios NAME greenswitch|fsivr`` plays it and
prints what came of it. A scenario is given a class of session (or a server) and
knows nothing else of which it is: what fails on one and passes on the other is the
same code. It runs in a process of its own, with a limit of CPU seconds, because two
of the faults take the whole process along.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
from typing import Any

import greenswitch.esl

from tests.greenswitch_faults.calls import SMUGGLED, VERBS
from tests.greenswitch_faults.servers import serve_fsivr, serve_greenswitch
from tests.greenswitch_faults.stage import (
    SCENARIOS,
    STILL_WAITING,
)

__all__ = ["SCENARIOS", "SMUGGLED", "STILL_WAITING", "VERBS"]


def main(name: str, argument: str, which: str) -> None:
    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_CPU, (3, 4))  # SIGXCPU: it spins
    signal.alarm(90)
    over_server = name in ("port_limit", "accept_waits_for_a_sleep")
    if which == "greenswitch":
        given: Any = serve_greenswitch if over_server else greenswitch.esl.OutboundSession
    elif over_server:
        given = serve_fsivr
    else:
        from fsivr.esl.session import Session

        given = Session
    result = SCENARIOS[name](given, argument)
    sys.stdout.write(json.dumps(result))
    sys.stdout.flush()
    # Not the end of the interpreter: what still waits on either side must not be waited for.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
