"""Answerer: whether a person or a machine has answered a call that was placed."""

from __future__ import annotations

import math
from enum import Enum

from fsivr.call.channel import Described
from fsivr.call.session import Session
from fsivr.errors import ReplyTimeout

# How often the switch is asked whether the modules, which work beside the call, have decided.
_STEP = 0.25


class Answerer(Enum):
    """Who has answered, as far as the switch's module can tell by the sound."""

    PERSON = "person"
    MACHINE = "machine"
    #: The module could not decide in time.
    UNKNOWN = "unknown"


_RESULTS = {"HUMAN": Answerer.PERSON, "MACHINE": Answerer.MACHINE}


def detect(session: Session, timeout: float, beep_timeout: float | None) -> Answerer:
    """Who has answered; see ``Call.detect_machine``.

    :param beep_timeout: seconds to wait for a machine's beep; None: do not.
    """
    # Neither module clears what it found before (FACTS 9.8).
    session.post("uuid_setvar_multi", f"{session.uuid} amd_result=;amd_cause=;avmd_detect=")
    if beep_timeout is None:
        return _verdict(session, timeout)
    session.execute("avmd_start", timeout=30)
    try:
        answerer = _verdict(session, timeout)
        # A message after the greeting may be over, and its beep heard, before the module has decided.
        if answerer is not Answerer.PERSON and _beeped(session, beep_timeout if answerer is Answerer.MACHINE else 0):
            answerer = Answerer.MACHINE
    except BaseException:
        if not session.over:
            session.begin("avmd_stop")
        raise
    session.execute("avmd_stop", timeout=30)
    return answerer


def _verdict(session: Session, timeout: float) -> Answerer:
    """What mod_amd decides: some versions of its application wait for that, others only start (FACTS 9.7)."""
    try:
        said = session.execute("amd", timeout=timeout)
    except ReplyTimeout:
        return Answerer.UNKNOWN
    for _ in range(_steps(timeout)):
        if said.get("variable_amd_result"):
            break
        said = _rest(session)
    return _RESULTS.get((said.get("variable_amd_result") or "").upper(), Answerer.UNKNOWN)


def _beeped(session: Session, timeout: float) -> bool:
    return any(_rest(session).get("variable_avmd_detect") == "TRUE" for _ in range(_steps(timeout) + 1))


def _rest(session: Session) -> Described:
    return session.execute("sleep", str(round(_STEP * 1000)), timeout=30)


def _steps(seconds: float) -> int:
    return math.ceil(seconds / _STEP)
