"""The benchmark's call on greenswitch's own server, in the shape its README gives it.

It leaves the README's logging and prints out, which would only cost greenswitch.
"""

from __future__ import annotations

import argparse
from typing import Any

import greenswitch
from collecting import collect_when_asked

EVENTS = "CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE"


class Application:
    """Seven verbs, one at a time."""

    lean = False

    def __init__(self, session: Any) -> None:
        self.session = session

    def run(self) -> None:
        """The call."""
        session = self.session
        session.myevents()
        session.linger()
        if self.lean:
            session.send("noevents")
            session.send(f"event plain {EVENTS}")
        session.call_command("answer", block=True)
        session.playback("a.wav")
        session.playback("b.wav")
        session.playback("c.wav")
        digits = session.play_and_get_digits(
            "1", "4", "1", "5000", "#", "d.wav", "silence_stream://1", "digits", r"\S+", "2000", "''"
        )
        assert digits == "1234", digits
        session.say(say_type="NUMBER", text="5")
        session.hangup()
        session.stop()


class LeanApplication(Application):
    """The same, subscribed to what it needs and no more."""

    lean = True


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--lean", action="store_true")
    options = parser.parse_args()
    collect_when_asked()
    application = LeanApplication if options.lean else Application
    greenswitch.OutboundESLServer("127.0.0.1", options.port, application, max_connections=10_000).listen()


main()
