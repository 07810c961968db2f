"""Finding: which handler answers a call."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from fsivr.call import Call, Channel
from fsivr.call.dialled import HANDLER
from fsivr.dialplan import Dialplan
from fsivr.esl.session import Session
from fsivr.server.placed import CARRIED_OUT, is_placed, ordered_handler, preparation

log = logging.getLogger(__name__)


#: What is to be done for a handler before its ``run``; None where there is nothing.
Before = Callable[[Call], None] | None


class Found(NamedTuple):
    """What answers a call."""

    #: None where there is none.
    handler: type[Any] | None
    #: What is to be done before it.
    before: Before = None
    #: Why there is none.
    why: str = ""


def find(dialplan: Dialplan, session: Session, channel: Channel) -> Found:
    """The handler of a call that arrived, or was placed for one."""
    if is_placed(channel):
        handler = ordered_handler(dialplan, channel)
        if handler is None:
            log.warning("call %s: no handler %.200r in the dialplan", session.uuid, channel.variables[HANDLER])
            return Found(None, why="no handler of that name in the dialplan")
        session.post("uuid_setvar_multi", f"{session.uuid} {CARRIED_OUT}")
        return Found(handler, preparation(channel))
    # A variable that is not there is searched for through kilobytes.
    path = channel.get("variable_socket_path") if dialplan.has_paths else ""
    extension = dialplan.match(channel.destination, channel.context, path)
    if extension is None:
        log.warning("call %s: no extension for %.80r", session.uuid, channel.destination)
        return Found(None, why="no extension answers it")
    return Found(extension.handler)
