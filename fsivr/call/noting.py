"""How a verb leaves a note in the timeline of its call: what is kept of what it is given, and of what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from time import monotonic
from types import TracebackType
from typing import Any

from fsivr.call.call import Call, HandOver
from fsivr.call.ongoing import OngoingRecording
from fsivr.call.speech import Speech
from fsivr.call.timeline import Failure, Timeline, failure

_Given = tuple[tuple[Any, ...], dict[str, Any]]
Keep = Callable[[tuple[Any, ...], dict[str, Any]], _Given]
Gist = Callable[[Any], Any]

# Applications whose argument says what the caller hears; any other's may hold a secret.
_HEARD = frozenset({"playback", "endless_playback", "loop_playback", "say", "sleep", "gentones"})
# One for all: a call that is held has some notes.
_NO_OPTIONS: dict[str, Any] = {}
#: So much is kept of what was said.
MOST_SAID = 1024


class _Block:
    """A ``with`` block that is noted when it has been left."""

    __slots__ = ("_began", "_block", "_entered", "_given", "_name", "_options", "_timeline")

    def __init__(self, timeline: Timeline, name: str, block: Any, given: _Given) -> None:
        self._timeline = timeline
        self._name = name
        self._block = block
        self._given, self._options = given
        self._began = 0.0
        self._entered: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._block, name)

    def __enter__(self) -> Any:
        self._began = monotonic()
        try:
            self._entered = self._block.__enter__()
        except BaseException as error:
            self._note(failure(error))
            raise
        return self._entered

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        try:
            taken = self._block.__exit__(kind, error, trace)
        except BaseException as raised:
            self._note(None if isinstance(raised, HandOver) else failure(raised))
            raise
        self._note(None if error is None or isinstance(error, HandOver) else failure(error))
        return taken

    def _note(self, came: Any) -> None:
        if isinstance(self._entered, OngoingRecording):
            recording = self._entered.result
            came = recording if came is None else came._replace(result=recording)
        self._timeline.note((self._name, self._began, monotonic(), self._given, self._options, came, ()))


def noted_verb(name: str, function: Any, keep: Keep | None = None, gist: Gist | None = None) -> Any:
    """A verb that leaves a note.

    :param keep: what of that which it is given is kept, where not all of it.
    :param gist: what of its result is kept, where not all of it.
    """

    @wraps(function)
    def noted(self: Any, *given: Any, **options: Any) -> Any:
        timeline = self.timeline
        if timeline.busy:
            return function(self, *given, **options)
        timeline.busy = True
        timeline.tries = ()
        began = monotonic()
        try:
            came = function(self, *given, **options)
        except BaseException as error:
            timeline.busy = False
            told = _bridge_failure(self, error) if name == "bridge" else failure(error)
            kept, named = (given, options) if keep is None else keep(given, options)
            timeline.note((name, began, monotonic(), kept, named, told, timeline.tries))
            raise
        timeline.busy = False
        ended = monotonic()
        if keep is not None:
            given, options = keep(given, options)
        came_of_it = came if gist is None else gist(came)
        timeline.note((name, began, ended, given, options or _NO_OPTIONS, came_of_it, timeline.tries))
        return came

    return noted


def noted_around(name: str, function: Any) -> Any:
    """A verb in which the handler's other verbs are called; or one that no verb uses, and that leaves by an error."""

    @wraps(function)
    def noted(self: Any, *given: Any, **options: Any) -> Any:
        timeline = self.timeline
        began = monotonic()
        came = None
        try:
            return function(self, *given, **options)
        except BaseException as error:
            came = None if isinstance(error, HandOver) else failure(error)
            raise
        finally:
            timeline.note((name, began, monotonic(), given, options, came, ()))

    return noted


def noted_block(name: str, function: Any) -> Any:
    """A verb that is a ``with`` block."""

    @wraps(function)
    def noted(self: Any, *given: Any, **options: Any) -> Any:
        began = monotonic()
        try:
            block = function(self, *given, **options)
        except BaseException as error:
            self.timeline.note((name, began, monotonic(), given, options, failure(error), ()))
            raise
        return _Block(self.timeline, name, block, (given, options))

    return noted


# -- what is kept -----------------------------------------------------------------------------


def without(*names: str) -> Keep:
    """Keeps all but these options, and each list as it is now."""

    def keep(given: tuple[Any, ...], options: dict[str, Any]) -> _Given:
        return tuple(map(_frozen, given)), {
            name: _frozen(value) for name, value in options.items() if name not in names
        }

    return keep


def _frozen(value: Any) -> Any:
    """What a handler may change later, as it is now; of a menu the keys, not what they lead to."""
    if isinstance(value, Mapping):
        return tuple(value)
    return tuple(value) if isinstance(value, list) else value


def question(given: tuple[Any, ...], options: dict[str, Any]) -> _Given:
    """All; but of a secret not the pattern, which may be the secret itself."""
    if options.get("sensitive") and "pattern" in options:
        return given, {name: value for name, value in options.items() if name != "pattern"}
    return given, options


def application(given: tuple[Any, ...], options: dict[str, Any]) -> _Given:
    """The application, and its argument where that is what the caller hears."""
    name = given[0] if given else options.get("application")
    return (given, options) if name in _HEARD else ((name,), {})


def first(given: tuple[Any, ...], options: dict[str, Any]) -> _Given:
    """The first argument alone."""
    return given[:1], {}


def function_name(given: tuple[Any, ...], options: dict[str, Any]) -> _Given:
    """The name of a function."""
    function = given[0] if given else options.get("function")
    return ("" if function is None else getattr(function, "__qualname__", type(function).__qualname__),), {}


def nothing(came: Any) -> None:
    """Nothing of the result: the tries of the question tell it, or it is the program's own."""
    return None


def response(came: Any) -> Any:
    """What the switch said at the end of an application."""
    return came.get("Application-Response")


def speech(came: Speech) -> dict[str, Any]:
    """What was said, without the engine's whole answer."""
    return {
        "text": came.text[:MOST_SAID],
        "confidence": came.confidence,
        "meaning": came.meaning[:MOST_SAID],
        "slots": {name[:80]: value[:80] for name, value in list(came.slots.items())[:8]},
    }


def _bridge_failure(call: Call, error: BaseException) -> Failure:
    """A caller who hangs up in a talk has had it: what the switch said last tells whether there was one."""
    told = failure(error)
    return (
        told._replace(answered=call.channel.get("variable_originate_disposition") == "SUCCESS") if told.over else told
    )
