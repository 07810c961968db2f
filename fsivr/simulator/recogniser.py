"""A simulated speech engine: what it hears while it is open, and its answer in the form of a real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

#: Seconds that it takes to say something, and to be sure that it is over.
SPEAKING = 1.0
_NAMESPACE = "http://www.ietf.org/xml/ns/mrcpv2"
_WHO = {"person", "machine", "unsure"}


@dataclass(frozen=True, slots=True)
class Sound:
    """What whoever answers a call sounds like.

    :param beep: seconds from the answer to a beep; None for none.
    """

    who: str
    beep: float | None

    def __post_init__(self) -> None:
        if self.who not in _WHO:
            raise ValueError(f"a call is answered by a person, a machine or what is unsure, not by {self.who!r}")


class Recogniser:
    """An engine that listens to one channel.

    :param engine: the engine's name, which decides the form of the answer.
    :param now: the switch's time.
    :param begins: called when the caller begins to speak.
    """

    def __init__(self, engine: str, grammar: str, now: Callable[[], float], begins: Callable[[], None]) -> None:
        self.engine = engine
        self.grammar = grammar
        #: When what is said will have been understood; None while nothing is said.
        self.ready: float | None = None
        #: Whether it was closed while it listened.
        self.closed = False
        self._now = now
        self._begins = begins
        self._words: list[str] = []
        self._confidence = 1.0

    def hear(self, text: str, confidence: float) -> None:
        """Take what is said now; it goes on where something was being said already."""
        first = self.ready is None
        self._words.append(text)
        self._confidence = confidence if first else min(confidence, self._confidence)
        self.ready = self._now() + SPEAKING
        self._begins()

    def close(self) -> None:
        """Stop to listen without an answer (switch_ivr_async.c, speech_thread)."""
        self.closed = True
        self._begins()

    def answer(self, holds: Callable[[str, str], bool]) -> str:
        """What the engine makes of what it heard: of nothing, where it heard nothing.

        :param holds: whether a grammar holds a text.
        """
        text = " ".join(self._words)
        understood = bool(text) and holds(self.grammar, text)
        write = _FORMS.get(self.engine, _json)
        return write(self.grammar, text if understood else "", self._confidence, bool(text))


def _pocketsphinx(grammar: str, text: str, confidence: float, spoken: bool) -> str:
    """The XML of mod_pocketsphinx.c, pocketsphinx_asr_get_results."""
    name = quoteattr(grammar)
    sure = f' grammar={name} confidence="{round(confidence * 100)}"' if text else ""
    inside = escape(text) or ("<nomatch/>" if spoken else "<noinput/>")
    return (
        f'<?xml version="1.0"?>\n<result grammar={name}>\n  <interpretation{sure}>\n'
        f'    <input mode="speech">{inside}</input>\n  </interpretation>\n</result>\n'
    )


def _unimrcp(grammar: str, text: str, confidence: float, spoken: bool) -> str:
    """NLSML as in RFC 6787, 6.3; an answer without a body is its cause (mod_unimrcp.c, recog_on_message_receive)."""
    if not text:
        return "Completion-Cause: 001" if spoken else "Completion-Cause: 002"
    return (
        f'<?xml version="1.0"?>\n<result xmlns="{_NAMESPACE}" grammar={quoteattr(grammar)}>\n'
        f'  <interpretation confidence="{confidence:.2f}">\n    <instance>{escape(text)}</instance>\n'
        f'    <input mode="speech">{escape(text)}</input>\n  </interpretation>\n</result>\n'
    )


def _vosk(grammar: str, text: str, confidence: float, spoken: bool) -> str:
    """Vosk's own JSON: a silence is an empty text, and each word has its confidence."""
    words = [{"conf": confidence, "word": word} for word in text.split()]
    return json.dumps({"result": words, "text": text} if words else {"text": ""})


def _json(grammar: str, text: str, confidence: float, spoken: bool) -> str:
    """The JSON of mod_test.c, test_asr_get_results, with one more error: it has no grammars."""
    told: dict[str, object] = {"grammar": grammar, "text": text, "confidence": confidence * 100 if text else 0}
    if not text:
        told["error"] = "no_match" if spoken else "no_input"
    return json.dumps(told)


_FORMS = {"pocketsphinx": _pocketsphinx, "unimrcp": _unimrcp, "vosk": _vosk}
