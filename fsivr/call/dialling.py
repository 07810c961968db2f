"""How others are called for a bridge: its options as the switch takes them, and what it says afterwards."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fsivr.call.channel import Described, number
from fsivr.call.dialstring import caller_name, caller_number, carried, checked_destination, dial_string, several
from fsivr.call.leg import Leg
from fsivr.call.ranges import check_seconds
from fsivr.causes import HangupCause
from fsivr.prompts import File, Prompt, PromptLibrary, PromptLike, Silence, prompt

_LONGEST = 3600
_MOST = 100  # the switch calls 128 at once (switch_ivr_originate.c, MAX_PEERS)
_WHISPERING = 120  # seconds that a whisper may take
_KEYS = frozenset("0123456789*#")

#: What sound a caller hears while it rings: the first one, once answered, else the second (switch_ivr_originate.c).
RINGBACK = ("transfer_ringback", "ringback")


@dataclass(frozen=True, slots=True)
class Dialling:
    """How each destination is called.

    :param ring: seconds it rings.
    :param accept: seconds that whoever answers has to hear the whisper and press the key; 0 where there is neither.
    :param variables: the legs' own, and what the switch is told of how to call them.
    :param ringback: the sound the caller hears meanwhile; ``""`` for what the other side sends.
    """

    ring: int
    accept: int
    variables: Mapping[str, str]
    ringback: str

    def settings(self) -> str:
        """The caller's variables that a bridge depends on, those left over from earlier ones unset.

        ``originate_causes`` and ``originated_legs`` grow from bridge to bridge (capture
        ``05c_bridge_busy_continue_on_fail``), ``bridge_uuid`` stays.
        """
        return (
            f"continue_on_fail=true;hangup_after_bridge=false;call_timeout={self.ring + self.accept};"
            "originate_causes=;originated_legs=;bridge_uuid="
        )

    def text(self, legs: Mapping[str, str]) -> str:
        """The argument of ``bridge``.

        :param legs: the destinations, by the ids of their channels.
        """
        # A leg's early media is an answer to the switch unless something is said about it.
        # With one leg the caller can hear it nevertheless; with several, the first one's
        # end would make the next one's an answer again (switch_ivr_originate.c, early_thread_run).
        heard = "ignore_early_media" if self.ringback or len(legs) > 1 else "bridge_early_media"
        variables = {heard: "true", **self.variables}
        if len(legs) == 1:
            return dial_string(next(iter(legs.values())), variables)
        return several(variables, legs)


def dialling(
    library: PromptLibrary,
    *,
    timeout: float,
    caller_id: str | None,
    name: str | None,
    confirm: PromptLike | Sequence[PromptLike] | None,
    confirm_key: str,
    confirm_timeout: float,
    whisper: PromptLike | Sequence[PromptLike] | None,
    ringback: PromptLike | None,
) -> Dialling:
    """The arguments of ``Call.bridge`` as the switch takes them.

    :raises ValueError: one of them is wrong, named in the message.
    :raises TypeError: a caller id that is no text.
    """
    for seconds, what in ((timeout, "timeout"), (confirm_timeout, "confirm_timeout")):
        check_seconds(what, seconds, _LONGEST)
    if not isinstance(confirm_key, str) or len(confirm_key) != 1 or confirm_key not in _KEYS:
        raise ValueError(f"confirm_key is one of the keys 0-9 * #, not {confirm_key!r}")
    ring = math.ceil(timeout)
    variables = _shown(caller_id, name)
    sound = "" if ringback is None else _ringback(library, ringback)
    if sound:
        variables["instant_ringback"] = "true"
    if confirm is None and whisper is None:
        return Dialling(ring, 0, variables, sound)
    accept = _WHISPERING if confirm is None else math.ceil(confirm_timeout)
    # Whoever answers keeps ringing for the switch until the key was pressed, or the
    # whisper played (switch_ivr_originate.c, collect_thread_run). The time to answer is
    # then the leg's own, and group_confirm_timeout what it is extended by; both end
    # when more whole seconds have passed.
    variables["leg_timeout"] = str(max(1, ring - 1))
    variables["group_confirm_timeout"] = str(accept)
    variables |= _taking(library, _prompts(whisper), _prompts(confirm), confirm_key)
    return Dialling(ring, accept, variables, sound)


def _shown(caller_id: str | None, name: str | None) -> dict[str, str]:
    for text in (caller_id, name):
        if text is not None and not isinstance(text, str):
            raise TypeError(f"a caller id is a str, not {type(text).__name__}")
    shown = {
        "origination_caller_id_number": caller_number(caller_id or ""),
        "origination_caller_id_name": caller_name(name or ""),
    }
    return {variable: text for variable, text in shown.items() if text}


def _prompts(values: PromptLike | Sequence[PromptLike] | None) -> list[Prompt]:
    if values is None:
        return []
    return [prompt(value) for value in ([values] if isinstance(values, PromptLike) else values)]


def _taking(library: PromptLibrary, whisper: list[Prompt], confirm: list[Prompt], key: str) -> dict[str, str]:
    """The variables that make a leg hear something, and press a key, before it is connected."""
    many = [*whisper, *confirm]
    if not many:
        raise ValueError("whisper and confirm take at least one prompt")
    spoken = [each for each in many if not library.is_file(each)]
    if spoken and (confirm or len(many) > 1):
        raise ValueError(f"{spoken[0]} cannot be one of several prompts of whisper and confirm: those are sound files")
    if confirm:
        told, how = library.file_string(many), key
    else:
        played = library.application(many[0]) if spoken else ("playback", library.file_string(many))
        told, how = " ".join(played), "exec"
    if not carried(told):
        raise ValueError(f"{', '.join(map(str, many))} holds what cannot be sent along with a call")
    return {"group_confirm_key": how, "group_confirm_file": told}


def _ringback(library: PromptLibrary, sound: PromptLike) -> str:
    """A sound as the variable ``ringback`` takes it: it is repeated until somebody answers.

    A tone in its own notation, since ``tone_stream://`` cannot be rewound; a file in a
    ``file_string://``, since a name without that is looked for in the switch's working
    directory, or taken for a tone (switch_ivr_originate.c, setup_ringback).
    """
    meant = prompt(sound)
    if isinstance(meant, Silence):
        return "silence"
    if isinstance(meant, File):
        return f"file_string://{library.file(meant)}"
    if not library.is_file(meant):
        raise ValueError(f"ringback is a sound file, a Tone or Silence, not {meant}")
    return library.file(meant).removeprefix("tone_stream://")


def legs_of(destinations: Sequence[str]) -> dict[str, str]:
    """The destinations, each checked, by an id for its leg.

    :raises ValueError: one that is no endpoint, none, one twice, or too many.
    """
    if not 0 < len(destinations) <= _MOST or len(set(destinations)) < len(destinations):
        raise ValueError(f"bridge calls 1 to {_MOST} destinations, each once, not {len(destinations)}")
    return {str(uuid.uuid4()): checked_destination(destination) for destination in destinations}


def outcome(completion: Described, legs: Mapping[str, str]) -> Leg:
    """Read a bridge's end from its variables, of which many are left over from earlier ones.

    FACTS 7.3 in docs/esl-quirks.md (captures 05a to 05k): of those that are not unset
    before, only ``originate_disposition`` is set anew by every attempt.
    """
    disposition = completion.get("variable_originate_disposition")
    told = _told(completion.get("variable_originate_causes") or "", legs)
    single = next(iter(legs.values())) if len(legs) == 1 else ""
    if disposition != "SUCCESS":
        cause = _not_taken(HangupCause.parse(disposition))
        # Of a leg that could not even be made the switch says nothing where another could.
        unknown = HangupCause.NORMAL_UNSPECIFIED if told else cause
        causes = {legs[each]: cause if single else told.get(each, unknown) for each in legs}
        return Leg(single, False, cause, 0.0, "", causes)
    reached = completion.get("variable_bridge_uuid") or ""
    # A leg that only sent early media may be a success to the switch too.
    answered = number(completion.get("Other-Leg-Channel-Answered-Time"))
    cause = HangupCause.parse(completion.get("variable_bridge_hangup_cause"), HangupCause.NORMAL_CLEARING)
    destination = single or legs.get(reached, "")
    causes = {legs[each]: told.get(each, HangupCause.NORMAL_UNSPECIFIED) for each in legs if legs[each] != destination}
    if not answered:
        return Leg(destination, False, cause, 0.0, reached, {**causes, destination: cause})
    began = max(answered, number(completion.get("Caller-Channel-Bridged-Time")))
    talked = max(0.0, (number(completion.get("Event-Date-Timestamp")) - began) / 1e6)
    return Leg(destination, True, cause, talked, reached, causes)


def _told(text: str, legs: Mapping[str, str]) -> dict[str, HangupCause]:
    """The legs' causes: ``id;CAUSE``, or several as ``ARRAY::id;CAUSE|:id;CAUSE`` (FACTS 1.9)."""
    pairs = [one.partition(";") for one in text.removeprefix("ARRAY::").split("|:")]
    return {each: _not_taken(HangupCause.parse(cause)) for each, _, cause in pairs if each in legs}


def _not_taken(cause: HangupCause) -> HangupCause:
    # What a leg's own time ends with, be it that to answer or that to press a key.
    return HangupCause.NO_ANSWER if cause is HangupCause.ALLOTTED_TIMEOUT else cause
