"""The server's end of a call that was placed: whose it is, and what is to be done before its handler."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fsivr.call import Call, Channel
from fsivr.call.dialled import DETECT, HANDLER, MACHINE, PACKED, unpack
from fsivr.dialplan import Dialplan
from fsivr.errors import FsivrError

log = logging.getLogger(__name__)

#: The order is carried out once: transferred later, the call goes through the dialplan as any other.
CARRIED_OUT = f"{HANDLER}=;{DETECT}=;{PACKED}="


def is_placed(channel: Channel) -> bool:
    """Whether the switch placed the call for one of our handlers.

    A caller cannot pretend that: the direction is the switch's, and a SIP header of
    the caller's comes as a variable ``sip_h_…``, never as ``fsivr_handler``.
    """
    return channel.get("Call-Direction") == "outbound" and HANDLER in channel.variables


def ordered_handler(dialplan: Dialplan, channel: Channel) -> type[Any] | None:
    """The handler of the dialplan that the order names; its text is looked up, and never imported."""
    return dialplan.handler(channel.variables[HANDLER])


def preparation(channel: Channel) -> Callable[[Call], None] | None:
    """What is to be done for the handler before its ``run``; None where there is nothing."""
    packed, detects = channel.variables.get(PACKED, ""), channel.variables.get(DETECT) == "true"
    return partial(_prepare, unpack(packed), detects) if packed or detects else None


def _prepare(variables: Mapping[str, str], detects: bool, call: Call) -> None:
    for name, value in variables.items():
        call.variables[name] = value
    if detects:
        call.variables[MACHINE] = _told(call)


def _told(call: Call) -> str:
    try:
        return str(call.detect_machine().name).lower()  # type: ignore[attr-defined, unused-ignore]
    except FsivrError as error:
        log.error("call %s: whether a machine answered is not known", call.uuid, exc_info=error)
        return "unknown"
