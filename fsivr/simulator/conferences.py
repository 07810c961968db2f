"""Conferences of the simulated switch (mod_conference.c, conference_api.c, capture 11r_conference)."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsivr.simulator.application import Application
from fsivr.simulator.clock import next_tick
from fsivr.simulator.event import Event, opening
from fsivr.simulator.tokens import separate
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel
    from fsivr.simulator.switch import Switch
    from fsivr.simulator.thread import Thread

_FLAGS = "+flags{"
# The first to speak has the floor, soon after coming in (capture 11r_conference).
_FLOOR_AFTER = 0.504


@dataclass(slots=True, eq=False)
class Inside:
    """Somebody in a conference."""

    id: int
    channel: Channel
    moderator: bool
    muted: bool
    gone: bool = False
    kicked: bool = False


@dataclass(slots=True)
class Room:
    """A conference, for as long as somebody is in it."""

    name: str
    profile: str
    most: int
    members: list[Inside] = field(default_factory=list)
    recordings: list[str] = field(default_factory=list)
    locked: bool = False
    floor: Inside | None = None
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def rows(self) -> list[tuple[str, str]]:
        """What each event says of it."""
        return [
            ("Conference-Name", self.name),
            ("Conference-Domain", "127.0.0.1"),
            ("Conference-Size", str(len(self.members))),
            ("Conference-Ghosts", "0"),
            ("Conference-Profile-Name", self.profile),
            ("Conference-Unique-ID", self.uuid),
        ]


def _conference(thread: Thread, argument: str) -> None:
    channel, switch = thread.channel, thread.switch
    plain, _, flag_text = argument.partition(_FLAGS)
    name, _, pin = plain.lstrip(" ").partition("+")
    name, _, profile = name.rpartition("@") if "@" in name else (name, "", "default")
    if not name:
        return
    room = switch.conferences.get(name)
    if room is None:
        most = max(0, atoi(channel.variables.get("conference_max_members", "")))
        room = switch.conferences[name] = Room(name, profile, most)
    channel.set("conference_name", name)
    channel.set("app_session_uuid", room.uuid)
    channel.answer()
    refused = (room.locked or (room.most and len(room.members) >= room.most)) and not pin
    if not refused:
        flags = flag_text.partition("}")[0].replace(",", "|").split("|")
        _stay(thread, room, moderator="moderator" in flags, muted="mute" in flags)
    if not room.members:
        switch.conferences.pop(name, None)


def _stay(thread: Thread, room: Room, *, moderator: bool, muted: bool) -> None:
    channel, switch = thread.channel, thread.switch
    switch.member_count += 1
    member = Inside(switch.member_count, channel, moderator, muted)
    room.members.append(member)
    codec = {name: channel.variables.get(name) for name in ("read_codec", "read_rate")}
    for name, value in (
        ("conference_member_id", str(member.id)),
        ("conference_moderator", str(moderator).lower()),
        ("conference_ghost", "false"),
        ("conference_uuid", room.uuid),
        *codec.items(),
    ):
        channel.set(name, value)
    _tell(room, member, "add-member")
    channel.on_change(f"is in conference {room.name}")
    floor = thread.clock.call_at(thread.clock.now() + _FLOOR_AFTER, lambda: _give_floor(room, member))
    while channel.ready and not member.gone:
        thread.parse_commands()
        channel.take_digit()
        thread.take_break()
        if channel.ready and not member.gone:
            thread.wait(next_tick(thread.clock.now()) if channel.digits else None)
    floor.cancel()
    room.members.remove(member)
    if room.floor is member:
        room.floor = None
    _tell(room, member, "del-member")
    if channel.up:
        channel.on_change(f"is out of conference {room.name}")


def _give_floor(room: Room, member: Inside) -> None:
    if room.floor is None and not member.muted:
        room.floor = member
        told = [("Action", "floor-change"), ("Old-ID", "none"), *room.rows()]
        _tell(room, member, "", before=told, after=[("New-ID", str(member.id))])


def _tell(
    room: Room,
    member: Inside,
    action: str,
    before: list[tuple[str, str]] | None = None,
    after: list[tuple[str, str]] | None = None,
) -> None:
    channel = member.channel
    micros, sequence = channel.switch.micros(), channel.switch.next_sequence()
    rows = [
        ("Event-Subclass", "conference::maintenance"),
        *opening("CUSTOM", micros, sequence),
        *room.rows(),
        *(before or []),
        ("Floor", str(room.floor is member).lower()),
        *channel.headers(full=False),
        ("Video", "false"),
        ("Hear", "true"),
        ("See", "true"),
        ("Speak", str(not member.muted).lower()),
        ("Talking", "false"),
        ("Mute-Detect", "false"),
        ("Hold", "false"),
        ("Member-ID", str(member.id)),
        ("Member-Type", "moderator" if member.moderator else "member"),
        ("Member-Ghost", "false"),
        ("Energy-Level", "100"),
        ("Current-Energy", "0"),
        *([("Action", action)] if action else []),
        *(after or []),
    ]
    channel.publish(Event("CUSTOM", channel.uuid, lambda: rows))


# -- the API command ----------------------------------------------------------------------


def _api(switch: Switch, argument: str) -> str:
    words = separate(argument, " ", 25)
    if not words:
        return "-ERR Conference  not found\n"
    room = switch.conferences.get(words[0])
    if room is None:
        return f"-ERR Conference {words[0]} not found\n"
    if len(words) < 2:
        return "Conference command, not specified.\nTry 'help'\n"
    command, rest = words[1].lower(), words[2:]
    if command in _OF_MEMBERS:
        return _of_members(room, command, rest)
    act = {"list": _list, "json_list": _json_list, "recording": _recording}.get(command)
    if act is not None:
        return act(room, rest)
    if command in ("lock", "unlock"):
        room.locked = command == "lock"
        return f"+OK {room.name} {command}ed\n"
    return f"-ERR Conference command '{words[1]}' not found.\n"


def _kick(room: Room, member: Inside) -> str:
    member.gone = member.kicked = True
    member.channel.wake()
    _tell(room, member, "kick-member")
    return f"+OK kicked {member.id}\n"


def _hup(room: Room, member: Inside) -> str:
    member.gone = True
    member.channel.wake()
    _tell(room, member, "hup-member")
    return f"+OK hup {member.id}\n"


def _mute(room: Room, member: Inside) -> str:
    member.muted = True
    _tell(room, member, "mute-member")
    return f"+OK mute {member.id}\n"


def _unmute(room: Room, member: Inside) -> str:
    member.muted = False
    _tell(room, member, "unmute-member")
    return f"+OK unmute {member.id}\n"


_OF_MEMBERS = {"kick": _kick, "hup": _hup, "mute": _mute, "unmute": _unmute}


def _of_members(room: Room, command: str, rest: list[str]) -> str:
    act = _OF_MEMBERS[command]
    target = rest[0] if rest else ""
    inside = [member for member in room.members if not member.gone]
    if atoi(target):
        found = [member for member in inside if member.id == atoi(target)]
        return act(room, found[0]) if found else f"-ERR Non-Existant ID {atoi(target)}\n"
    chosen = {"all": inside, "non_moderator": [member for member in inside if not member.moderator]}.get(target)
    if chosen is None:
        return f"{command} <[member_id|all|last|non_moderator]>"
    return "".join(act(room, member) for member in reversed(chosen))


def _list(room: Room, rest: list[str]) -> str:
    lines = []
    for member in reversed(room.members):
        flags = ["hear"] + ["speak"] * (not member.muted) + ["floor"] * (room.floor is member)
        profile = member.channel.profile
        who = [str(member.id), profile.channel_name, member.channel.uuid, profile.shown_name, profile.caller_number]
        lines.append(";".join([*who, "|".join(flags + ["moderator"] * member.moderator), "0", "0", "100"]) + "\n")
    return "".join(lines)


def _json_list(room: Room, rest: list[str]) -> str:
    recorders: list[dict[str, object]] = [{"type": "recording_node", "record_path": path} for path in room.recordings]
    told = {
        "conference_name": room.name,
        "member_count": len(room.members),
        "conference_uuid": room.uuid,
        "locked": room.locked,
        "recording": bool(room.recordings),
        "members": recorders + [_as_json(room, member) for member in reversed(room.members)],
    }
    return json.dumps([told], ensure_ascii=False)


def _as_json(room: Room, member: Inside) -> dict[str, object]:
    profile = member.channel.profile
    flags = {
        "can_hear": True,
        "can_see": True,
        "can_speak": not member.muted,
        "hold": False,
        "talking": False,
        "has_floor": room.floor is member,
        "is_moderator": member.moderator,
    }
    return {
        "type": "caller",
        "id": member.id,
        "flags": flags,
        "uuid": member.channel.uuid,
        "caller_id_name": profile.shown_name,
        "caller_id_number": profile.caller_number,
    }


def _recording(room: Room, rest: list[str]) -> str:
    what, path = (rest[0] if rest else ""), (rest[1] if len(rest) > 1 else "all")
    if what == "start" and len(rest) > 1:
        if path in room.recordings:
            return f"-ERR file [{path}] is already being used for recording.\n"
        room.recordings.append(path)
        return f"+OK Record file {path}\n"
    if what != "stop":
        return "recording [start|stop|check|pause|resume] [<filename>|all]"
    stopped = list(room.recordings) if path == "all" else [each for each in room.recordings if each == path]
    room.recordings[:] = [each for each in room.recordings if each not in stopped]
    missing = "" if stopped or path == "all" else f"-ERR non-existant recording '{path}'\n"
    return f"{missing}+OK Stopped recording {len(stopped)} file{'' if len(stopped) == 1 else 's'}\n"


APPLICATIONS = {"conference": Application(_conference, needs_media=True)}
API = {"conference": _api}
