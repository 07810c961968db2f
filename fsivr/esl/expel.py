"""The last means against a handler that swallows everything thrown at it."""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any

from greenlet import getcurrent


def expel(error: BaseException, until: CodeType) -> None:
    """Raise an error that one ``except:`` in a loop cannot keep swallowing; does not return.

    ``while True: try: call.play(…) except: pass`` would go round for ever. Here the
    first line that runs after the error was swallowed, the ``pass``, raises it again,
    and so it leaves the loop. Python ends tracing with that: two ``except:`` one
    inside the other, both in the loop, still keep it.

    :param until: the code of the function it must reach; frames from there on are left alone.
    """
    greenlet = getcurrent()
    previous = sys.gettrace()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if getcurrent() is not greenlet:
            return None
        if frame.f_code is until:
            sys.settrace(previous)
            return None
        if event in ("call", "line"):
            raise error
        return trace

    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        frame.f_trace = trace
        if frame.f_code is until:
            break
        frame = frame.f_back
    sys.settrace(trace)
    raise error
