"""The files of ``call.record``: their names, folders that cannot be written, disks that are full or far away."""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import quote

import pytest

from fsivr import Call, CompletionCause, Handler, Hangup, HangupCause, RecordingError
from fsivr.call.recorder import BEEP
from fsivr.call.spool import Spool
from tests.call.conversations import HOSTILE, IDS, Open, argument, in_call, plays
from tests.call.test_recording import recorded
from tests.esl.peer import OK, Peer, api_response, complete, hangup
from tests.esl.switch_rules import Packet


def test_names_are_made_of_the_time_and_chance(switch: Any) -> None:
    recording, _ = recorded(switch, lambda caller: caller.hears("thanks"))
    folder = re.escape(switch.settings.recordings_path)
    day, stamp = r"20\d\d/\d\d/\d\d", r"20\d{6}T\d{6}\.\d{3}Z-[0-9a-f]{12}"
    assert re.fullmatch(rf"{folder}/{day}/{stamp}\.wav", recording.path)
    assert recording.id in recording.path
    assert os.listdir(os.path.dirname(recording.path)) == [os.path.basename(recording.path)]  # nothing of the trial


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_nothing_of_the_caller_is_in_a_name(open_call: Open, text: str) -> None:
    """Whatever the channel is described as, the commands are made of our own words."""

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name") == "record":
            return OK + complete(packet, "_none_", told)
        return OK + complete(packet) if packet.get("execute-app-name") else NotImplemented

    told = {
        "variable_record_ms": quote(text, errors="surrogatepass"),
        "variable_x": quote(text, errors="surrogatepass"),
    }
    call, peer = open_call(script)
    recording = call.record(beep=False)
    assert recording.duration == 0.0
    sent = [argument(packet) for packet in peer.commands if packet.get("execute-app-name") == "record"]
    assert [re.fullmatch(r"/[\w/.+=@-]+\.wav 120 200 5", each) is not None for each in sent] == [True]


@pytest.mark.parametrize("folder", ["/tmp/a b", "/tmp/${x}", "/tmp/a;b", "/tmp/é", "/tmp/a\nb", "/tmp/'a'"])
def test_a_folder_with_characters_that_the_switch_cannot_take(open_call: Open, folder: str) -> None:
    call, peer = open_call()
    call._spool = Spool(folder)
    before = len(peer.commands)
    with pytest.raises(RecordingError, match="recordings_path"):
        call.record()
    assert len(peer.commands) == before


def test_a_relative_folder_is_of_the_current_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert Spool("kept/here").folder == f"{tmp_path}/kept/here"
    assert Spool().folder == f"{tmp_path}/recordings"


def _blocked(tmp_path: Any) -> str:
    (tmp_path / "taken").write_text("a file")
    return str(tmp_path / "taken")


@pytest.mark.parametrize("folder", [_blocked, lambda path: f"{_blocked(path)}/below", lambda path: "/proc/fsivr"])
def test_a_folder_that_cannot_be_written_is_found_before_the_switch_would_hang_up(
    switch: Any, tmp_path: Any, folder: Any
) -> None:
    switch.settings = type(switch.settings).defaults(listen="127.0.0.1:0", recordings_path=folder(tmp_path))
    got: list[Any] = []

    def leaves_message(call: Call) -> None:
        call.answer()
        with pytest.raises(RecordingError) as failed:
            call.record()
        got.append((str(failed.value), call.recordings))
        call.play("sorry")

    with switch.call(handler=in_call(leaves_message)) as caller:
        caller.hears("sorry")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING
    assert "cannot start the recording" in got[0][0] and folder(tmp_path) in got[0][0]
    assert got[0][1] == ()
    assert os.listdir(tmp_path) == ["taken"] or folder(tmp_path) == "/proc/fsivr"


def test_an_uncaught_failure_ends_the_call_with_its_cause(switch: Any) -> None:
    switch.settings = type(switch.settings).defaults(listen="127.0.0.1:0", recordings_path="/proc/fsivr")
    with switch.call(handler=in_call(lambda call: call.record())) as caller:
        caller.join()
    assert caller.hangup_cause is RecordingError.hangup_cause


def test_the_folder_is_tried_once(switch: Any) -> None:
    asked: list[str] = []

    def leaves_messages(call: Call) -> None:
        api = call._session.api
        call._session.api = lambda *words: (asked.append(" ".join(words)), api(*words))[1]  # type: ignore[method-assign]
        call.answer()
        call.record(beep=False)
        call.record(beep=False)

    for _ in range(2):
        with switch.call(handler=in_call(leaves_messages)) as caller:
            caller.join()
    assert [each.split()[2] for each in asked if each.startswith("uuid_record")] == ["start", "stop", "start", "stop"]


def test_the_disk_is_full_in_the_middle(switch: Any) -> None:
    """The switch hangs up then; what was written is there."""
    kept: list[Any] = []

    class Voicemail(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            call.record(beep=False)

        def on_error(self, call: Call, error: BaseException) -> None:
            kept.append(error)

        def on_hangup(self, call: Call) -> None:
            kept.append(call.recordings)

    switch.room = 2.5
    with switch.call(handler=Voicemail) as caller:
        caller.talks(20)
    error, (recording,) = kept
    assert isinstance(error, RecordingError) and "to its end" in str(error)
    assert recording.completion is CompletionCause.FAILED
    assert recording.truncated
    assert recording.duration == pytest.approx(2.5, abs=0.05)


def test_a_caller_may_hang_up_with_the_cause_of_a_full_disk(switch: Any) -> None:
    kept: list[Any] = []

    with switch.call(handler=in_call(lambda call: (call.answer(), kept.append(call.record())))) as caller:
        caller.hears(BEEP)
        caller.talks(3)
        caller.hangs_up(HangupCause.DESTINATION_OUT_OF_ORDER)
    assert kept[0].completion is CompletionCause.HANGUP


def test_a_folder_that_is_lost_after_the_trial(switch: Any) -> None:
    """Nothing but the switch's hangup tells then."""
    kept: list[Any] = []

    class Voicemail(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            call.record(beep=False, limit=1, silence=None)
            switch.root = "/nowhere"
            call.record(beep=False)

        def on_error(self, call: Call, error: BaseException) -> None:
            kept.append((error, call.recordings))

    with switch.call(handler=Voicemail) as caller:
        caller.join()
    assert caller.hangup_cause is HangupCause.DESTINATION_OUT_OF_ORDER
    [(error, recordings)] = kept
    assert isinstance(error, RecordingError) and "ended the call" in str(error)
    assert len(recordings) == 1


def test_the_switch_may_be_on_another_machine(switch: Any, tmp_path: Any) -> None:
    """Its disk is not ours: nothing is looked for here."""
    switch.root = str(tmp_path)
    recording, _ = recorded(switch, lambda caller: (caller.talks(2), caller.hears("thanks")))
    assert not os.path.exists(recording.path)
    assert os.path.getsize(f"{tmp_path}{recording.path}") == 44 + round(recording.duration * 16000)
    assert not recording.truncated


def test_a_file_that_is_shorter_than_was_said_is_truncated(open_call: Open, tmp_path: Any) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name") != "record":
            return OK + complete(packet) if packet.get("execute-app-name") else NotImplemented
        path = argument(packet).split()[0]
        os.makedirs(os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(b"x" * 8044)
        length = {"variable_record_ms": "1000", "variable_record_samples": "8000"}
        return OK + complete(packet, "_none_", {**length, "variable_playback_terminator_used": "#"})

    call, _ = open_call(script)
    call._spool = Spool(str(tmp_path))
    recording = call.record(beep=False)
    assert recording.completion is CompletionCause.TERMINATOR
    assert recording.duration == 1.0
    assert recording.truncated


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 86401}, "limit"),
        ({"limit": float("nan")}, "limit"),
        ({"silence": 0}, "silence"),
        ({"silence": -1}, "silence"),
        ({"terminator": "x"}, "terminator"),
        ({"terminator": "#;a=b"}, "terminator"),
        ({"threshold": 0}, "threshold"),
        ({"threshold": 1.5}, "threshold"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_sent(open_call: Open, wrong: Any, said: str) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises(ValueError, match=said):
        call.record(**wrong)
    assert len(peer.commands) == before


def test_the_trial_is_thrown_away_by_the_switch(open_call: Open) -> None:
    """However long it was, and without a word to the recordings after it (FACTS 7.12)."""
    call, peer = open_call()
    before = len(peer.commands)
    call._spool.prove(call._session, "/spool/today/a.wav")
    words = [packet.command.replace(call.uuid, "UUID").split()[1:] for packet in peer.commands[before:]]
    trial = words[1][3]
    assert re.fullmatch(r"/spool/today/\.[0-9a-f]{12}\.wav", trial)
    assert words == [
        ["uuid_setvar", "UUID", "RECORD_MIN_SEC", "3600"],
        ["uuid_record", "UUID", "start", trial],
        ["uuid_setvar", "UUID", "RECORD_MIN_SEC"],
        ["uuid_record", "UUID", "stop", trial],
    ]


def test_a_refusal_because_the_caller_has_gone_is_a_hangup(open_call: Open) -> None:
    """The switch cannot record a channel that hangs up; the event that tells so is held back (FACTS 2.8)."""

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.command.startswith("api uuid_record"):
            return api_response("-ERR Cannot record session!\n")
        if packet.command.startswith("api uuid_exists"):
            return hangup() + api_response("false")
        return plays(peer, packet)

    call, _ = open_call(script)
    with pytest.raises(Hangup):
        call.record()
