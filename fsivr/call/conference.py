"""Conferences: who is in one, and what can be done with it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Protocol

from fsivr.call.line import Line
from fsivr.call.meeting import checked_name
from fsivr.errors import CommandRefused, RemoteProtocolError

# Words that `conference WORD …` takes for a command where no conference has that name
# (conference_api.c, conference_api_main_real).
_RESERVED = {"list", "count", "xml_list", "json_list", "help", "commands"}
_PATH = re.compile(r"[A-Za-z0-9_./-]+")
_MOST_ID = (1 << 32) - 1


class Commands(Protocol):
    """What runs API commands: a ``fsivr.esl.client.Client``, a session."""

    def api(self, command: str, argument: str = "") -> str:
        """What an API command printed."""


@dataclass(frozen=True, slots=True)
class ConferenceStay:
    """What became of a caller in a conference."""

    #: The conference.
    name: str
    #: Whether the caller was let in; a conference that is full or locked lets nobody in.
    entered: bool
    #: How long it took, in seconds, from the door to the end.
    duration: float
    #: Whether a moderator threw the caller out.
    kicked: bool


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a conference, at the moment it was asked for."""

    #: The member's number in the conference.
    id: int
    #: The channel's id.
    uuid: str
    #: The number, as the caller's side gave it.
    caller_number: str
    #: The name, as the caller's side gave it: any text.
    caller_name: str
    #: Whether the others cannot hear it.
    muted: bool
    #: Whether it is a moderator.
    moderator: bool
    #: Whether it is speaking.
    talking: bool


class Conference:
    """A conference on the switch, to look at and to manage; it need not exist.

    :param through: what asks the switch: a ``Call``, or a ``Client``.
    :param name: as in ``call.conference``.
    :raises ValueError: a name that a conference cannot have.

    The methods raise ``CommandRefused`` where there is no such conference or member.
    """

    def __init__(self, through: Line | Commands, name: str) -> None:
        self._commands: Commands = through._session if isinstance(through, Line) else through
        self.name = checked_conference(name)

    def __repr__(self) -> str:
        return f"<Conference {self.name}>"

    def members(self) -> list[Member]:
        """Who is in it now, the first to come first; nobody where there is no such conference.

        :raises RemoteProtocolError: the switch's answer cannot be read.
        """
        try:
            text = self._commands.api("conference", f"{self.name} json_list")
        except CommandRefused as error:
            if "not found" in str(error):
                return []
            raise
        try:
            [conference] = json.loads(text, strict=False)
            found = [_member(each) for each in conference["members"] if each.get("type", "caller") == "caller"]
        except (ValueError, LookupError, TypeError, AttributeError):
            raise RemoteProtocolError(f"the members of conference {self.name} cannot be read") from None
        return sorted(found, key=lambda member: member.id)

    def kick(self, member: Member | int | None = None) -> None:
        """Throw a member out; everybody, where left out."""
        self._do(f"kick {_target(member)}")

    def mute(self, member: Member | int | None = None) -> None:
        """Have the others not hear a member; anybody, where left out."""
        self._do(f"mute {_target(member)}")

    def unmute(self, member: Member | int | None = None) -> None:
        """Have a member heard again; everybody, where left out."""
        self._do(f"unmute {_target(member)}")

    def record(self, path: str) -> None:
        """Record what everybody says, until ``stop_recording`` or the conference's end.

        :param path: the file, on the switch; its ending is the format.
        :raises ValueError: a path that means something else to the switch, or leads upwards.
        """
        self._do(f"recording start {_checked_path(path)}")

    def stop_recording(self, path: str | None = None) -> None:
        """End a recording; every one, where left out."""
        self._do(f"recording stop {'all' if path is None else _checked_path(path)}")

    def lock(self) -> None:
        """Let nobody in any more."""
        self._do("lock")

    def unlock(self) -> None:
        """Let callers in again."""
        self._do("unlock")

    def _do(self, what: str) -> None:
        said = self._commands.api("conference", f"{self.name} {what}")
        # A refusal may stand beside an answer, and its usage is no -ERR (conference_api.c).
        if not said.startswith("+OK") or "\n-ERR" in said:
            raise CommandRefused(f"the switch refused to {what.split()[0]} in conference {self.name}: {said[:200]!r}")


def checked_conference(name: str) -> str:
    """The name, if a conference can have it.

    :raises ValueError: it cannot.
    """
    if checked_name("conference", name).lower() in _RESERVED:
        raise ValueError(f"a conference cannot be called {name!r}, which the switch takes for a command")
    return name


def _target(member: Member | int | None) -> str:
    if member is None:
        return "all"
    number = member.id if isinstance(member, Member) else member
    if type(number) is not int or not 1 <= number <= _MOST_ID:
        raise ValueError(f"a member is a Member or the number of one, not {member!r}")
    return str(number)


def _checked_path(path: str) -> str:
    if not isinstance(path, str) or not _PATH.fullmatch(path) or ".." in path or path[0] == "-" or len(path) > 4096:
        raise ValueError(f"a recording's path has letters, digits and _ . / -, and no '..', not {ascii(path)[:80]}")
    if path.lower() in ("all", "start", "stop", "check", "pause", "resume"):
        raise ValueError(f"a recording cannot be called {path!r}, which the switch takes for a command")
    return path


def _member(told: dict[str, Any]) -> Member:
    flags = told["flags"]
    return Member(
        id=int(told["id"]),
        uuid=str(told["uuid"]),
        caller_number=str(told.get("caller_id_number") or ""),
        caller_name=str(told.get("caller_id_name") or ""),
        muted=not flags["can_speak"],
        moderator=bool(flags["is_moderator"]),
        talking=bool(flags["talking"]),
    )
