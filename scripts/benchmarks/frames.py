"""Frames of a real FreeSWITCH, each ready to be sent again for another call."""

from __future__ import annotations

import re
from pathlib import Path

_FOLDER = Path(__file__).parent / "messages"
_CALL_ID = re.compile(rb"^(?:Unique-ID|Controlled-Session-UUID): (\S+)$", re.MULTILINE)
_EXECUTE_ID = re.compile(rb"^Application-UUID: (\S+)$", re.MULTILINE)
_EVENT_NAME = re.compile(rb"^Event-Name: (\S+)$", re.MULTILINE)
_DIGITS_VARIABLE = b"\nvariable_pin: "
_EVENT_HEAD = b"Content-Length: %d\nContent-Type: text/event-plain\n\n"


class Frame:
    """One captured frame, cut where its ids stand, so that a call's own cost one join."""

    def __init__(self, name: str) -> None:
        text = (_FOLDER / f"{name}.bin").read_bytes()
        #: The event's name; ``""`` for a reply or a notice.
        self.event = ""
        if text.startswith(b"Content-Length: "):
            text = text.partition(b"\n\n")[2]
            found = _EVENT_NAME.search(text)
            assert found is not None, name
            self.event = found[1].decode()
        call_id = _CALL_ID.search(text)
        assert call_id is not None, name
        execute_id = _EXECUTE_ID.search(text)
        #: Whether the frame names the execute that it is about.
        self.of_execute = execute_id is not None and not name.endswith(".socket")
        before, after = text, b""
        if execute_id is not None and self.of_execute:
            before, after = text[: execute_id.start(1)], text[execute_id.end(1) :]
        self._before = before.split(call_id[1])
        self._after = after.split(call_id[1])

    def parts(self, call_id: bytes, execute_id: bytes = b"", variable: bytes = b"") -> tuple[bytes, bytes]:
        """The frame as this call's: the outer head (``b""`` where there is none) and the rest.

        :param variable: the name of the variable that the digits are in.
        """
        rest = call_id.join(self._before)
        if self.of_execute:
            rest += execute_id + call_id.join(self._after)
        if variable:
            rest = rest.replace(_DIGITS_VARIABLE, b"\nvariable_%b: " % variable)
        return (_EVENT_HEAD % len(rest) if self.event else b""), rest


def frames(*names: str) -> tuple[Frame, ...]:
    """The named frames, in this order."""
    return tuple(Frame(name) for name in names)


CONNECT = Frame("connect")
PARK = frames("channel_park")
#: What each application causes, in the order it came over the wire.
APPLICATIONS = {
    b"answer": frames("channel_execute.answer", "channel_answer", "channel_execute_complete.answer"),
    b"playback": frames("channel_execute.playback", "channel_execute_complete.playback"),
    b"play_and_get_digits": frames(
        "channel_execute.play_and_get_digits",
        *(f"dtmf.{digit}" for digit in (1, 2, 3, 4)),
        "channel_execute_complete.play_and_get_digits",
    ),
    b"say": frames("channel_execute.say", "channel_execute_complete.say"),
}
#: What a hangup causes.
HANGUP = frames(
    "channel_hangup",
    "channel_unpark",
    "channel_execute_complete.socket",
    "channel_state.1",
    "channel_state.2",
    "channel_hangup_complete",
)
LINGER_NOTICE = Frame("linger_notice")
DISCONNECT_NOTICE = Frame("disconnect_notice")
#: What ``myevents`` subscribes to, of the events that these frames hold.
MY_EVENTS = frozenset(frame.event for group in (PARK, HANGUP, *APPLICATIONS.values()) for frame in group)
