"""Queues of the simulated switch: mod_fifo.c and mod_callcenter.c."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsivr.simulator import playing
from fsivr.simulator.application import Application
from fsivr.simulator.clock import next_tick
from fsivr.simulator.talk import Talk, goes_on, wait_in
from fsivr.simulator.tokens import separate
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.switch import Switch
    from fsivr.simulator.thread import Thread

_EVER = float("inf")
_WRAP_UP = 5.0  # seconds an agent has to himself (mod_fifo.c, fifo_consumer_wrapup_time)


@dataclass(slots=True, eq=False)
class Agent:
    """Somebody whom a test has put behind a queue.

    :param after: seconds from being free, with a caller there, to the answer.
    :param talks: seconds of a talk; None where the agent does not hang up.
    """

    name: str
    after: float
    talks: float | None
    free: float = 0.0
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(slots=True, eq=False)
class Waiting:
    """A caller in a queue, and who is going to serve him, and when."""

    thread: Thread
    agent: Agent | None
    at: float
    before: float = 0.0
    talk: Talk | None = None
    #: Who serves, by name and by channel.
    by: tuple[str, str] = ("", "")
    #: Whether the caller has left the queue, for the talk.
    ready: bool = False

    @property
    def until(self) -> float | None:
        """When the agent answers; None where none will."""
        return None if self.at == _EVER else self.at


@dataclass(slots=True)
class Fifo:
    """A queue of mod_fifo."""

    callers: list[Waiting] = field(default_factory=list)
    consumers: list[Thread] = field(default_factory=list)


def claim(switch: Switch, queue: str, thread: Thread) -> Waiting:
    """A caller's place, with the agent who is free first."""
    agents = switch.agents_of.get(queue, [])
    if not agents:
        return Waiting(thread, None, _EVER)
    agent = min(agents, key=lambda each: each.free)
    before = agent.free
    at = max(thread.clock.now(), before) + agent.after
    agent.free = _EVER if agent.talks is None else at + agent.talks
    return Waiting(thread, agent, at, before)


def _give_up(waiting: Waiting) -> None:
    """The caller has left without having been served: the agent is free for the next."""
    if waiting.agent is not None:
        waiting.agent.free = min(waiting.agent.free, max(waiting.before, waiting.thread.clock.now()))


def _fifo(thread: Thread, argument: str) -> None:
    words = separate(argument, " ", 5)
    if len(words) < 2 or words[1].lower() not in ("in", "out"):
        return
    if words[1].lower() == "out":
        _consume(thread, words[0], nowait=words[2:3] == ["nowait"])
        return
    channel = thread.channel
    fifo = thread.switch.fifos.setdefault(words[0], Fifo())
    channel.answer()
    waiting = claim(thread.switch, words[0], thread)
    fifo.callers.append(waiting)
    for name, value in (
        ("fifo_position", str(len(fifo.callers))),
        ("fifo_priority", "0"),
        ("fifo_status", "WAITING"),
        ("fifo_serviced_uuid", ""),
    ):
        channel.set(name, value)
    channel.on_change(f"waits in queue {words[0]}")
    for consumer in fifo.consumers:
        consumer.channel.wake()
    _wait_in_fifo(thread, waiting)
    if waiting in fifo.callers:
        fifo.callers.remove(waiting)


def _wait_in_fifo(thread: Thread, waiting: Waiting) -> None:
    channel, clock = thread.channel, thread.clock
    variables = channel.variables
    orbit = variables.get("fifo_orbit_exten", "")
    gives_up = clock.now() + atoi(orbit.partition(":")[2] or "60") if orbit else _EVER
    until = min(waiting.at, gives_up)
    music = variables.get("fifo_music", "")
    key, could = wait_in(
        thread,
        "" if music == "silence" else music,
        done=lambda: waiting.talk is not None,
        until=None if until == _EVER else until,
        keys=variables.get("fifo_caller_exit_key", ""),
    )
    if waiting.talk is None and could and not key and channel.ready and clock.now() >= waiting.at - 1e-9:
        assert waiting.agent is not None
        waiting.talk, waiting.by = Talk(waiting.agent.talks), (waiting.agent.name, waiting.agent.uuid)
    if waiting.talk is None or not channel.ready:
        _give_up(waiting)
        if key:
            channel.set("fifo_caller_exit_key", key)
        timed_out = channel.ready and could and not key
        channel.set("fifo_status", "TIMEOUT" if timed_out else "ABORTED")
        return
    channel.set("fifo_serviced_by", waiting.by[0])
    channel.set("fifo_serviced_uuid", waiting.by[1])
    if announce := variables.get("fifo_announce"):
        playing.play_file(thread, announce)
    channel.away = lambda thread: _served(thread, waiting)


def _served(thread: Thread, waiting: Waiting) -> None:
    channel = thread.channel
    assert waiting.talk is not None
    waiting.ready = True
    name, other = waiting.by
    channel.set("signal_bond", other)
    channel.set("fifo_status", "TALKING")
    channel.set("fifo_target", other)
    spent = waiting.talk.hold(thread, with_whom=name)
    channel.set("fifo_bridge_seconds", str(int(spent)))
    channel.set("fifo_status", "DONE")


def _consume(thread: Thread, name: str, *, nowait: bool) -> None:
    """The agent's side: serves callers until it hangs up, or one, or nobody."""
    channel = thread.channel
    fifo = thread.switch.fifos.setdefault(name, Fifo())
    if not nowait:
        fifo.consumers.append(thread)
        channel.answer()
    channel.set("fifo_status", "WAITING")
    while channel.ready:
        if fifo.callers:
            _serve(thread, fifo.callers.pop(0))
            if channel.ready and not nowait:
                _rest(thread, until=thread.clock.now() + _WRAP_UP, done=lambda: False)
        elif not nowait:
            _rest(thread, until=None, done=lambda: bool(fifo.callers))
        if nowait:
            break
    if thread in fifo.consumers:
        fifo.consumers.remove(thread)


def _serve(thread: Thread, waiting: Waiting) -> None:
    channel, other = thread.channel, waiting.thread.channel
    waiting.by, waiting.talk = (channel.uuid, channel.uuid), Talk()
    other.wake()
    _rest(thread, until=None, done=lambda: waiting.ready or not other.up, wake_with=waiting)
    channel.answer()
    if not waiting.ready:
        return
    channel.set("fifo_status", "TALKING")
    channel.set("fifo_target", other.uuid)
    spent = waiting.talk.hold(thread, with_whom=other.profile.caller_number)
    channel.set("fifo_bridge_seconds", str(int(spent)))
    channel.set("fifo_status", "WAITING")
    goes_on(channel)


def _rest(thread: Thread, *, until: float | None, done: Callable[[], bool], wake_with: Waiting | None = None) -> None:
    channel, clock = thread.channel, thread.clock
    while channel.ready and not done() and (until is None or clock.now() < until - 1e-9):
        thread.parse_commands()
        thread.take_break()
        channel.take_digit()
        if channel.ready and not done():
            soon = next_tick(clock.now())
            thread.wait(soon if channel.digits or wake_with is not None else until)


def _callcenter(thread: Thread, argument: str) -> None:
    channel, clock = thread.channel, thread.clock
    name = argument.split(" ")[0]
    if name not in thread.switch.agents_of:
        return  # no such queue in its configuration
    channel.answer()
    now = thread.switch.micros() // 1_000_000
    for variable, value in (
        ("cc_side", "member"),
        ("cc_member_uuid", str(uuid.uuid4())),
        ("cc_agent_bridged", ""),
        ("cc_queue_joined_epoch", str(now)),
        ("cc_queue", name),
    ):
        channel.set(variable, value)
    channel.on_change(f"waits in queue {name}")
    waiting = claim(thread.switch, name, thread)
    music = channel.variables.get("cc_moh_override", "")
    keys = channel.variables.get("cc_exit_keys", "")
    key, could = wait_in(thread, music, done=lambda: False, until=waiting.until, keys=keys)
    if not could:  # it goes on waiting in silence
        key, _ = wait_in(thread, "", done=lambda: False, until=waiting.until, keys=keys)
    if key or not channel.ready or clock.now() < waiting.at - 1e-9 or waiting.agent is None:
        _cancel(thread, waiting, key)
        return
    agent = waiting.agent
    for variable, value in (("cc_agent_uuid", agent.uuid), ("bridge_uuid", agent.uuid), ("cc_cause", "answered")):
        channel.set(variable, value)
    channel.away = lambda thread: _talk_with(thread, agent)


def _cancel(thread: Thread, waiting: Waiting, key: str) -> None:
    channel = thread.channel
    _give_up(waiting)
    channel.set("cc_exit_key", key or channel.variables.get("cc_exit_key"))
    channel.set("cc_queue_canceled_epoch", str(thread.switch.micros() // 1_000_000))
    channel.set("cc_cause", "cancel")
    channel.set("cc_cancel_reason", "EXIT_WITH_KEY" if key else "BREAK_OUT")


def _talk_with(thread: Thread, agent: Agent) -> None:
    channel = thread.channel
    channel.set("cc_agent_bridged", "true")
    channel.set("cc_agent", agent.name)
    channel.set("cc_queue_answered_epoch", str(thread.switch.micros() // 1_000_000))
    Talk(agent.talks).hold(thread, with_whom=agent.name)
    channel.set("cc_queue_terminated_epoch", str(thread.switch.micros() // 1_000_000))


def _count(switch: Switch, argument: str) -> str:
    command, _, name = argument.partition(" ")
    if command != "count":
        return "-ERR Usage: list|list_verbose|count|debug|status|has_outbound|importance [<fifo name>]|reparse\n"
    fifo = switch.fifos.get(name)
    if fifo is None:
        return "none\n"
    return f"{name}:{len(fifo.consumers)}:{len(fifo.callers)}:0:0:0\n"


APPLICATIONS = {
    "fifo": Application(_fifo, needs_media=True),
    "callcenter": Application(_callcenter, needs_media=True),
}
API = {"fifo": _count}
