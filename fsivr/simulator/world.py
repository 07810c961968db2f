"""The world around the simulated switch: sounds and how long they last, modules, and who can be called."""

from __future__ import annotations

from fsivr.causes import HangupCause
from fsivr.prompts import Prompt, PromptLibrary, PromptLike, prompt
from fsivr.simulator.clock import Timer
from fsivr.simulator.conferences import Room
from fsivr.simulator.configured import CONFIGURATION
from fsivr.simulator.farend import FarEnd, FarLeg, nobody
from fsivr.simulator.parking import Car
from fsivr.simulator.queues import Agent, Fifo
from fsivr.simulator.recogniser import Recogniser, Sound
from fsivr.simulator.wire import atoi

#: Seconds a sound lasts where nothing else was said.
LENGTH = 1.0


class World:
    """What a test says of the world; everything has a usual state that needs no word.

    :param library: how the handler's prompts are named.
    """

    def __init__(self, library: PromptLibrary) -> None:
        self.library = library
        #: Modules that the switch lacks, as ``mod_fifo``; it has every other.
        self.modules_missing: set[str] = set()
        #: What ``xml_locate`` prints, by the last word of what is asked for.
        self.configuration = dict(CONFIGURATION)
        #: Access lists that let in everybody.
        self.open_lists: set[str] = set()
        #: The most sessions at once, and in a second.
        self.most_sessions, self.most_per_second = 2000, 500
        #: The folder that is ``/`` to the switch: where its recordings are written.
        self.root = ""
        #: Seconds of a recording that the switch's disk has room for.
        self.room = float("inf")
        self._lengths: dict[tuple[str, str], float] = {}
        self._missing: set[str] = set()
        self._far_ends: dict[str, FarEnd] = {}
        #: The recognisers that listen now, by their channel's id.
        self.recognisers: dict[str, Recogniser] = {}
        #: What is to be heard of whoever answers the calls.
        self.sound = Sound("person", None)
        self._phrases: dict[str, set[str]] = {}
        self._calls: dict[str, list[FarLeg]] = {}
        #: The conferences that somebody is in, by name: their members, their recordings.
        self.conferences: dict[str, Room] = {}
        self.member_count = 0
        self.fifos: dict[str, Fifo] = {}
        self.agents_of: dict[str, list[Agent]] = {}
        self.lots: dict[str, dict[str, Car]] = {}
        self.scheduled: dict[str, list[Timer]] = {}

    # -- what a test says --------------------------------------------------------------

    def lasts(self, sound: PromptLike, seconds: float) -> None:
        """Have a prompt last so many seconds."""
        self._lengths[self.library.application(prompt(sound))] = seconds

    def missing(self, sound: str | Prompt) -> None:
        """Have a sound file missing."""
        self._missing.add(self.library.file(prompt(sound)))

    def answers(
        self,
        destination: str,
        *,
        after: float = 1.0,
        talks: float | None = None,
        cause: HangupCause = HangupCause.NORMAL_CLEARING,
        presses: str = "",
    ) -> None:
        """Have somebody answer at a destination as ``user/agent``.

        :param after: seconds it rings.
        :param talks: seconds from the answer until they hang up; None: until the caller does.
        :param cause: what they hang up with.
        :param presses: the keys they press, one each time they are asked to take the call by one; a machine presses
            none.
        """
        self._far_ends[destination] = FarEnd(None, after, talks, cause, presses=presses)

    def busy(self, destination: str, *, after: float = 0.0) -> None:
        """Have a destination be busy."""
        self.rejects(destination, cause=HangupCause.USER_BUSY, after=after)

    def no_answer(self, destination: str) -> None:
        """Have a destination ring and ring."""
        self._far_ends[destination] = FarEnd(HangupCause.NO_ANSWER, float("inf"))

    def rejects(self, destination: str, *, cause: HangupCause = HangupCause.CALL_REJECTED, after: float = 0.0) -> None:
        """Have a destination refuse calls with a cause."""
        self._far_ends[destination] = FarEnd(cause, after)

    def early_media(self, destination: str, *, cause: HangupCause = HangupCause.USER_BUSY, after: float = 10.0) -> None:
        """Have a destination send sound at once, as a carrier its ringing, and give up without an answer."""
        self._far_ends[destination] = FarEnd(cause, after, early=True)

    def understands(self, grammar: str, *phrases: str) -> None:
        """Have a grammar hold these phrases and no other; one of which nothing was said holds every phrase."""
        self._phrases.setdefault(grammar, set()).update(phrase.lower() for phrase in phrases)

    def answered_by(self, who: str, *, beep: float | None = None) -> None:
        """Have calls be answered by a ``"person"``, a ``"machine"``, or what sounds like neither: ``"unsure"``.

        :param beep: seconds from the answer to the machine's beep; None: it has none.
        :raises ValueError: by something else.
        """
        self.sound = Sound(who, beep)

    def called(self, destination: str) -> list[FarLeg]:
        """The calls that a destination got, in order: who they were from, what was heard, how they ended."""
        return list(self._calls.get(destination, ()))

    def agents(self, queue: str, *, count: int = 1, after: float = 1.0, talks: float | None = 10.0) -> None:
        """Have agents serve the callers of a queue, of mod_fifo or of mod_callcenter.

        :param count: how many there are; 0 for a callcenter's queue that nobody serves.
        :param after: seconds that each takes to answer when free.
        :param talks: seconds until they hang up; None: until the caller does.
        """
        self.agents_of[queue] = [Agent(f"agent-{number}", after, talks) for number in range(1, count + 1)]

    # -- what the switch asks --------------------------------------------------------------

    def length(self, application: str, argument: str) -> float:
        """How many seconds a sound lasts."""
        known = self._lengths.get((application, argument))
        if known is not None:
            return known
        if argument.startswith("silence_stream://"):
            milliseconds = atoi(argument.removeprefix("silence_stream://"))
            return float("inf") if milliseconds < 0 else milliseconds / 1000
        if argument.startswith("tone_stream://"):
            return _tone_length(argument)
        return LENGTH

    def is_missing(self, name: str) -> bool:
        """Whether there is no sound file of that name."""
        return name in self._missing

    def holds(self, grammar: str, text: str) -> bool:
        """Whether a grammar holds what was said."""
        return grammar not in self._phrases or text.lower() in self._phrases[grammar]

    def far_end(self, destination: str) -> FarEnd:
        """What calling a destination comes to."""
        return self._far_ends.get(destination) or nobody(destination)

    def knows(self, destination: str) -> bool:
        """Whether there is a telephone at a destination."""
        return destination in self._far_ends

    def note_call(self, leg: FarLeg) -> None:
        """Remember a call to a far end."""
        self._calls.setdefault(leg.destination, []).append(leg)


def _tone_length(argument: str) -> float:
    """The seconds of a tone: ``%(200,100,440)`` sounds 200 ms and rests 100 ms."""
    spec, *options = argument.removeprefix("tone_stream://").split(";")
    total = 0
    for tone in spec.split("%(")[1:]:
        parts = tone.split(",")
        total += sum(max(0, atoi(part)) for part in parts[:2])
    loops = next((atoi(option[6:]) for option in options if option.startswith("loops=")), 1)
    if loops < 0:
        return float("inf")
    return max(total, 20) * max(loops, 1) / 1000
