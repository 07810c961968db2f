"""A switch played by hand, for ``Switch``: it takes every job, and ends it with what it is told to."""

from __future__ import annotations

from collections.abc import Callable

from fsivr import Call, Dialplan, Handler
from tests.esl.inbound import InboundServer, accepted, job_of
from tests.esl.peer import Peer
from tests.esl.switch_rules import Packet


class Reminder(Handler):
    def run(self, call: Call) -> None:
        call.answer()


class Stranger(Reminder):
    """One that stands in no dialplan."""


DIALPLAN = Dialplan(outbound=[Reminder])

#: What the switch says a job came to, by the job's command; None: nothing yet.
Said = Callable[[str], str | None]


class Switchboard(InboundServer):
    """A switch that takes every job, and ends it with what it is told to."""

    def __init__(self, said: Said = lambda command: "+OK some-uuid\n") -> None:
        super().__init__(answer=self._answers)
        self.outcome = said
        self.jobs: list[tuple[Peer, Packet]] = []

    def _answers(self, peer: Peer, packet: Packet) -> object:
        if not packet.command.startswith("bgapi "):
            return NotImplemented
        self.jobs.append((peer, packet))
        said = self.outcome(packet.command)
        return accepted(packet) + (b"" if said is None else job_event(packet, said))

    def end(self, said: str, number: int = -1) -> None:
        peer, packet = self.jobs[number]
        peer.send(job_event(packet, said))

    @property
    def placed(self) -> list[str]:
        return [packet.command for _, packet in self.jobs]

    @property
    def killed(self) -> list[str]:
        return [command for command in self.commands if command.startswith("api uuid_kill ")]


def job_event(packet: Packet, said: str) -> bytes:
    body = f"Event-Name: BACKGROUND_JOB\nJob-UUID: {job_of(packet)}\nContent-Length: {len(said)}\n\n{said}"
    return f"Content-Length: {len(body)}\nContent-Type: text/event-plain\n\n{body}".encode()


def uuid_of(command: str) -> str:
    return command.partition("origination_uuid=")[2].partition(",")[0]
