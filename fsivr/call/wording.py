"""The notes of a call put into words: what the column ``timeline`` of the store holds.

It is done where rows are written, in no call's greenlet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from enum import Enum
from math import isfinite
from operator import itemgetter
from typing import Any

from fsivr.call.conference import ConferenceStay
from fsivr.call.dialled import Dialled
from fsivr.call.leg import Leg
from fsivr.call.recording import Recording
from fsivr.call.timeline import Failure, Note, Notes, Try
from fsivr.call.waiting import Parked, QueueStay
from fsivr.prompts import File, Prompt, PromptLike, prompt

#: Text as a database keeps it, cut at so many letters.
Clean = Callable[[object, int], str]

# The names of what a verb is given without one; ``*`` is for all of it.
_NAMES: dict[str, tuple[str, ...]] = {
    "play": ("*prompts",),
    "ask": ("*prompts",),
    "confirm": ("*prompts",),
    "listen": ("*prompts",),
    "consent": ("*prompts",),
    "menu": ("prompts", "choices"),
    "music": ("prompt",),
    "sleep": ("seconds",),
    "deadline": ("seconds",),
    "bridge": ("destination",),
    "transfer": ("extension",),
    "conference": ("name",),
    "queue": ("name",),
    "serve_queue": ("name",),
    "park": ("lot",),
    "unpark": ("lot", "slot"),
    "execute": ("application", "argument"),
    "hangup": ("cause",),
    "invoke": ("handler",),
    "hand_over": ("handler",),
    "on_digit": ("function",),
    "set_variable": ("name",),
    "originate": ("to", "handler"),
    "api": ("command",),
}
_PROMPTS = frozenset(
    ("prompts", "prompt", "no_input", "no_match", "pin_prompt", "wrong_pin", "whisper", "ringback", "music", "announce")
)
_BEGAN = itemgetter(1)
_JSON = json.JSONEncoder(separators=(",", ":"), default=str).encode
_MOST_TEXT, _MOST_ITEMS = 400, 32
# Of the 262,144 letters that a row's JSON may have.
_MOST_BEFORE, _MOST_AFTER = 160_000, 80_000


def timeline(notes: Notes, clean: Clean) -> str:
    """JSON: a list with an entry for each note, by the time the verb began.

    Where some are left out, of a call of many verbs or long ones, an entry in their place counts them.
    """
    first, last = (
        [_entry(note, notes.began, clean) for note in sorted(some, key=_BEGAN)]
        for some in (notes.first, notes.last or ())
    )
    if not notes.left_out and len(text := _JSON(first + last)) <= _MOST_BEFORE:  # of nearly every call
        return text
    before = _fitting(first, _MOST_BEFORE)
    rest = first[before:] + last
    after = _fitting(rest[::-1], _MOST_AFTER)
    gone = notes.left_out + len(rest) - after
    left_out = [{"left_out": gone}] if gone else []
    return _JSON([*first[:before], *left_out, *rest[len(rest) - after :]])


def _fitting(some: list[dict[str, Any]], most: int) -> int:
    """How many of the first ones have no more letters than that together."""
    for number, entry in enumerate(some):
        most -= len(_JSON(entry)) + 1
        if most < 0:
            return number
    return len(some)


def _entry(note: Note, started: float, clean: Clean) -> dict[str, Any]:
    verb, began, ended, given, options, came, tries = note
    said: dict[str, Any] = {"verb": verb, "at": round(began - started, 3), "seconds": round(ended - began, 3)}
    try:
        arguments = {name: _given(verb, name, value, clean) for name, value in _arguments(verb, given, options)}
        if arguments:
            said["given"] = arguments
        if tries:
            said["tries"] = [_try(one, clean) for one in tries]
            said["tries"][-1]["outcome"] = _last_outcome(verb, tries[-1], came, options)
        said.update(_came(verb, came, clean))
    except Exception as error:  # noqa: BLE001  what a handler gave may be anything; the row is worth more
        said["not_told"] = type(error).__name__
    return said


def _arguments(verb: str, given: tuple[Any, ...], options: dict[str, Any]) -> list[tuple[str, Any]]:
    names = _NAMES.get(verb, ())
    if names and names[0][0] == "*":
        return [(names[0][1:], given), *options.items()]
    return [*zip(names, given, strict=False), *options.items()]


def _given(verb: str, name: str, value: Any, clean: Clean) -> Any:
    if name in _PROMPTS or (name == "confirm" and verb == "bridge"):
        if isinstance(value, (str, int, Prompt)):  # a union takes ten times as long
            one = _heard(value, clean)
            return [one] if name == "prompts" else one
        return None if value is None else [_heard(each, clean) for each in value[:_MOST_ITEMS]]
    return _plain(value, clean)


def _heard(value: PromptLike, clean: Clean) -> str:
    if type(value) is str:
        return clean(value, _MOST_TEXT)
    meant = prompt(value)
    return clean(meant.name if isinstance(meant, File) else str(meant), _MOST_TEXT)


def _plain(value: Any, clean: Clean) -> Any:
    """A value as JSON has it; of what is no text, number or truth the name alone."""
    if value is None or isinstance(value, bool | float):
        return value if value is None or isfinite(value) else str(value)
    if isinstance(value, int) and not isinstance(value, Enum):
        return value if abs(value) < 2**53 else clean(hex(value), 32)
    if isinstance(value, str) and not isinstance(value, Enum):
        return clean(value, _MOST_TEXT)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, tuple | list):
        return [_plain(each, clean) for each in value[:_MOST_ITEMS]]
    if isinstance(value, type):
        return clean(f"{value.__module__}.{value.__qualname__}", _MOST_TEXT)
    return clean(type(value).__qualname__, _MOST_TEXT)


def _try(one: Try, clean: Clean) -> dict[str, Any]:
    said: dict[str, Any] = {"said": clean(one.said, 1024)}
    if one.ended_by:
        said["terminator"] = clean(one.ended_by, 8)
    if one.ahead:
        said["type_ahead"] = True
    # Of the last one the verb's own end tells whether it was an answer.
    said["outcome"] = "NoInput" if one.silent else "NoMatch"
    return said


def _last_outcome(verb: str, last: Try, came: Any, options: dict[str, Any]) -> str:
    missed = "NoInput" if last.silent else "NoMatch"
    if verb == "conference":  # what was keyed is compared only then
        return missed if last.silent or (isinstance(came, Failure) and came.error) else "answer"
    if isinstance(came, Failure):
        return missed
    declined = verb != "consent" or came is True or last.said == options.get("decline")
    return "answer" if declined else missed


def _came(verb: str, came: Any, clean: Clean) -> dict[str, Any]:
    """What a verb came to: an error, the end of the call, or its result."""
    if isinstance(came, Failure):
        return _failed(came, clean)
    if came is None or (came == "" and verb != "execute"):
        return {}
    if verb == "play":
        return {"key": clean(came, 8)}
    for kind, told in _RESULTS:
        if isinstance(came, kind):
            return {"result": {name: _plain(value, clean) for name, value in told(came).items()}}
    if isinstance(came, dict):
        return {"result": {clean(name, 80): _result(value, clean) for name, value in came.items()}}
    return {"result": _plain(came, clean)}


def _result(value: Any, clean: Clean) -> Any:
    if isinstance(value, dict):
        return {clean(name, 80): _plain(each, clean) for name, each in value.items()}
    return clean(value, 1024) if isinstance(value, str) else _plain(value, clean)


def _failed(came: Failure, clean: Clean) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if came.error:
        said["error"] = clean(f"{came.error}: {came.text}" if came.text else came.error, _MOST_TEXT)
    if came.over:
        said["over"] = came.over
    if came.answered:
        said["answered"] = True
    return {**said, **_came("", came.result, clean)}


def _leg(leg: Leg) -> dict[str, Any]:
    told: dict[str, Any] = {
        "destination": leg.destination,
        "answered": leg.answered,
        "hangup_cause": leg.hangup_cause,
        "duration": round(leg.duration, 3),
        "uuid": leg.uuid,
    }
    others = [f"{each} {cause.name}" for each, cause in leg.causes.items()]
    return {**told, "others": others} if len(others) > 1 or (others and leg.answered) else told


_RESULTS: Sequence[tuple[type[Any], Callable[[Any], dict[str, Any]]]] = (
    (Leg, _leg),
    (
        Recording,
        lambda one: {
            "id": one.id,
            "duration": round(one.duration, 3),
            "completion": one.completion,
            "truncated": one.truncated,
        },
    ),
    (
        QueueStay,
        lambda one: {
            "why": one.why,
            "waited": round(one.waited, 3),
            "talked": round(one.talked, 3),
            "agent": one.agent,
            "key": one.key,
        },
    ),
    (
        ConferenceStay,
        lambda one: {"entered": one.entered, "duration": round(one.duration, 3), "kicked": one.kicked},
    ),
    (
        Parked,
        lambda one: {
            "slot": one.slot,
            "by": one.by,
            "waited": round(one.waited, 3),
            "talked": round(one.talked, 3),
        },
    ),
    (Dialled, lambda one: {"result": one.result, "hangup_cause": one.hangup_cause, "uuid": one.uuid}),
)
