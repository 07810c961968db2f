"""What became of callers who waited for somebody: in a queue, in a parking place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fsivr.call.conference import Commands
from fsivr.call.line import Line
from fsivr.call.meeting import checked_name
from fsivr.errors import RemoteProtocolError


class WhyLeft(StrEnum):
    """Why a caller left a queue."""

    SERVED = "somebody talked with the caller"
    TIMEOUT = "nobody came in time"
    EXIT_KEY = "the caller pressed a key to leave"
    NO_AGENTS = "no agent was there to come"
    REMOVED = "the switch ended the wait"


@dataclass(frozen=True, slots=True)
class QueueStay:
    """What became of a caller in a queue."""

    #: The queue.
    name: str
    #: Why the caller is not in it any more.
    why: WhyLeft
    #: How long the caller waited, in seconds.
    waited: float
    #: How long the caller talked with the agent, in seconds.
    talked: float
    #: Who served the caller: an agent's name, or the id of a channel; "" for nobody.
    agent: str
    #: The key the caller left with; "" for none.
    key: str

    @property
    def served(self) -> bool:
        """Whether somebody talked with the caller."""
        return self.why is WhyLeft.SERVED


@dataclass(frozen=True, slots=True)
class Parked:
    """What became of a caller in a parking place."""

    #: The lot.
    lot: str
    #: The number of the place; None where all were taken.
    slot: int | None
    #: The id of the channel that took the caller out of it; "" where nobody did in time.
    by: str
    #: How long the caller waited, in seconds.
    waited: float
    #: How long the two talked, in seconds.
    talked: float

    @property
    def picked_up(self) -> bool:
        """Whether somebody came."""
        return bool(self.by)


class Queue:
    """A queue of mod_fifo, to look at; it need not exist.

    :param through: what asks the switch: a ``Call``, or a ``Client``.
    :param name: as in ``call.queue``.
    """

    def __init__(self, through: Line | Commands, name: str) -> None:
        self._commands: Commands = through._session if isinstance(through, Line) else through
        self.name = checked_name("queue", name, domain=True)

    def __repr__(self) -> str:
        return f"<Queue {self.name}>"

    def waiting(self) -> int:
        """How many callers wait in it."""
        return self._counts()[1]

    def agents(self) -> int:
        """How many are there to serve them, those who talk with one included."""
        return self._counts()[0]

    def _counts(self) -> list[int]:
        said = self._commands.api("fifo", f"count {self.name}").strip()
        if said == "none":  # nobody has waited in it yet
            return [0, 0]
        # name:consumers:callers:members:… (mod_fifo.c, fifo_api_function)
        counts = said.split("\n")[0].rsplit(":", 5)[1:]
        if len(counts) != 5 or not all(each.isascii() and each.isdigit() for each in counts):
            raise RemoteProtocolError(f"the length of queue {self.name} cannot be read: {said[:80]!r}")
        return [int(each) for each in counts]
