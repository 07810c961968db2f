"""The variables that a channel's last event adds: when it was what, for how long."""

from __future__ import annotations

import time

from fsivr.causes import HangupCause

_STAMPS = ("start", "profile_start", "answer", "bridge", "progress", "progress_media", "end")
_SPANS = ("duration", "bill", "progress", "answer", "wait", "progress_media", "flow_bill")


def variables(cause: HangupCause, moments: dict[str, int], last: tuple[str, str], caller_id: str) -> dict[str, str]:
    """The variables, in FreeSWITCH's order (capture 01b_basic_sip).

    :param moments: microseconds since the epoch of start, answer, bridge,
        progress, progress_media and end; 0 or absent for what was not.
    :param last: the last application and its argument.
    """
    moments = {**moments, "profile_start": moments["start"]}
    values = {
        "hangup_cause": cause.name,
        "hangup_cause_q850": str(cause.q850 if cause.q850 < 128 else 16),
        "digits_dialed": "none",
    }
    for name in _STAMPS:
        if moments.get(name):
            stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moments[name] // 1_000_000))
            values[f"{name}_stamp"] = stamp
    for name in ("start", "profile_start", "answer", "bridge", "last_hold"):
        values.update(_epochs(name, moments))
    values.update({"hold_accum_seconds": "0", "hold_accum_usec": "0", "hold_accum_ms": "0"})
    for name in ("resurrect", "progress", "progress_media", "end"):
        values.update(_epochs(name, moments))
    values["last_app"] = last[0]
    values["last_arg"] = last[1]
    values["caller_id"] = caller_id
    values.update(_spans(moments))
    return {name: value for name, value in values.items() if value}


def _epochs(name: str, moments: dict[str, int]) -> dict[str, str]:
    moment = moments.get(name, 0)
    return {f"{name}_epoch": str(moment // 1_000_000), f"{name}_uepoch": str(moment)}


def _spans(moments: dict[str, int]) -> dict[str, str]:
    start, end = moments["start"], moments["end"]
    answer = moments.get("answer", 0)
    spans = {
        "duration": end - start,
        "bill": end - answer if answer else 0,
        "progress": max(0, moments.get("progress", 0) - start) if moments.get("progress") else 0,
        "answer": answer - start if answer else 0,
        "wait": max(0, moments.get("bridge", 0) - start) if moments.get("bridge") else 0,
        "progress_media": max(0, moments.get("progress_media", 0) - start) if moments.get("progress_media") else 0,
        "flow_bill": end - start if answer else 0,
    }
    values: dict[str, str] = {}
    for unit, divisor in (("sec", 1_000_000), ("msec", 1_000), ("usec", 1)):
        for name in _SPANS:
            if name == "duration":
                key = {"sec": "duration", "msec": "mduration", "usec": "uduration"}[unit]
            else:
                key = f"{name}{unit}"
            values[key] = str(spans[name] // divisor)
    return values
