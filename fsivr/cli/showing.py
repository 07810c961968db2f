"""Calls as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from fsivr.cli.output import console, plain

_COLUMNS = ("uuid", "handler", "caller", "dialled", "context", "direction")
_LAST = ("hangup_cause", "node", "worker", "error")
_SILENT = frozenset({"prompts", "prompt", "pin_prompt", "destination", "name", "seconds", "extension", "handler"})


def as_dict(call: Any) -> dict[str, Any]:
    """A call as JSON has it: times in ISO 8601, in UTC."""
    told: dict[str, Any] = {name: getattr(call, name) for name in _COLUMNS}
    for name in ("started", "answered", "ended"):
        at: datetime | None = getattr(call, name)
        told[name] = None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told["seconds"] = _seconds(call)
    return {**told, **{name: getattr(call, name) for name in _LAST}}


def print_calls(calls: Sequence[Any], *, more: bool) -> None:
    """A line for each."""
    screen = console()
    if not calls:
        screen.print("no calls")
        return
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    for name in ("Started", "Seconds", "Caller", "Dialled", "Handler", "Ended with", "Call"):
        table.add_column(name, no_wrap=True, overflow="ignore")
    for call in calls:
        seconds = _seconds(call)
        cells = [
            f"{call.started:%Y-%m-%d %H:%M:%S}",
            "" if seconds is None else f"{seconds:.1f}",
            call.caller,
            call.dialled,
            call.handler,
            call.hangup_cause or ("live" if call.ended is None else ""),
            call.uuid,
        ]
        table.add_row(*(Text(plain(cell)) for cell in cells))
    with screen.capture() as captured:
        screen.print(table, crop=False)
    for line in captured.get().splitlines():
        screen.out(line.rstrip())
    if more:
        screen.print(f"there are more than these {len(calls)}: see --limit", style="dim")


def print_call(call: Any, timeline: Sequence[Mapping[str, Any]]) -> None:
    """A call and its timeline."""
    screen = console()
    seconds = _seconds(call)
    facts = {
        "call": call.uuid,
        "handler": call.handler or "none",
        "from": f"{call.caller} to {call.dialled} ({call.context}, {call.direction})",
        "started": f"{call.started:%Y-%m-%d %H:%M:%S} UTC" + ("" if call.answered else ", never answered"),
        "ended": "it is up"
        if seconds is None
        else f"after {seconds:.1f} s with {call.hangup_cause or 'no known cause'}",
        "on": f"{call.node} {call.worker}".strip(),
        "error": call.error,
    }
    for name, value in facts.items():
        if value:
            screen.print(Text.assemble((f"{name:8} ", "dim"), plain(value)), soft_wrap=True)
    if timeline:
        screen.print()
    for entry in timeline:
        screen.print(told(entry), soft_wrap=True)


def told(entry: Mapping[str, Any]) -> Text:
    """An entry of a timeline, in a line."""
    if "left_out" in entry:
        return Text(f"          … {entry['left_out']} more", style="dim")
    minutes, seconds = divmod(float(entry.get("at", 0)), 60)
    given: Mapping[str, Any] = entry.get("given", {})
    line = Text.assemble((f"{minutes:3.0f}:{seconds:06.3f}  ", "dim"), (plain(entry.get("verb", "?")), "bold"))
    main = [_words(value) for name, value in given.items() if name in _SILENT]
    rest = [f"{name}={_words(value)}" for name, value in given.items() if name not in _SILENT]
    if main:
        line.append(f" {plain(' '.join(main))}")
    if rest:
        line.append(f" ({plain(', '.join(rest))})", style="dim")
    for what, style in _outcomes(entry):
        line.append(f" {plain(what)}", style=style)
    if float(entry.get("seconds", 0)) >= 0.1:
        line.append(f"  {entry['seconds']:.1f} s", style="dim")
    return line


def _outcomes(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What came of it, each with its colour."""
    told = []
    for one in entry.get("tries", []):
        said = f"{one.get('said', '')}{one.get('terminator', '')}"
        missed = one.get("outcome") != "answer"
        told.append(
            (f"→ {said or 'nothing'}" + (f" ({one['outcome']})" if missed else ""), "yellow" if missed else "cyan")
        )
    if entry.get("key"):
        told.append((f"→ {entry['key']}", "cyan"))
    if "result" in entry:
        told.append((f"→ {_words(entry['result'])}", "cyan"))
    if "error" in entry:
        told.append((f"→ {entry['error']}", "red"))
    if "over" in entry:
        told.append((f"→ the call was over ({entry['over']})", "yellow"))
    return told


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items() if each not in ("", None, {}))
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return {True: "yes", False: "no", None: "none"}[value] if value is None or isinstance(value, bool) else str(value)


def _seconds(call: Any) -> float | None:
    return None if call.ended is None else round((call.ended - call.started).total_seconds(), 3)
