"""What the tests of conferences, queues and parking places share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fsivr import Call, Conference, ConferenceStay
from fsivr.simulator.api import run
from tests.call.conversations import in_call, plays
from tests.esl.peer import api_response


class Asked:
    """Asks a simulated switch as a client does, but for the socket."""

    def __init__(self, switch: Any) -> None:
        self.switch = switch

    def api(self, command: str, argument: str = "") -> str:
        return run(self.switch, command, argument)


def staying(stays: list[ConferenceStay], **options: Any) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        call.answer()
        stays.append(call.conference("sales", **options))
        call.play("afterwards")

    return run


def managing(act: Callable[[Conference], Any], got: list[Any]) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        got.append(act(Conference(call, "sales")))

    return run


def managed(switch: Any, act: Callable[[Conference], Any]) -> Any:
    got: list[Any] = []
    with switch.call(handler=in_call(managing(act, got))):
        pass
    return got[0]


def modules_there(peer: Any, packet: Any) -> Any:
    return api_response("true") if packet.command.startswith("api module_exists") else plays(peer, packet)
