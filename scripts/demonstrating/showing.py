"""What the API tells of calls of the demonstration: asked as any program would, over HTTP."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing
from socket import create_server
from typing import Any

from rich.console import Console
from rich.text import Text

from fsivr.cli.showing import told

#: Seconds that the API has to begin, and a recording to be sealed.
PATIENCE = 30.0


class NotShown(Exception):
    """The API did not tell what it should."""


def free_address(wanted: str) -> str:
    """Where the API can be on this machine: the port that is wanted, or where that is taken or none a free one."""
    for port in (int(wanted.rpartition(":")[2] or 0), 0):
        try:
            with closing(create_server(("127.0.0.1", port))) as found:
                return f"127.0.0.1:{found.getsockname()[1]}"
        except OSError:
            continue
    raise NotShown("there is no free port on this machine")


def show(screen: Console, url: str, calls: Mapping[str, str]) -> None:
    """Show calls, by what each was about and its uuid, and the recording that one of them made.

    :raises NotShown: it cannot be seen.
    """
    _awaited(lambda: _get(f"{url}/health/live"), f"the API at {url} does not answer")
    screen.print(Text.assemble("what the API tells of them, at ", (url, "bold")))
    for uuid in calls.values():
        where = f"/api/v1/calls/{uuid}"
        call = _awaited(lambda where=where: _ended(_get(url + where)), f"the API has no call {uuid} that is over")
        _print_call(screen, where, call)
    found = _awaited(lambda: _sealed(url, list(calls.values())), "the API has no recording of these calls")
    _print_recording(screen, url, found)
    screen.print(Text("the call and the recording are kept, and the API shows them\n", style="green"))


def _print_call(screen: Console, where: str, call: Mapping[str, Any]) -> None:
    screen.print(Text.assemble(("  GET ", "dim"), (where, "cyan")), soft_wrap=True)
    line = f"    {call['caller']} called {call['dialled']}: {call['handler']}, {call['hangup_cause']}"
    screen.print(Text(line), soft_wrap=True)
    for entry in call["timeline"]:
        screen.print(told(entry), soft_wrap=True)


def _print_recording(screen: Console, url: str, found: Mapping[str, Any]) -> None:
    where = f"/api/v1/recordings/{found['id']}"
    screen.print(Text.assemble(("  GET ", "dim"), (where, "cyan")), soft_wrap=True)
    size = f"{found['duration']:.1f} s, {found['bytes']} bytes, {found['codec']} at {found['rate']} Hz"
    screen.print(Text(f"    {found['state']}: {size}, SHA-256 {found['sha256'][:16]}..."), soft_wrap=True)
    with urllib.request.urlopen(f"{url}{found['links']['audio']}", timeout=PATIENCE) as sound:
        count = len(sound.read())
    if count != found["bytes"]:
        raise NotShown(f"its sound has {count} bytes and not {found['bytes']}")
    screen.print(Text.assemble(("    its sound: ", "dim"), f"{url}{found['links']['audio']}"), soft_wrap=True)


def _sealed(url: str, uuids: list[str]) -> Any:
    for uuid in uuids:
        for found in _get(f"{url}/api/v1/recordings?call={uuid}")["items"]:
            if found["state"] in ("sealed", "degraded") and found["links"]["audio"]:
                return found
    return None


def _ended(call: Any) -> Any:
    return call if call["ended"] is not None else None


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return json.load(answer)


def _awaited(look: Callable[[], Any], why_not: str) -> Any:
    """What ``look`` finds as soon as it finds something; what it fails with is nothing found."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if found := look():
                return found
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise NotShown(why_not)
        time.sleep(0.05)
