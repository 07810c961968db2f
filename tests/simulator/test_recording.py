"""Recording as the simulated switch does it: files on virtual time, and what it says of them."""

from __future__ import annotations

import contextlib
import os
import wave
from collections.abc import Callable
from typing import Any

import pytest

from fsivr.simulator import wav
from fsivr.simulator.api import run
from tests.simulator.app import App, Wire
from tests.simulator.frames import Frame

#: What a script returns whose call has ended.
OVER = "over"


def talk(script: Callable[[Wire], Any], deed: Callable[[Any, App], Any], root: Any) -> list[Frame]:
    """What a connection was told while a caller did something."""
    told: list[Frame] = []

    def serve(wire: Wire) -> None:
        wire.start("event plain RECORD_START RECORD_STOP MEDIA_BUG_START MEDIA_BUG_STOP")
        wire.execute("answer")
        wire.done("answer")
        with contextlib.suppress(EOFError):
            if script(wire) != OVER:
                wire.send("sendmsg\ncall-command: hangup")
                wire.event("CHANNEL_HANGUP_COMPLETE")
        told.extend(wire.frames)

    with App(serve) as app:
        app.switch.root = str(root)
        with app.switch.call("1") as caller:
            deed(caller, app)
    return told


def api(wire: Wire, command: str) -> str:
    wire.send(f"api {command}")
    return wire.until(lambda frame: frame.kind == "api/response").body.strip()


def names(frames: list[Frame]) -> list[str]:
    return [frame.get("Event-Name") for frame in frames if frame.is_event]


def test_a_file_of_an_hour_costs_no_more_than_a_moment(tmp_path: Any) -> None:
    path = str(tmp_path / "long.wav")
    wav.write(path, 24 * 3600 * 8000, 2, [(3600, 3601)])
    assert os.path.getsize(path) == wav.size(24 * 3600 * 8000, 2) == 44 + 24 * 3600 * 32000
    assert os.stat(path).st_blocks * 512 < 1_000_000
    with wave.open(path) as file:
        assert file.getparams()[:4] == (2, 2, 8000, 24 * 3600 * 8000)
        file.setpos(3600 * 8000 + 7)
        left, right = file.readframes(1)[:2], file.readframes(1)[2:]
        assert left != b"\0\0" and right == b"\0\0"
        file.setpos(3601 * 8000)
        assert file.readframes(8000) == bytes(32000)


def test_what_the_caller_says_is_in_the_file(tmp_path: Any) -> None:
    def script(wire: Wire) -> None:
        wire.execute("record", "/a.wav 20 200 2")
        assert int(wire.done("record").get("variable_record_ms")) == pytest.approx(4900, abs=100)

    talk(script, lambda caller, app: (caller.waits(1), caller.talks(2), caller.join()), tmp_path)
    with wave.open(f"{tmp_path}/a.wav") as file:
        data = [any(file.readframes(800)) for _ in range(48)]  # tenths of a second
    assert data[:8] == [False] * 8 and data[11:27] == [True] * 16 and data[31:] == [False] * 17


def test_what_runs_inside_record_is_not_in_the_file(tmp_path: Any) -> None:
    """It is the record loop that reads the frames (switch_ivr_play_say.c)."""

    def script(wire: Wire) -> None:
        wire.execute("record", "/a.wav 20 200 4")
        wire.event("RECORD_START")
        wire.execute("playback", "one")  # without a lock: it nests
        assert int(wire.done("record").get("variable_record_ms")) == pytest.approx(3000, abs=60)

    talk(script, lambda caller, app: caller.join(), tmp_path)


@pytest.mark.parametrize("path", ["/nowhere/a.wav", "/a.nosuchfmt", "relative.wav"])
def test_what_record_cannot_write_ends_the_call(tmp_path: Any, path: str) -> None:
    def script(wire: Wire) -> str:
        wire.execute("record", f"{path} 5")
        wire.event("CHANNEL_HANGUP_COMPLETE")
        return OVER

    told = talk(script, lambda caller, app: caller.join(), tmp_path)
    assert "RECORD_START" not in names(told)
    assert [each for each in names(told) if each in ("CHANNEL_HANGUP", "CHANNEL_EXECUTE_COMPLETE")][-3:-1] == [
        "CHANNEL_HANGUP",
        "CHANNEL_EXECUTE_COMPLETE",
    ]
    assert told[-1].get("Hangup-Cause") == "DESTINATION_OUT_OF_ORDER"
    assert os.listdir(tmp_path) == []


def test_a_transfer_during_record_ends_the_call(tmp_path: Any) -> None:
    """Its function hangs up whatever is not ready any more (mod_dptools.c, record_function)."""

    def script(wire: Wire) -> None:
        wire.execute("record", "/a.wav 20")
        wire.event("CHANNEL_HANGUP")

    def deed(caller: Any, app: App) -> None:
        caller.waits(1)
        run(app.switch, "uuid_transfer", f"{caller.uuid} 2")
        caller.join()
        assert caller.hangup_cause.name == "DESTINATION_OUT_OF_ORDER"

    talk(script, deed, tmp_path)


def test_uuid_record_makes_the_folder_and_says_what_it_did(tmp_path: Any) -> None:
    def script(wire: Wire) -> None:
        uuid = wire.frames[0].get("Unique-ID")
        assert api(wire, f"uuid_record {uuid} start /new/folder/a.wav") == "+OK Success"
        assert api(wire, f"uuid_record {uuid} start /new/folder/a.wav") == "+OK Success"  # it is recorded already
        assert api(wire, f"uuid_record {uuid} mask /new/folder/a.wav") == "+OK Success"
        assert api(wire, f"uuid_record {uuid} unmask /new/folder/a.wav") == "+OK Success"
        assert api(wire, f"uuid_record {uuid} mask /b.wav") == "-ERR Cannot mask recording session!"
        assert api(wire, f"uuid_record {uuid} pause /b.wav") == "-ERR Cannot pause recording session!"
        assert api(wire, f"uuid_record {uuid} stop /b.wav") == "-ERR Cannot stop record session!"
        assert api(wire, f"uuid_record {uuid} start /a.nosuchfmt") == "-ERR Cannot record session!"
        assert api(wire, "uuid_record nobody start /b.wav") == "-ERR Cannot locate session!"
        assert api(wire, f"uuid_record {uuid} start").startswith("-USAGE: ")
        assert api(wire, f"uuid_record {uuid} play /b.wav").startswith("-USAGE: ")
        wire.execute("sleep", "1000")
        wire.done("sleep")
        assert api(wire, f"uuid_record {uuid} stop /new/folder/a.wav") == "+OK Success"

    told = talk(script, lambda caller, app: caller.join(), tmp_path)
    assert names(told).count("RECORD_START") == names(told).count("RECORD_STOP") == 1
    assert os.stat(tmp_path / "new").st_mode & 0o777 == 0o750
    assert os.path.getsize(tmp_path / "new/folder/a.wav") == pytest.approx(16044, abs=700)


def test_a_hangup_ends_a_session_recording_late(tmp_path: Any) -> None:
    """After CHANNEL_HANGUP and the end of the socket application, before the last event (FACTS 7.2)."""

    def script(wire: Wire) -> str:
        wire.execute("record_session", "/a.wav")
        wire.event("CHANNEL_HANGUP_COMPLETE")
        return OVER

    told = talk(script, lambda caller, app: (caller.waits(2), caller.hangs_up()), tmp_path)
    tail = names(told)[names(told).index("CHANNEL_HANGUP") :]
    wanted = ["CHANNEL_HANGUP", "CHANNEL_EXECUTE_COMPLETE", "RECORD_STOP", "MEDIA_BUG_STOP", "CHANNEL_HANGUP_COMPLETE"]
    assert [name for name in tail if name in wanted] == wanted
    stop = next(frame for frame in told if frame.get("Event-Name") == "RECORD_STOP")
    assert stop.get("Record-Completion-Cause") == "success-silence"


@pytest.mark.parametrize(
    ("variables", "seconds", "cause", "left"),
    [
        ("", "1000", "success-maxtime", ["a.wav"]),
        ("RECORD_MIN_SEC=3", "1000", "input-too-short", []),
        ("RECORD_MIN_SEC=1", "2000", "success-maxtime", ["a.wav"]),
        ("", "0", "empty-file", []),
    ],
)
def test_short_ones_are_thrown_away(tmp_path: Any, variables: str, seconds: str, cause: str, left: list[str]) -> None:
    def script(wire: Wire) -> None:
        uuid = wire.frames[0].get("Unique-ID")
        api(wire, f"uuid_setvar_multi {uuid} x=y;{variables}")
        api(wire, f"uuid_record {uuid} start /a.wav")
        if seconds != "0":
            wire.execute("sleep", seconds)
            wire.done("sleep")
        wire.send(f"api uuid_record {uuid} stop /a.wav")
        assert wire.event("RECORD_STOP").get("Record-Completion-Cause") == cause

    talk(script, lambda caller, app: caller.join(), tmp_path)
    assert os.listdir(tmp_path) == left


def test_a_session_recording_has_its_limit(tmp_path: Any) -> None:
    def script(wire: Wire) -> None:
        wire.execute("record_session", "/a.wav +3")
        assert wire.event("RECORD_STOP").get("variable_record_ms") == "3000"

    talk(script, lambda caller, app: caller.waits(10), tmp_path)


def test_applications_pause_and_mask_as_the_command_does(tmp_path: Any) -> None:
    def script(wire: Wire) -> None:
        wire.execute("record_session", "/a.wav")
        for application in ("sleep", "pause", "sleep", "resume", "mask", "sleep", "unmask", "sleep"):
            name = application if application == "sleep" else f"record_session_{application}"
            wire.execute(name, "1000" if application == "sleep" else "/a.wav", lock=True)
        for _ in range(4):
            wire.done("sleep")
        wire.execute("stop_record_session", "/a.wav")
        wire.done("stop_record_session")

    talk(script, lambda caller, app: caller.talks(20), tmp_path)
    with wave.open(f"{tmp_path}/a.wav") as file:
        assert file.getnframes() / 8000 == pytest.approx(3, abs=0.2)
        data = [any(file.readframes(4000)) for _ in range(6)]
    assert [data[0], data[3], data[5]] == [True, False, True]
