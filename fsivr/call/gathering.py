"""The verbs by which callers wait for somebody: queues, parking places."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import gevent

from fsivr.call.channel import Described
from fsivr.call.conferring import Conferring
from fsivr.call.leg import Leg
from fsivr.call.meeting import between, checked_name, checked_number, checked_seconds
from fsivr.call.waiting import Parked, QueueStay, WhyLeft
from fsivr.causes import HangupCause
from fsivr.errors import CommandRefused, PromptError
from fsivr.prompts import PromptLike, prompt
from fsivr.whose import about

_EXIT_KEYS = re.compile(r"[0-9*#]+")
_SLOTS = (701, 799)
_HIGHEST_SLOT = 999_999_999
# Presses itself where a callcenter's caller has waited long enough: telephones have no such key.
_TIME_IS_UP = "D"
_CANCELLED = {
    "EXIT_WITH_KEY": WhyLeft.EXIT_KEY,
    "TIMEOUT": WhyLeft.TIMEOUT,
    "NO_AGENT_TIMEOUT": WhyLeft.NO_AGENTS,
}


class Gathering(Conferring):
    """A call that can join others."""

    def queue(
        self,
        name: str,
        *,
        music: PromptLike | None = None,
        announce: PromptLike | None = None,
        timeout: float | None = None,
        exit_key: str | None = None,
        kind: str = "fifo",
    ) -> QueueStay:
        """What became of the caller in a queue, once the talk with an agent, or the wait, is over.

        :param name: as ``support``, or with a domain ``support@example.com``.
        :param music: a file or tone to wait with; the queue's own, or silence, where left out.
        :param announce: played to the caller just before the agent is heard; not in a callcenter.
        :param timeout: seconds to wait for an agent; a day where left out.
        :param exit_key: the key, or keys, by which the caller can leave.
        :param kind: ``fifo``, served by ``serve_queue``, or ``callcenter``, by the agents of mod_callcenter.
        :raises PromptError: the switch cannot play the music.
        :raises CommandRefused: the switch has no such callcenter queue.
        :raises ModuleMissing: the switch lacks mod_fifo or mod_callcenter.
        """
        checked_name("queue", name, domain=True)
        wait = math.ceil(checked_seconds("queue", timeout))
        if exit_key is not None and (not isinstance(exit_key, str) or not _EXIT_KEYS.fullmatch(exit_key)):
            raise ValueError(f"exit_key holds keys 0-9 * #, not {exit_key!r}")
        if kind not in ("fifo", "callcenter"):
            raise ValueError(f"the kind of a queue is 'fifo' or 'callcenter', not {kind!r}")
        if kind == "callcenter" and announce is not None:
            raise ValueError("a callcenter's announcements are its configuration's: give none")
        music_file, announced = self._file(music), self._file(announce)
        self._require(f"mod_{kind}", "queue")
        if kind == "callcenter":
            self.variables["cc_moh_override"] = music_file
            return self._in_callcenter(name, wait if timeout is not None else 0, exit_key or "")
        self.variables["fifo_music"] = music_file
        self.variables["fifo_announce"] = announced
        return self._in_fifo(name, wait, exit_key or "")

    def serve_queue(self, name: str, *, wait: bool = True) -> Leg | None:
        """The leg of the caller who was served, once the talk is over; this call is the agent.

        :param name: a queue of the kind ``fifo``.
        :param wait: serve one caller after the other until this one hangs up; else only one who
            is waiting already, or None where nobody is.
        :raises ModuleMissing: the switch has no mod_fifo.
        """
        checked_name("queue", name, domain=True)
        self._require("mod_fifo", "serve_queue")
        self._prepare("fifo_target=;fifo_bridge_seconds=;fifo_music=;fifo_announce=;bridge_hangup_cause=")
        _, end, _ = self._lend("fifo", f"{name} out {'wait' if wait else 'nowait'}")
        target = end.get("variable_fifo_target")
        if not target:
            return None
        return Leg(name, True, _cause(end), _seconds(end.get("variable_fifo_bridge_seconds")), target)

    def park(
        self,
        lot: str,
        *,
        slot: int | tuple[int, int] = _SLOTS,
        music: PromptLike | None = None,
        timeout: float | None = None,
        on_slot: Callable[[int], object] | None = None,
    ) -> Parked:
        """What became of the caller in a parking place, once it was fetched and the talk is over, or nobody came.

        :param lot: as ``main``, or with a domain.
        :param slot: the number of the place, or the lowest and the highest of which a free one is taken.
        :param music: a file or tone to wait with; silence where left out.
        :param timeout: seconds to wait there; a day where left out.
        :param on_slot: called with the number, in a greenlet of its own, as soon as the caller is parked.
        :raises ModuleMissing: the switch has no mod_valet_parking.
        """
        lowest, highest = _slots(checked_name("parking lot", lot, domain=True), slot)
        wait = math.ceil(checked_seconds("park", timeout))
        music_file = self._file(music)
        self._require("mod_valet_parking", "park")
        self.variables["valet_hold_music"] = music_file or "silence"
        self._prepare_valet(wait)
        told: list[gevent.Greenlet[..., object]] = []

        def look(event: Described) -> None:
            if event.get("Action") == "hold" and on_slot is not None and not told:
                told.append(gevent.spawn(self._tell, on_slot, int(event.get("Valet-Extension") or 0)))

        unwatch = self._session.watch("CUSTOM valet_parking::info", look)
        try:
            # `auto` alone takes a place that is free: an occupied one would connect two strangers.
            argument = f"{lot} auto in {lowest} {highest}"
            began, end, back = self._lend("valet_park", argument, _bridged)
        finally:
            unwatch()
            gevent.killall(told)
        place = end.get("variable_valet_lot_extension") or ""
        by = end.get("variable_bridge_uuid") or "" if back is not None else ""
        return Parked(lot, int(place) if place.isdigit() else None, by, between(began, end), between(end, back))

    def unpark(self, lot: str, slot: int | tuple[int, int] = _SLOTS) -> Leg:
        """The leg of the caller who was fetched from a parking place, once the talk is over.

        Where nobody is parked there, it is one that did not answer.

        :param slot: the number of the place, or the lowest and the highest, of which the longest taken counts.
        :raises ModuleMissing: the switch has no mod_valet_parking.
        """
        lowest, highest = _slots(checked_name("parking lot", lot, domain=True), slot)
        self._require("mod_valet_parking", "unpark")
        # Where the place is given up in that very moment, the switch parks this caller: not for long.
        self._prepare_valet(1)
        argument = f"{lot} auto out {lowest} {highest}"
        _, end, back = self._lend("valet_park", argument, _bridged)
        where = f"{lot}/{slot}" if lowest == highest else lot
        if back is None:
            return Leg(where, False, HangupCause.SUBSCRIBER_ABSENT, 0.0, "")
        return Leg(where, True, _cause(back), between(end, back), end.get("variable_bridge_uuid") or "")

    # -- how they work ----------------------------------------------------------------

    def _in_fifo(self, name: str, wait: int, exit_key: str) -> QueueStay:
        # The keys doubled: what the switch puts in their place is the one that was pressed (mod_fifo.c).
        keys = exit_key * 2
        self._prepare(f"fifo_orbit_exten=_continue_:{wait};fifo_caller_exit_key={keys};fifo_serviced_by=;fifo_status=")
        began, end, back = self._lend("fifo", f"{name} in", _serviced)
        waited = between(began, end)
        if back is not None:
            agent = back.get("variable_fifo_serviced_by") or ""
            return QueueStay(name, WhyLeft.SERVED, waited, between(end, back), agent, "")
        if end.get("variable_fifo_status") == "TIMEOUT":
            return QueueStay(name, WhyLeft.TIMEOUT, waited, 0.0, "", "")
        pressed = end.get("variable_fifo_caller_exit_key") or ""
        if keys and len(pressed) == 1:
            return QueueStay(name, WhyLeft.EXIT_KEY, waited, 0.0, "", pressed)
        music = self.variables.get("fifo_music")
        if music:
            raise PromptError(f"the switch could not play {music!r} in the queue {name}")
        return self._removed(name, waited)

    def _in_callcenter(self, name: str, wait: int, exit_key: str) -> QueueStay:
        keys = exit_key + (_TIME_IS_UP if wait else "")
        self._prepare(f"cc_exit_keys={keys};cc_exit_key=;cc_cause=;cc_cancel_reason=;cc_agent=;cc_agent_uuid=")
        alarm = f"fsivr-{self.uuid}"
        if wait:
            self._session.api("sched_api", f"+{wait} {alarm} uuid_recv_dtmf {self.uuid} {_TIME_IS_UP}")
        try:
            began, end, back = self._lend("callcenter", name, _answered)
        finally:
            if wait:
                self._session.post("sched_del", alarm)
        waited = between(began, end)
        if back is not None:
            agent = back.get("variable_cc_agent") or back.get("variable_cc_agent_uuid") or ""
            return QueueStay(name, WhyLeft.SERVED, waited, between(end, back), agent, "")
        reason = end.get("variable_cc_cancel_reason")
        if reason is None:
            raise CommandRefused(f"the switch has no callcenter queue {name!r}")
        pressed = end.get("variable_cc_exit_key") or ""
        if pressed == _TIME_IS_UP:
            return QueueStay(name, WhyLeft.TIMEOUT, waited, 0.0, "", "")
        if reason not in _CANCELLED:
            return self._removed(name, waited)
        return QueueStay(name, _CANCELLED[reason], waited, 0.0, "", pressed)

    def _tell(self, function: Callable[[int], object], number: int) -> None:
        about(self.uuid)  # spawned by the hub
        function(number)

    def _removed(self, name: str, waited: float) -> QueueStay:
        """For no reason of the queue's: after one round trip we know whether the call went elsewhere."""
        self._session.api("uuid_exists", self.uuid)
        return QueueStay(name, WhyLeft.REMOVED, waited, 0.0, "", "")

    def _prepare_valet(self, wait: int) -> None:
        self._prepare(
            f"valet_parking_timeout={wait};valet_announce_slot=false;valet_parking_orbit_exten=;"
            "valet_lot_extension=;bridge_uuid=;bridge_hangup_cause="
        )

    def _file(self, sound: PromptLike | None) -> str:
        return "" if sound is None else self._library.file(prompt(sound))


def _slots(lot: str, slot: int | tuple[int, int]) -> tuple[int, int]:
    lowest, highest = slot if isinstance(slot, tuple) and len(slot) == 2 else (slot, slot)
    checked_number(f"slot of lot {lot}", lowest, 1, _HIGHEST_SLOT)
    return lowest, checked_number(f"slot of lot {lot}", highest, lowest, _HIGHEST_SLOT)


def _serviced(end: Described) -> bool:
    status = end.get("variable_fifo_status")
    return bool(end.get("variable_fifo_serviced_uuid")) and status not in ("ABORTED", "TIMEOUT")


def _answered(end: Described) -> bool:
    return end.get("variable_cc_cause") == "answered"


def _bridged(end: Described) -> bool:
    return bool(end.get("variable_bridge_uuid"))


def _cause(described: Described) -> HangupCause:
    return HangupCause.parse(described.get("variable_bridge_hangup_cause"), HangupCause.NORMAL_CLEARING)


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else 0.0
