"""Plays the application's side of a transcript to the simulated switch, and compares what comes back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple
from urllib.parse import unquote

import gevent
from gevent import socket as gsocket
from gevent.server import StreamServer

from fsivr.causes import HangupCause
from fsivr.simulator import Caller, Switch
from fsivr.simulator.clock import VirtualClock
from tests.esl.transcript import FROM_SWITCH, TO_SWITCH, load
from tests.simulator.frames import Frame, frames

#: The sound files of the lab, in seconds.
SOUNDS = {
    "hello": 2.205,
    "goodbye": 0.86,
    "beep": 0.679,
    "menu": 2.7,
    "long": 15.66,
    "enter_pin": 2.096,
    "invalid": 1.34,
}


@dataclass
class Scene:
    """A transcript to be played.

    :param setup: what the world around the switch is like.
    :param variables: channel variables that the dialplan had set.
    :param after: the dialplan's actions after ``socket``.
    :param deeds: what others did meanwhile, and when.
    :param later: steps of the application that the switch read later than they were sent.
    :param closes_at: when the application half-closes, in seconds since the connection.
    """

    name: str
    setup: Callable[[Switch], None] = lambda switch: None
    variables: dict[str, str] = field(default_factory=dict)
    after: tuple[tuple[str, str], ...] = ()
    deeds: tuple[tuple[float, Callable[[Caller], None]], ...] = ()
    later: dict[int, float] = field(default_factory=dict)
    closes_at: float | None = None


def _deeds(name: str) -> list[tuple[float, Callable[[Caller], None]]]:
    """What the caller did in a transcript, and when: read from the events that tell of it."""
    deeds: list[tuple[float, Callable[[Caller], None]]] = []
    data = b""
    for line in load(name):
        if line.direction != FROM_SWITCH:
            continue
        fresh, data = frames(data + line.data)
        for frame in fresh:
            if frame.get("Event-Name") == "DTMF":
                digit, source = frame.get("DTMF-Digit"), frame.get("DTMF-Source")
                deeds.append((line.t - 0.015, partial(_press, digit, source, int(frame.get("DTMF-Duration")))))
            elif frame.get("Event-Name") == "CHANNEL_HANGUP" and frame.get("variable_sip_term_status"):
                cause = HangupCause.parse(frame.get("Hangup-Cause"))
                deeds.append((line.t, lambda caller, cause=cause: caller.hangs_up(cause)))  # type: ignore[misc]
    return deeds


def _press(digit: str, source: str, duration: int, caller: Caller) -> None:
    caller._channel.press(digit, source=source, duration=duration)


def original(name: str) -> list[Frame]:
    """What the real switch sent."""
    return frames(b"".join(line.data for line in load(name) if line.direction == FROM_SWITCH))[0]


def _steps(name: str) -> list[tuple[float, int, bytes]]:
    """What the application sent: when, after how many frames other than CHANNEL_PARK, and the bytes."""
    steps: list[tuple[float, int, bytes]] = []
    seen, data = 0, b""
    for line in load(name):
        if line.direction == TO_SWITCH:
            steps.append((line.t, seen, line.data))
        elif line.direction == FROM_SWITCH:
            fresh, data = frames(data + line.data)
            seen += sum(not _is_park(frame) for frame in fresh)
    return steps


def _is_park(frame: Frame) -> bool:
    return frame.is_event and frame.get("Event-Name") == "CHANNEL_PARK"


# A step may be this much early: the switch answers without delay here.
_EARLY = 0.03


class Player:
    """The application's side: sends what the transcript's application sent."""

    def __init__(self, scene: Scene, uuid: str) -> None:
        self.scene = scene
        self.uuid = uuid
        self.received: list[Frame] = []
        self.raw: list[bytes] = []
        self.ended = False
        self._socket: gsocket.socket | None = None
        self._left = b""
        self._steps = [
            (scene.later.get(place, when), seen, data) for place, (when, seen, data) in enumerate(_steps(scene.name))
        ]
        self._clock: VirtualClock | None = None
        self.server = StreamServer(("127.0.0.1", 0), self._serve)
        self.server.start()

    def _serve(self, sock: gsocket.socket, address: object) -> None:
        self._socket = sock
        self._advance()
        while data := self._receive(sock):
            self.raw.append(data)
            fresh, self._left = frames(self._left + data)
            self.received += fresh
            self._advance()
        self.ended = True
        sock.close()

    @staticmethod
    def _receive(sock: gsocket.socket) -> bytes:
        try:
            return bytes(sock.recv(65536))
        except OSError:
            return b""

    def _advance(self) -> None:
        """Send what is due: in time, and with as much received as the application had then."""
        assert self._clock is not None and self._socket is not None
        while self._steps:
            when, seen, data = self._steps[0]
            if self._clock.now() < when - _EARLY or sum(not _is_park(frame) for frame in self.received) < seen:
                return
            self._steps.pop(0)
            self._socket.sendall(data)

    def run(self, switch: Switch, caller: Caller, seconds: float) -> None:
        """Move time on, step by step."""
        assert isinstance(switch.clock, VirtualClock)
        self._clock = switch.clock
        deeds = sorted([*_deeds(self.scene.name), *self.scene.deeds], key=lambda deed: deed[0])
        caller._start()
        times = sorted({when for when, _, _ in self._steps} | {when for when, _ in deeds} | {seconds})
        if self.scene.closes_at is not None:
            times = sorted({*times, self.scene.closes_at})
        for when in times:
            caller._run(lambda: False, until=max(when, switch.clock.now()), patience=0.0, strict=False)
            while deeds and deeds[0][0] <= when:
                deeds.pop(0)[1](caller)
            if self.scene.closes_at is not None and when >= self.scene.closes_at and self._socket is not None:
                self._socket.shutdown(1)
                self.scene.closes_at = None
            gevent.idle()
            if self._socket is not None and not self.ended:
                self._advance()


def play(scene: Scene, seconds: float | None = None) -> tuple[Player, Caller]:
    """Play a scene to its end."""
    told = next((dict(each.headers) for each in original(scene.name) if each.get("Event-Name") == "CHANNEL_DATA"), {})
    uuid = told.get("Unique-ID", "")
    player = Player(scene, uuid)
    switch = Switch(("127.0.0.1", player.server.server_port))
    switch.grace = 0.0
    switch.patience = 0.0
    for name, length in SOUNDS.items():
        switch.lasts(f"/usr/freeswitch/sounds/{name}", length)
    scene.setup(switch)
    number = told.get("Channel-Destination-Number", "1000")
    control = {"full": "async full", "single-channel": "async"}[told.get("Control", "full")]
    caller = switch.call(
        number,
        caller_number="5557777",
        caller_name="Sipp Édith",
        uuid=uuid,
        mode=control,
        path=unquote(told.get("variable_socket_path", "")),
        variables=scene.variables,
        after=scene.after,
    )
    last = max((line.t for line in load(scene.name)), default=0.0) if seconds is None else seconds
    try:
        player.run(switch, caller, last + 1.0)
        gevent.idle()
    finally:
        switch.stop()
        player.server.stop()
        gevent.idle()
    return player, caller


#: What an event says that a replay must say too.
_TELLING = """
    Event-Name Application Application-Data Application-UUID-Name Application-Response Answer-State
    Hangup-Cause Channel-State Channel-Call-State Channel-State-Number DTMF-Digit DTMF-Duration
    Playback-File-Path Playback-Status Caller-Destination-Number Unique-ID
    variable_read_result variable_read_terminator_used variable_playback_terminator_used variable_pin
    variable_pin_invalid variable_digits variable_originate_disposition variable_DIALSTATUS
    variable_last_bridge_hangup_cause variable_hangup_cause
    Record-File-Path Record-Completion-Cause Media-Bug-Function Media-Bug-Target variable_silence_hits_exhausted
    variable_record_seconds
"""
TELLING = _TELLING.split()


def gist(frame: Frame) -> tuple[object, ...]:
    """What must be equal in a frame of the simulator and of the real switch."""
    if frame.is_event or frame.get("Event-Name"):
        told = tuple(f"{name}={frame.get(name)}" for name in TELLING if frame.get(name))
        told = tuple(re.sub(r"127\.0\.0\.1:\d+", "SERVER", part) for part in told)
        if frame.get("Application") != "socket":
            told += (f"Application-UUID={_id(frame.get('Application-UUID'))}",)
        return told
    text = frame.get("Reply-Text") or frame.body
    return (frame.kind, _id(text), frame.get("Content-Disposition"), frame.get("Linger-Time"))


def _id(text: str) -> str:
    """Made-up ids are not compared, nor what depends on the machine."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "SOME-UUID", text)
    if text.startswith("UP 0 years"):
        return "STATUS"
    if text.startswith("Event-Name: CHANNEL_DATA"):
        return "DUMP"
    return "HOST" if text in ("vm", "simulator") else text


class Sides(NamedTuple):
    """Frames by what they are: each kind comes in an order of its own."""

    answers: list[Frame]
    events: list[Frame]
    notices: list[Frame]


def split(all_frames: Iterable[Frame]) -> Sides:
    """The answers, the events and the notices.

    CHANNEL_PARK is left out: it may come before ``myevents`` is in force or after (FACTS 6.5).
    A linger notice may come before the last events or after them (FACTS 5.9).
    """
    sides = Sides([], [], [])
    for frame in all_frames:
        if frame.is_event:
            if not _is_park(frame):
                sides.events.append(frame)
        elif frame.kind == "text/disconnect-notice":
            sides.notices.append(frame)
        else:
            sides.answers.append(frame)
    return sides
