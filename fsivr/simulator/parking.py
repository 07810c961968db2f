"""Parking places of the simulated switch (mod_valet_parking.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsivr.simulator.application import Application
from fsivr.simulator.event import Event, opening
from fsivr.simulator.talk import Talk, wait_in
from fsivr.simulator.tokens import separate
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.switch import Switch
    from fsivr.simulator.thread import Thread


@dataclass(slots=True, eq=False)
class Car:
    """A caller in a parking place."""

    thread: Thread
    since: float
    talk: Talk | None = None


def _valet_park(thread: Thread, argument: str) -> None:
    words = separate(argument, " ", 6)
    if len(words) < 2:
        return
    lot = thread.switch.lots.setdefault(words[0], {})
    if words[1].lower() == "auto":
        if len(words) < 5 or words[2].lower() not in ("in", "out"):
            return
        lowest, highest = max(1, atoi(words[3])), atoi(words[4]) or 10**9
        if words[2].lower() == "in":
            free = (number for number in range(lowest, highest + 1) if str(number) not in lot)
            slot = str(next(free, ""))
        else:
            taken = [each for each in lot if lowest <= atoi(each) <= highest]
            slot = min(taken, key=lambda each: lot[each].since, default="")
        if not slot:
            return  # and a phrase says so, where the switch has it
    else:
        slot = words[1]
    if slot in lot:
        _fetch(thread, words[0], slot)
    else:
        _wait(thread, words[0], slot)


def _wait(thread: Thread, lot_name: str, slot: str) -> None:
    channel, clock = thread.channel, thread.clock
    lot = thread.switch.lots[lot_name]
    car = lot[slot] = Car(thread, clock.now())
    _tell(thread, lot_name, slot, "hold")
    channel.set("valet_lot_extension", slot)
    channel.on_change(f"is parked in {lot_name} {slot}")
    seconds = atoi(channel.variables.get("valet_parking_timeout", ""))
    music = channel.variables.get("valet_hold_music", "silence")
    wait_in(
        thread,
        "" if music == "silence" else music,
        done=lambda: car.talk is not None,
        until=clock.now() + seconds if seconds > 0 else None,
        keys="#",
    )
    if lot.get(slot) is car:
        del lot[slot]
    _tell(thread, lot_name, slot, "exit")


def _fetch(thread: Thread, lot_name: str, slot: str) -> None:
    """Connect the two: both leave what they were in (switch_ivr_bridge.c, switch_ivr_uuid_bridge)."""
    car = thread.switch.lots[lot_name].pop(slot)
    _tell(car.thread, lot_name, slot, "bridge", [("Bridge-To-UUID", thread.channel.uuid)])
    talk = car.talk = Talk()
    for one, other in ((car.thread, thread), (thread, car.thread)):
        channel = one.channel
        for name in ("bridge_uuid", "signal_bond"):
            channel.set(name, other.channel.uuid)
        whom = other.channel.profile.caller_number
        channel.away = lambda held, whom=whom: talk.hold(held, with_whom=whom)
        channel.wake()


def _tell(thread: Thread, lot_name: str, slot: str, action: str, more: list[tuple[str, str]] | None = None) -> None:
    channel = thread.channel
    micros, sequence = thread.switch.micros(), thread.switch.next_sequence()
    rows = [
        ("Event-Subclass", "valet_parking::info"),
        *opening("CUSTOM", micros, sequence),
        ("Valet-Lot-Name", lot_name),
        ("Valet-Extension", slot),
        ("Action", action),
        *(more or []),
        *channel.headers(),
    ]
    channel.publish(Event("CUSTOM", channel.uuid, lambda: rows))


def _info(switch: Switch, argument: str) -> str:
    told = "<lots>\n"
    for name, lot in switch.lots.items():
        if argument in ("", name):
            told += f'  <lot name="{name}">\n'
            for slot, car in lot.items():
                told += f'    <extension uuid="{car.thread.channel.uuid}">{slot}</extension>\n'
            told += "  </lot>\n"
    return told + "</lots>\n"


APPLICATIONS = {"valet_park": Application(_valet_park, needs_media=True)}
API = {"valet_info": _info}
