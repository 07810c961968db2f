"""A test that replays a call, from the call's timeline."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fsivr.cli.literals import literal
from fsivr.cli.script import Script

MASK = "******"
# What ends a call from our side, or the switch's: no caller does that.
_NOT_THE_CALLERS = ("MANAGER_REQUEST", "ALLOTTED_TIMEOUT")
_AROUND = ("invoke", "hand_over", "music", "deadline", "interruptible", "recording")
_BEEP = "Tone('%(200,0,1000)')"
_MACHINES = {"PERSON": "person", "MACHINE": "machine", "UNKNOWN": "unsure"}
_FAILURES = {"USER_BUSY": "busy", "NO_ANSWER": "no_answer"}

Entry = Mapping[str, Any]


def test_of(call: Any, entries: Sequence[Entry]) -> str:
    """The text of a test file that makes the same call anew.

    :param call: the row.
    :param entries: its timeline.
    """
    script = Script()
    for entry in entries:
        if script.ended:
            break
        _step(script, entry)
    _last_word(script, entries)
    options = [f"caller_number={literal(call.caller)}"]
    if call.context != "public":
        options.append(f"context={literal(call.context)}")
    handler, uuid = re.sub(r"[^\w.]", "", call.handler), re.sub(r"[^\w-]", "", call.uuid)
    return script.text(
        title=f"What a caller of {handler or 'nobody'} did in the call {uuid}, once more."[:110],
        name=f"call_{uuid[:8].lower().replace('-', '_')}_is_as_it_was",
        number=call.dialled,
        options=options,
        cause=call.hangup_cause,
        answered=call.answered is not None,
    )


def _step(script: Script, entry: Entry) -> None:
    """What the caller did in a verb."""
    if "left_out" in entry:
        script.stop(f"{entry['left_out']} verbs are left out of the timeline")
        return
    verb, given = str(entry.get("verb")), entry.get("given", {})
    if verb in _AROUND:
        if verb == "music":
            script.hears([given.get("prompt", "")])
        return
    error = str(entry.get("error", ""))
    if "over" in entry and error:
        script.stop(f"the connection to the switch broke, {error}")
    elif entry.get("over") in _NOT_THE_CALLERS and verb != "hangup":
        script.stop(f"the server ended the call in {verb}")
    elif error and not error.startswith(("NoInput", "NoMatch")) and verb not in ("api", "set_variable"):
        script.stop(f"{verb} failed with {error}")
    else:
        _VERBS.get(verb, _nothing)(script, entry, given)


def _last_word(script: Script, entries: Sequence[Entry]) -> None:
    """A caller who hung up while the program worked, in no verb, is seen by the block around it alone."""
    for entry in entries:
        if entry.get("verb") in _AROUND and "over" in entry and entry["over"] not in _NOT_THE_CALLERS:
            if not any("over" in other for other in entries if other.get("verb") not in _AROUND):
                script.waits(1)
                script.hangs_up(str(entry["over"]))
            return


# -- what is heard and keyed --------------------------------------------------------------------


def _nothing(script: Script, entry: Entry, given: Entry) -> None:
    if "over" in entry:
        script.waits(min(1.0, float(given.get("seconds", 2)) / 2))
        script.hangs_up(entry["over"])


def _play(script: Script, entry: Entry, given: Entry) -> None:
    prompts = given.get("prompts", [])
    if "over" in entry:
        script.hangs_up(entry["over"], during=prompts[0])
    elif "key" in entry:  # which of them it ended is not known
        at = next((at for at, each in enumerate(prompts) if not each.startswith("Uninterrupted")), 0)
        script.hears(prompts[:at])
        script.dials(entry["key"], during=prompts[at])
    else:
        script.hears(prompts)


def _question(script: Script, entry: Entry, given: Entry) -> None:
    prompts = given.get("prompts") or [given.get("pin_prompt", "")]
    again: list[str] = []
    for number, one in enumerate(entry.get("tries") or [], 1):
        script.hears([*again, *prompts])
        if one["said"] == MASK:
            missed = "" if one["outcome"] == "answer" else f", {one['outcome']} in try {number}"
            script.dials_secret(f"{entry.get('at', 0):.1f} s into the call, at {prompts[-1]}{missed}")
        else:
            script.dials(one["said"] + one.get("terminator", ""))
        after = given.get("no_input" if one["outcome"] == "NoInput" else "no_match") or given.get("wrong_pin")
        again = [after] if after and one["outcome"] != "answer" else []
    if "over" in entry:
        script.hangs_up(entry["over"], during=(again or prompts)[0])


def _consent(script: Script, entry: Entry, given: Entry) -> None:
    (_question if entry.get("tries") or given.get("accept") else _play)(script, entry, given)


def _listen(script: Script, entry: Entry, given: Entry) -> None:
    prompts, result = given.get("prompts", []), entry.get("result", {})
    again: list[str] = []
    tries = entry.get("tries", [])
    if any(one["outcome"] == "NoMatch" for one in tries):
        said = [one["said"] for one in tries if one["outcome"] == "answer"] or ["what nobody says"]
        script.world("understands", given.get("grammar", "default"), *map(literal, said))
    for one in tries:
        script.hears([*again, *prompts])
        if one["outcome"] != "NoInput":
            script.says(one["said"] or "something else", result.get("confidence") if one["said"] else None)
        missed = given.get("no_input" if one["outcome"] == "NoInput" else "no_match")
        again = [missed] if missed and one["outcome"] != "answer" else []
    if "over" in entry:
        script.hangs_up(entry["over"], during=(again or prompts)[0])


def _execute(script: Script, entry: Entry, given: Entry) -> None:
    if given.get("application") == "playback":
        script.hears([re.sub(r"\.wav$", "", str(given.get("argument")))])
    else:
        script.remark(f"{given.get('application')} is executed here; what the caller does in it is not known")
    _nothing(script, entry, given)


def _record(script: Script, entry: Entry, given: Entry) -> None:
    result = entry.get("result", {})
    if "over" in entry:
        script.hangs_up(entry["over"], during=_BEEP if given.get("beep", True) else "")
        return
    if given.get("beep", True):
        script.hears([_BEEP])
    seconds, completion = float(result.get("duration", 0)), result.get("completion")
    silence = given.get("silence", 5.0) if completion == "SILENCE" else 0
    script.waits(round(max(0.0, seconds - float(silence or 0)), 1), "talks")
    if completion == "TERMINATOR":
        script.dials(given.get("terminator", "#")[:1])
    elif completion == "HANGUP":
        script.hangs_up("NORMAL_CLEARING")


# -- others -------------------------------------------------------------------------------------


def _bridge(script: Script, entry: Entry, given: Entry) -> None:
    wanted = given.get("destination", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    result = entry.get("result", {})
    presses = [f"presses={literal(given.get('confirm_key', '1'))}"] if given.get("confirm") else []
    others = dict(str(other).rsplit(" ", 1) for other in result.get("others", []))
    if "over" in entry:
        _left(script, entry, wanted, presses)
        return
    for each in wanted:
        if result.get("answered") and each == result.get("destination"):
            _answers(script, each, result, presses)
        else:
            _fails(script, each, others.get(each, str(result.get("hangup_cause"))))


def _left(script: Script, entry: Entry, wanted: Sequence[str], presses: list[str]) -> None:
    """The caller hung up: while it rang, or in the talk."""
    talked = bool(entry.get("answered"))
    if talked and len(wanted) > 1:
        script.stop("which of several destinations the caller talked with is not known")
        return
    for each in wanted:
        script.world("answers" if talked else "no_answer", each, *presses * talked)
    script.waits(5 if talked else 0.5)
    script.hangs_up(entry["over"])


def _answers(script: Script, destination: str, result: Entry, presses: list[str]) -> None:
    cause = str(result.get("hangup_cause"))
    given = [f"talks={max(0.1, round(float(result.get('duration', 1)), 1)):g}", *presses]
    if cause != "NORMAL_CLEARING" and re.fullmatch(r"[A-Z0-9_]+", cause):
        given.append(f"cause=HangupCause.{cause}")
    script.world("answers", destination, *given)


def _fails(script: Script, destination: str, cause: str) -> None:
    if cause == "LOSE_RACE":
        cause = "NO_ANSWER"
    if cause in _FAILURES:
        script.world(_FAILURES[cause], destination)
    elif re.fullmatch(r"[A-Z0-9_]+", cause):
        script.world("rejects", destination, f"cause=HangupCause.{cause}")


def _transfer(script: Script, entry: Entry, given: Entry) -> None:
    if entry.get("over") != "BLIND_TRANSFER":
        _nothing(script, entry, {})
        return
    # A cause that nothing else has: that it was transferred is what is to be seen.
    script.extension(str(given.get("extension")), "BLIND_TRANSFER")
    script.cause, script.ended = "BLIND_TRANSFER", True


def _queue(script: Script, entry: Entry, given: Entry) -> None:
    result = entry.get("result", {})
    why = result.get("why")
    if why == "SERVED":
        waited, talked = (max(0.1, round(float(result.get(name, 1)), 1)) for name in ("waited", "talked"))
        script.world("agents", given.get("name", ""), f"after={waited:g}", f"talks={talked:g}")
    elif why == "NO_AGENTS":
        script.world("agents", given.get("name", ""), "count=0")
    script.hears(each for each in (given.get("music"), given.get("announce") if why == "SERVED" else None) if each)
    if why == "EXIT_KEY":
        script.waits(1)
        script.dials(result.get("key", ""))
    elif why == "REMOVED":
        script.stop("the switch took the caller out of the queue")
    _nothing(script, entry, given)


def _room(script: Script, entry: Entry, given: Entry) -> None:
    """A conference, a parking place: who else was there is not known."""
    if entry.get("tries"):
        _question(script, {"tries": entry["tries"]}, given)
    result = entry.get("result", {})
    if result.get("entered") or result.get("by") or result.get("answered"):
        script.stop("what others did in it is not known")
    elif result.get("entered") is False:
        script.stop("the conference was full or locked")
    elif given.get("music"):
        script.hears([given["music"]])
    _nothing(script, entry, given)


def _originate(script: Script, entry: Entry, given: Entry) -> None:
    result = entry.get("result", {})
    if result.get("result") in ("ANSWERED", "MACHINE"):
        script.stop("a call was placed, and what its handler did is another call's timeline")
    elif result:
        _fails(script, given.get("to", ""), str(result.get("hangup_cause")))
    _nothing(script, entry, given)


def _dial_many(script: Script, entry: Entry, given: Entry) -> None:
    script.remark("calls are placed here; whom to, and what came of each, is in their own timelines")
    _nothing(script, entry, given)


def _machine(script: Script, entry: Entry, given: Entry) -> None:
    who = _MACHINES.get(str(entry.get("result")))
    if who:
        script.world("answered_by", who, *(["beep=1"] if given.get("beep") and who == "machine" else []))
    _nothing(script, entry, given)


_VERBS: dict[str, Callable[[Script, Entry, Entry], None]] = {
    "play": _play,
    "ask": _question,
    "menu": _question,
    "confirm": _question,
    "consent": _consent,
    "listen": _listen,
    "execute": _execute,
    "record": _record,
    "bridge": _bridge,
    "transfer": _transfer,
    "queue": _queue,
    "conference": _room,
    "park": _room,
    "unpark": _room,
    "serve_queue": _room,
    "originate": _originate,
    "dial_many": _dial_many,
    "detect_machine": _machine,
    "hangup": lambda script, entry, given: None,
}
