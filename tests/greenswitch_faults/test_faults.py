"""The known faults of greenswitch 0.0.19: each is there in plain greenswitch, and not here.

One scenario is run on both, see ``scenarios.py``; what differs is the class it is
given. A test that would pass on both proves nothing, so both halves are asserted.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.greenswitch_faults.scenarios import SCENARIOS, SMUGGLED, STILL_WAITING, VERBS

ROOT = Path(__file__).parents[2]

#: The process used up its seconds of CPU in a loop that lets nothing else run.
SPINS = "spins"

UUID = "5c09725d-aea0-4751-94f2-dc97ca011426"
GONE = "OutboundSessionHasGoneAway"
FORGED = {"seen": ["CHANNEL_HANGUP"], "then": GONE}
GENUINE = {"seen": ["DTMF"], "then": "returned"}

#: (scenario, its argument): what greenswitch does, what fsivr does.
FAULTS: dict[tuple[str, str], tuple[Any, Any]] = {
    ("forged_event", "%0A"): (FORGED, GENUINE),
    ("forged_event", "%E2%80%A8"): (FORGED, GENUINE),  # U+2028
    ("forged_event", "%C2%85"): (FORGED, GENUINE),  # U+0085
    ("forged_event", "%0D"): (FORGED, GENUINE),
    ("forged_event", "\u2028"): (FORGED, GENUINE),  # also where the switch left it raw
    ("forged_channel", "%0A"): ("another-call", UUID),
    ("forged_channel", "%E2%80%A8"): ("another-call", UUID),
    **{("end_of_file", verb): (STILL_WAITING, GONE) for verb in VERBS if verb != "connect"},
    ("end_of_file", "connect"): (STILL_WAITING, "Hangup"),  # before any application of greenswitch's has begun
    ("end_of_file_in_a_prompt", "close"): (STILL_WAITING, GONE),
    ("end_of_file_in_a_prompt", "reset"): (STILL_WAITING, GONE),
    ("bad_utf8", "api"): ([STILL_WAITING, STILL_WAITING], ["returned", "returned"]),
    ("bad_utf8", "reply"): ([STILL_WAITING, "NotConnectedError"], ["returned", "returned"]),
    ("bad_utf8", "event"): ([STILL_WAITING, STILL_WAITING], ["returned", "returned"]),
    ("no_content_type", "a: b"): (STILL_WAITING, "returned"),
    ("no_content_type", "just text"): (STILL_WAITING, "returned"),
    ("body_cut_short", "api"): (SPINS, GONE),
    ("body_cut_short", "event"): (SPINS, GONE),
    **{("smuggled_command", verb): (["api system id"], []) for verb in SMUGGLED},
    ("long_command", "600000"): (
        {"ended": STILL_WAITING, "all of it": False},
        {"ended": "returned", "all of it": True},
    ),
    ("the_wrong_one_wakes", "beep"): (["music"], ["beep"]),
    ("the_wrong_one_wakes", "beep,music"): (["music", "beep"], ["beep", "music"]),
    ("the_music_ends_the_prompt", ""): (
        {"over with the music": True, "over with its own end": True},
        {"over with the music": False, "over with its own end": True},
    ),
    ("port_limit", "3"): (40, 3),
    ("accept_waits_for_a_sleep", "0.1"): ({"taken": False, "sleeps": 1}, {"taken": True, "sleeps": 0}),
}


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest) -> Iterator[Callable[[str, str, str], Any]]:
    """What came of a scenario. All that were asked for run side by side: most of their time is spent waiting."""
    pool = ThreadPoolExecutor(8)
    wanted = [
        item.callspec.params for item in request.session.items if getattr(item, "originalname", "") == "test_fault"
    ]
    keys = [(one["scenario"], one["argument"], one["which"]) for one in wanted]
    running = {key: pool.submit(play, *key) for key in keys}
    yield lambda *key: running[key].result()
    pool.shutdown(cancel_futures=True)


def play(scenario: str, argument: str, which: str) -> Any:
    """What came of a scenario, in a process of its own."""
    # "default", not "error": a warning that greenswitch gives in its endless loop would end that loop.
    command = [sys.executable, "-W", "default", "-m", "tests.greenswitch_faults.scenarios", scenario, argument, which]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=150)
    if ran.returncode == -signal.SIGXCPU:
        return SPINS
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    if which == "fsivr":
        assert b"Warning" not in ran.stderr, ran.stderr.decode()[-2000:]
        assert b"Traceback" not in ran.stderr, ran.stderr.decode()[-2000:]
    result = json.loads(ran.stdout)
    if scenario == "forged_channel" and result != UUID:
        return result[: len("another-call")]  # the rest of the caller's text hangs on to it
    return result


@pytest.mark.parametrize(("scenario", "argument"), FAULTS, ids=[f"{name}-{text!a}" for name, text in FAULTS])
@pytest.mark.parametrize("which", ["greenswitch", "fsivr"])
def test_fault(played: Callable[[str, str, str], Any], scenario: str, argument: str, which: str) -> None:
    faulty, right = FAULTS[scenario, argument]
    assert faulty != right
    assert played(scenario, argument, which) == (faulty if which == "greenswitch" else right)


def test_every_scenario_is_played() -> None:
    assert {name for name, _ in FAULTS} == set(SCENARIOS)


def test_the_faults_are_those_of_this_release() -> None:
    """A new greenswitch may have mended some: then this list is to be looked at again."""
    assert version("greenswitch") == "0.0.19"
