"""Whose: which call a greenlet works for, so that the lines it logs can say so.

Apart from ``fsivr.logs``, which is loaded where a log is written alone.
"""

from __future__ import annotations

from contextvars import ContextVar

from gevent import getcurrent

_CALL: ContextVar[str] = ContextVar("fsivr_call", default="")
_TREE = "fsivr_call"


def about(call: str) -> None:
    """Have each line that this greenlet logs from here on name a call, and those of greenlets that it spawns.

    :param call: the call's uuid.
    """
    _CALL.set(call)
    greenlet = getcurrent()
    if hasattr(greenlet, "spawn_tree_locals"):
        # One of its own: that which it has is the hub's, and so that of every call. gevent hands it on to
        # what is spawned, which it does not do with the context.
        greenlet.spawn_tree_locals = {_TREE: call}


def call_here() -> str:
    """The uuid of the call that this greenlet works for; "" for none."""
    return _CALL.get() or str((getattr(getcurrent(), "spawn_tree_locals", None) or {}).get(_TREE, ""))
