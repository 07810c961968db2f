"""What FreeSWITCH keeps of a leg: its variables, and the header blocks of its events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fsivr.causes import HangupCause
from fsivr.simulator import sip
from fsivr.simulator.event import BRIEF, Event, opening

if TYPE_CHECKING:
    from fsivr.simulator.switch import Switch
    from fsivr.simulator.thread import Thread

Headers = Sequence[tuple[str, str]]

_STATE_NUMBERS = {
    "CS_ROUTING": 2,
    "CS_EXECUTE": 4,
    "CS_EXCHANGE_MEDIA": 5,
    "CS_HANGUP": 10,
    "CS_REPORTING": 11,
    "CS_DESTROY": 12,
}
_CODECS = [
    (f"Channel-{way}-Codec-{name}", value)
    for way in ("Read", "Write")
    for name, value in (("Name", "PCMU"), ("Rate", "8000"), ("Bit-Rate", "64000"))
]


class Record:
    """A leg as its events describe it."""

    def __init__(self, switch: Switch, profile: sip.Profile, session_id: int) -> None:
        self.switch = switch
        self.profile = profile
        self.uuid = profile.uuid
        self.session_id = session_id
        self.created = switch.micros()
        self.variables: dict[str, str] = sip.at_arrival(profile, session_id, self.created)
        self.answer_state = "ringing"
        self.callstate = "RINGING"
        self.state = "CS_EXECUTE"
        self.hangup_cause: HangupCause | None = None
        #: The extension that the channel is on its way to.
        self.transfer_to: str | None = None
        #: Whether that is a list of applications instead.
        self.inline = False
        #: What the channel goes to do, out of its dialplan, when what runs has seen it (FACTS 7.15).
        self.away: Callable[[Thread], object] | None = None
        self.times: dict[str, int] = {"Profile-Created-Time": self.created, "Channel-Created-Time": self.created}
        #: The number that was reached in a bridge.
        self.callee = ""
        #: What is told of the other leg of a bridge.
        self.other_leg: list[tuple[str, str]] = []
        #: Called with each event of this channel: the event sockets that control it.
        self.listeners: list[Callable[[Event], None]] = []

    # -- state -----------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Whether the channel has not hung up."""
        return self.hangup_cause is None

    @property
    def ready(self) -> bool:
        """Whether applications go on: up, and not on its way to somewhere else."""
        return self.up and self.transfer_to is None and self.away is None

    def set(self, name: str, value: str | None) -> None:
        """Set a variable, which becomes the last of them; nothing or "" deletes it (FACTS 1.8)."""
        self.variables.pop(name, None)
        if value:
            self.variables[name] = value

    def push(self, name: str, value: str) -> None:
        """Add a value to a variable, which becomes an array where it had one and keeps its place (FACTS 1.9)."""
        held = self.variables.get(name)
        if held:
            self.variables[name] = f"{held if held.startswith('ARRAY::') else 'ARRAY::' + held}|:{value}"
        else:
            self.set(name, value)

    def lookup(self, name: str) -> str | None:
        """A variable, or a field of the caller profile, by name."""
        found = self.variables.get(name)
        if found is not None:
            return found
        profile = self.profile
        return {
            "destination_number": profile.number,
            "caller_id_number": profile.caller_number,
            "caller_id_name": profile.shown_name,
            "username": profile.caller_number,
            "ani": profile.caller_number,
            "network_addr": "127.0.0.1",
            "context": profile.context,
            "dialplan": "XML",
            "source": "mod_sofia",
            "chan_name": profile.channel_name,
            "state": self.state,
            "hangup_cause": self.hangup_cause.name if self.hangup_cause else None,
        }.get(name)

    # -- events ------------------------------------------------------------------------

    def fire(self, name: str, *, before: Headers = (), after: Headers = ()) -> None:
        """Send an event about this channel to whoever listens.

        :param before: headers that stand before the channel's own.
        :param after: headers that stand after them.
        """
        micros, sequence = self.switch.micros(), self.switch.next_sequence()

        def build() -> list[tuple[str, str]]:
            return [*opening(name, micros, sequence), *before, *self.headers(name not in BRIEF), *after]

        self.publish(Event(name, self.uuid, build))

    def publish(self, event: Event) -> None:
        """Hand an event to whoever listens."""
        for listener in list(self.listeners):
            listener(event)
        self.switch.broadcast(event, self)

    def headers(self, full: bool = True) -> list[tuple[str, str]]:
        """What an event says of this channel; ``full`` adds all its variables (FACTS 1.12)."""
        # The state that is being gone to, not the one that still runs.
        going = "CS_EXECUTE" if self.transfer_to is None else "CS_ROUTING"
        going = going if self.up else "CS_HANGUP"
        number = _STATE_NUMBERS[going if self.state == "CS_EXECUTE" else self.state]
        rows = [
            ("Channel-State", self.state),
            ("Channel-Call-State", self.callstate),
            ("Channel-State-Number", str(number)),
            ("Channel-Name", self.profile.channel_name),
            ("Unique-ID", self.uuid),
            ("Call-Direction", self.profile.direction),
            ("Presence-Call-Direction", self.profile.direction),
            ("Channel-HIT-Dialplan", "true"),
            ("Channel-Call-UUID", self.uuid),
            ("Answer-State", self.answer_state),
            ("Hangup-Cause", self.hangup_cause.name if self.hangup_cause else ""),
            *_CODECS,
            *sip.profile_headers(self.profile, "Caller", self.times, self.callee),
            *self.other_leg,
        ]
        if full:
            rows += [(f"variable_{name}", value) for name, value in self.variables.items()]
        return rows

    def snapshot(self) -> list[tuple[str, str]]:
        """The channel as the answer to ``connect`` describes it (FACTS 1.2)."""
        return [
            *opening("CHANNEL_DATA", self.switch.micros(), self.switch.next_sequence()),
            *sip.profile_headers(self.profile, "Channel", self.times, self.callee),
            *self.headers(),
        ]
