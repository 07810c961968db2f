"""Speech: what a caller said, read from a recogniser's answer, which is text of strangers."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NoReturn
from xml.etree import ElementTree

from fsivr.errors import SpeechError

_LONGEST = 65536
_MOST_SLOTS = 64
_CAUSE = re.compile(r"Completion-Cause: (\d{3})")
# RFC 6787, 9.4.11: those of a recognition that worked and found nothing.
_SILENT_CAUSES = {"002"}
_UNMATCHED_CAUSES = {"001", "003", "013", "014", "015"}
_UNMATCHED_ERRORS = {"no_match", "nomatch", "no-match"}
_SILENT_ERRORS = {"no_input", "noinput", "no-input"}


@dataclass(frozen=True, slots=True)
class Speech:
    """What a caller said, as the switch's recogniser understood it.

    All of it is text that the caller chose: compare it, and do not build paths,
    commands or queries of it.
    """

    #: The words; without control characters, and with one blank between them.
    text: str
    #: How sure the engine is, from 0 to 1; 1 where it does not say.
    confidence: float = 1.0
    #: What the grammar makes of the words (the text of NLSML's ``instance``), else ``""``.
    meaning: str = ""
    #: The parts of the meaning by their names, where the grammar has parts.
    slots: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: The engine's whole answer, as it gave it.
    raw: str = field(default="", repr=False)


class Missed(Enum):
    """Why there is no speech."""

    SILENCE = "nothing was said"
    NO_MATCH = "nothing was understood"


def read_answer(raw: str, *, percent: bool = False) -> Speech | Missed:
    """What an engine's answer means: NLSML (mod_unimrcp, mod_pocketsphinx), JSON (mod_vosk, mod_test), or plain text.

    :param percent: whether the engine's confidence goes from 0 to 100; else only what is above 1 does.
    :raises SpeechError: it cannot be read. What was said is not in the message: it may be a secret.
    """
    if len(raw) > _LONGEST:
        raise SpeechError(f"the engine's answer has {len(raw)} characters, more than {_LONGEST}")
    answer = raw.strip()
    if answer.startswith("<"):
        return _read_xml(answer, raw, percent)
    if answer.startswith("{"):
        return _read_json(answer, raw, percent)
    if cause := _CAUSE.fullmatch(answer):
        return _read_cause(cause[1])
    text = _clean(answer)
    return Speech(text, raw=raw) if text else Missed.SILENCE


def _read_cause(cause: str) -> Missed:
    """An answer of mod_unimrcp that has no body (mod_unimrcp.c, recog_on_message_receive)."""
    if cause in _SILENT_CAUSES:
        return Missed.SILENCE
    if cause in _UNMATCHED_CAUSES:
        return Missed.NO_MATCH
    raise SpeechError(f"the engine failed: completion cause {cause}")


# -- NLSML -----------------------------------------------------------------------------


def _read_xml(answer: str, raw: str, percent: bool) -> Speech | Missed:
    # Nothing that NLSML is for needs one, and entities are declared nowhere else: none can be expanded.
    if "<!DOCTYPE" in answer:
        _unreadable("it declares a document type")
    try:
        root = ElementTree.fromstring(answer)
    except (ElementTree.ParseError, ValueError):
        # The parser's own message holds no text, but its place in it.
        _unreadable("it is no well-formed XML")
    if _name(root) != "result":
        _unreadable("its XML is no NLSML")
    interpretation = _child(root, "interpretation")
    if interpretation is None:
        _unreadable("it has no interpretation")
    heard = _child(interpretation, "input")
    inside = set() if heard is None else {_name(each) for each in heard}
    if "noinput" in inside:
        return Missed.SILENCE
    if "nomatch" in inside:
        return Missed.NO_MATCH
    return _interpreted(interpretation, heard, raw, percent)


def _interpreted(
    interpretation: ElementTree.Element, heard: ElementTree.Element | None, raw: str, percent: bool
) -> Speech | Missed:
    instance = _child(interpretation, "instance")
    meaning, slots = "", {}
    if instance is not None:
        meaning = _text(instance)
        parts = list(instance)[:_MOST_SLOTS]
        slots = {_name(each): _text(each) for each in parts if _text(each)}
    text = "" if heard is None else _text(heard)
    if not (text or meaning):
        return Missed.NO_MATCH
    said = interpretation.get("confidence") or (None if heard is None else heard.get("confidence"))
    return Speech(text or meaning, _confidence(said, percent), meaning, slots, raw)


def _name(element: ElementTree.Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _child(element: ElementTree.Element, name: str) -> ElementTree.Element | None:
    return next((each for each in element if _name(each) == name), None)


def _text(element: ElementTree.Element) -> str:
    return _clean(" ".join(element.itertext()))


# -- JSON ------------------------------------------------------------------------------


def _read_json(answer: str, raw: str, percent: bool) -> Speech | Missed:
    try:
        told = json.loads(answer, parse_constant=_refuse)
    except (ValueError, RecursionError):
        _unreadable("it is no JSON")
    match told.get("error"):
        case str() as error if error in _SILENT_ERRORS:
            return Missed.SILENCE
        case str() as error if error in _UNMATCHED_ERRORS:
            return Missed.NO_MATCH
        case error if error:
            raise SpeechError("the engine failed: it says so in its answer")
    best = told
    match told.get("alternatives"):
        case [dict() as first, *_] if "text" not in told:
            best = {"text": first.get("text")}  # Vosk's measure of these is no probability
    text = best.get("text")
    if not isinstance(text, str):
        _unreadable("its JSON has no text")
    text = _clean(text)
    if not text:
        return Missed.SILENCE  # all that Vosk says of a silence
    return Speech(text, _confidence(_sureness(best), percent), raw=raw)


def _sureness(told: Mapping[str, Any]) -> object:
    """The confidence that JSON gives: of the whole, or the mean of its words'."""
    match told:
        case {"confidence": sure}:
            return sure
        case {"result": [{"conf": _}, *_] as words} if all(isinstance(word, dict) for word in words):
            sure = [word.get("conf") for word in words]
            usable = all(type(each) in (int, float) and 0 <= each <= 1 for each in sure)
            return sum(sure) / len(sure) if usable else "none"
    return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


# -- both ------------------------------------------------------------------------------


def _confidence(said: object, percent: bool) -> float:
    if said is None:
        return 1.0
    try:
        sure = math.nan if isinstance(said, bool) else float(said)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        sure = math.nan
    if percent or sure > 1:
        sure /= 100
    if not 0 <= sure <= 1:
        _unreadable("its confidence is no number from 0 to 1 or to 100")
    return sure


def _clean(text: str) -> str:
    """The words alone: no control character, line break or half of a surrogate pair."""
    plain = "".join(" " if unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") else each for each in text)
    return " ".join(plain.split())


def _unreadable(why: str) -> NoReturn:
    raise SpeechError(f"the engine's answer cannot be read: {why}") from None
