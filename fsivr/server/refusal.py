"""Refusing a call that there is no port for, in a way the switch understands."""

from __future__ import annotations

import socket

from gevent import Timeout

from fsivr.causes import HangupCause
from fsivr.esl import commands


def refuse(sock: socket.socket, how: str, timeout: float) -> None:
    """Refuse the call on a fresh connection before it is answered; closes the socket.

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
    try:
        with Timeout(timeout) as patience:
            sock.sendall(wire)
            while sock.recv(65536):
                pass
    except OSError:
        pass
    except Timeout as expired:
        if expired is not patience:
            raise
    finally:
        sock.close()
