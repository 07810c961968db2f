"""Refusing a call that there is no port for, in a way the switch understands."""

from __future__ import annotations

import socket
from enum import Enum

from gevent import Timeout

from fsivr.causes import HangupCause
from fsivr.errors import RemoteProtocolError
from fsivr.esl import commands
from fsivr.esl.connection import Connection
from fsivr.esl.messages import Reply

# So much of what the switch says is kept: the call's description has some 10 kB.
_MOST = 1 << 18


class Reason(Enum):
    """Why a call is refused; the value is what the metrics call it."""

    PORTS = "ports"
    LAG = "lag"
    STOPPING = "stopping"

    @property
    def text(self) -> str:
        """It as what is kept of the call says it."""
        return _TEXTS[self]


_TEXTS = {
    Reason.PORTS: "every port was in use",
    Reason.LAG: "the event loop was late",
    Reason.STOPPING: "the server was stopping",
}


def refuse(sock: socket.socket, how: str, timeout: float) -> bytes:
    """Refuse the call on a fresh connection before it is answered; closes the socket.

    What the switch has said is returned: which call it was, as a rule.

    To close without a word would leave the call parked with nobody in control
    (captures ``09j_accept_then_close``, ``09r_accept_close_caller_hangs_up``).

    :param how: ``hangup`` ends the call with ``SWITCH_CONGESTION``, which SIP
        callers see as 503; ``continue`` gives it back to the dialplan, which goes
        on after its ``socket`` action.
    :param timeout: seconds the switch has to close the connection.
    """
    wire = commands.command("connect")
    if how == "continue":
        wire += commands.command("exit")
    else:
        cause = HangupCause.SWITCH_CONGESTION.name
        wire += commands.command("sendmsg", [("call-command", "hangup"), ("hangup-cause", cause)])
    said = bytearray()
    try:
        with Timeout(timeout) as patience:
            sock.sendall(wire)
            while received := sock.recv(65536):
                if b"\n\n" not in said:
                    said += received[: _MOST - len(said)]
    except OSError:
        pass
    except Timeout as expired:
        if expired is not patience:
            raise
    finally:
        sock.close()
    return bytes(said)


class Refused:
    """The call that was refused, as far as a channel needs it to be described.

    :param said: what the switch said.
    """

    def __init__(self, said: bytes) -> None:
        #: The answer to ``connect``; None where there was none.
        self.channel = _described(said)
        #: The channel's id; "" where it is not known.
        self.uuid = "" if self.channel is None else self.channel.get("Unique-ID") or ""

    def set_variable(self, name: str, value: str) -> None:
        """Nothing can be set."""

    def fetch_variable(self, name: str) -> str | None:
        """Nothing can be asked."""
        return None


def _described(said: bytes) -> Reply | None:
    connection = Connection()
    try:
        connection.receive(said)
        first = connection.next_message()
    except RemoteProtocolError:
        return None
    return first if isinstance(first, Reply) and first.get("Unique-ID") else None
