"""What the caller hears, and how it is compared with what the test expects."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fsivr.prompts import Prompt, PromptLibrary, Silence
from fsivr.simulator.story import Story, Unheard, listed

_SILENCE = "silence_stream://"


class Heard:
    """One sound that the caller heard.

    :param place: where the story tells of it.
    :param aside: whether a test need not speak of it.
    """

    __slots__ = ("application", "argument", "aside", "ended", "place", "what")

    def __init__(self, application: str, argument: str, what: str, place: int, *, aside: bool = False) -> None:
        self.application = application
        self.argument = argument
        self.what = what
        self.place = place
        self.aside = aside
        #: Whether it has been heard to its end, or has been cut short.
        self.ended = False


class Ear:
    """The sounds of a call, in order, and how many of them the test has spoken of.

    :param changed: called when a sound begins or ends.
    """

    def __init__(self, library: PromptLibrary, story: Story, changed: Callable[[], None]) -> None:
        self._library = library
        self._story = story
        self._changed = changed
        self._heard: list[Heard] = []
        self._spoken_of = 0

    def hear(self, application: str, argument: str) -> Callable[[], None]:
        """Hear a sound begin; what is returned is to be called when it ends."""
        ringing = application == "ringback"
        application = "playback" if ringing else application
        found = [str(sound) for sound in self._library.read(application, argument)]
        what = listed(found) or f"{application} {argument!r}"
        silent = argument.startswith(_SILENCE)
        told = f"hears nothing: {what}" if silent else f"hears {what}"
        place = self._story.tell(f"{told} while it rings" if ringing else told)
        heard = Heard(application, argument, what, place, aside=ringing)
        self._heard.append(heard)
        self._changed()

        def end() -> None:
            heard.ended = True
            self._changed()

        return end

    def next(self, expected: Prompt) -> Heard | None:
        """The next sound that the test has not spoken of; silence and ringing only where they are expected."""
        for heard in self._heard[self._spoken_of :]:
            if heard.aside and not self._library.plays(heard.application, heard.argument, expected):
                continue
            if isinstance(expected, Silence) or not heard.argument.startswith(_SILENCE):
                return heard
        return None

    def unspoken(self) -> Heard | None:
        """The next sound that the test has not spoken of, silence and ringing left out."""
        some = self._heard[self._spoken_of :]
        return next((heard for heard in some if not (heard.aside or heard.argument.startswith(_SILENCE))), None)

    def unexpected(self, heard: Heard) -> Unheard:
        """The failure to raise for a sound where none was expected."""
        message = f"the caller expected to hear no more, but heard {heard.what}"
        return Unheard(self._story.failure(message, at=heard.place, note="expected nothing"))

    def accept(self, heard: Heard, wanted: Sequence[Prompt], number: int) -> None:
        """Take a sound for the expected one.

        :raises Unheard: it is another one.
        """
        expected = wanted[number]
        if not self._library.plays(heard.application, heard.argument, expected):
            message = f"the caller expected to hear {expected}, but heard {heard.what}{_in_a_row(wanted, number)}"
            raise Unheard(self._story.failure(message, at=heard.place, note=f"expected {expected}"))
        self._spoken_of = self._heard.index(heard) + 1

    def nothing(self, reason: str, wanted: Sequence[Prompt], number: int) -> Unheard:
        """The failure to raise when the expected sound did not come."""
        expected = wanted[number]
        message = f"the caller expected to hear {expected}, but {reason}{_in_a_row(wanted, number)}"
        return Unheard(self._story.failure(message, note=f"expected {expected}"))


def _in_a_row(wanted: Sequence[Prompt], number: int) -> str:
    if len(wanted) == 1:
        return ""
    return f"\n(it is number {number + 1} of {listed([str(sound) for sound in wanted])})"
