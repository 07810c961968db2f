"""The verbs that connect the caller with someone else."""

from __future__ import annotations

import math

from fsivr.call.channel import Described
from fsivr.call.dialstring import checked_destination
from fsivr.call.leg import Leg
from fsivr.call.line import Line
from fsivr.causes import HangupCause


class Connecting(Line):
    """A call that can be connected with others."""

    def bridge(self, destination: str, *, timeout: float = 30.0) -> Leg:
        """The other party's leg, once it has failed or the conversation has ended.

        A failure does not end the call: look at ``answered`` and ``hangup_cause``.

        :param destination: an endpoint, as ``user/agent`` or ``sofia/gateway/carrier/4930123``.
        :param timeout: seconds to ring.
        :raises ValueError: a destination with characters that would mean something else to the switch.
        """
        checked_destination(destination)
        if not 0 < timeout <= 3600:
            raise ValueError(f"bridge rings for seconds above 0 and up to 3600, not {timeout!r}")
        self._session.post(
            "uuid_setvar_multi",
            f"{self.uuid} continue_on_fail=true;hangup_after_bridge=false;call_timeout={math.ceil(timeout)}",
        )
        # Early media would end the ringing for the switch, and with it the timeout.
        return _leg(
            destination, self._session.execute("bridge", "{ignore_early_media=true}" + destination, timeout=86400)
        )


def _leg(destination: str, completion: Described) -> Leg:
    """Read a bridge's outcome from its variables, of which many are left over from earlier ones.

    FACTS 7.3 in docs/esl-quirks.md (captures 05a to 05k): only
    ``originate_disposition`` is set anew by every attempt.
    """
    disposition = completion.get("variable_originate_disposition")
    if disposition != "SUCCESS":
        return Leg(destination, False, HangupCause.parse(disposition), 0.0, "")
    # A leg that only sent early media is a success to the switch too.
    answered = _microseconds(completion, "Other-Leg-Channel-Answered-Time")
    ended = _microseconds(completion, "Event-Date-Timestamp")
    return Leg(
        destination,
        bool(answered),
        HangupCause.parse(completion.get("variable_bridge_hangup_cause"), HangupCause.NORMAL_CLEARING),
        max(0.0, (ended - answered) / 1e6) if answered else 0.0,
        completion.get("variable_bridge_uuid") or "",
    )


def _microseconds(completion: Described, header: str) -> int:
    text = completion.get(header) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
