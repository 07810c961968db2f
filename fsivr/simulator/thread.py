"""The channel's thread: runs the dialplan's actions, and the commands that come for the channel."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event as Wake

from fsivr.causes import HangupCause
from fsivr.simulator.channel import QUEUE_LIMIT, Channel
from fsivr.simulator.clock import next_tick
from fsivr.simulator.event import Event, opening
from fsivr.simulator.talk import go_away
from fsivr.simulator.tokens import expand, is_true
from fsivr.simulator.wire import Command, atoi

if TYPE_CHECKING:
    from fsivr.simulator.outbound import Outbound
    from fsivr.simulator.switch import Switch

log = logging.getLogger(__name__)

#: How deep commands nest before the switch stops taking them (switch_ivr.c, SWITCH_MAX_STACKS).
_MAX_DEPTH = 32
_LOOP_PAUSE = 0.5  # a shorter application is not repeated (switch_ivr_parse_event)


class Thread:
    """Executes applications on one channel, one inside the other where they nest."""

    def __init__(self, switch: Switch, channel: Channel, actions: list[tuple[str, str]]) -> None:
        self.switch = switch
        self.clock = switch.clock
        self.channel: Channel = channel
        self.actions = actions
        #: The event sockets of this channel; a second one comes with a transfer (FACTS 5.5).
        self.outbounds: list[Outbound] = []
        self.last = ("", "")
        #: Parked with nothing to do: it is the handler's turn.
        self.idle = False
        #: Busy with connecting to the handler.
        self.connecting = False
        #: Whether it is parked, whatever runs in there.
        self.parked = False
        self.finished = False
        #: Called as each prompt begins and ends: what the caller hears.
        self.on_prompt: Callable[[str, str], Callable[[], None]] = lambda application, argument: lambda: None
        #: Called as each application begins.
        self.on_application: Callable[[str], None] = lambda application: None
        self._depth = 0
        self._wake = Wake()
        channel.on_wake = self._wake.set
        channel.thread = self
        self.greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """Begin with the dialplan's first action."""
        self.greenlet = gevent.spawn(self._run)

    # -- the dialplan ------------------------------------------------------------------

    def _run(self) -> None:
        channel = self.channel
        try:
            self._route()
        except Exception:
            # A fault of the simulator must end this call, not hang it.
            log.exception("the simulated channel %s broke", channel.uuid)
            channel.hangup(HangupCause.CRASH)
        self.end()

    def end(self) -> None:
        """Hang up, if nobody has, and see the channel off."""
        channel = self.channel
        channel.hangup(HangupCause.NORMAL_CLEARING)
        self.idle = False
        channel.finish(self.last)
        self.finished = True
        self.switch.forget(channel)
        for outbound in self.outbounds:
            outbound.channel_is_down()
        channel.on_change("over")

    def _route(self) -> None:
        actions = list(self.actions)
        while self.channel.up:
            while actions and self.channel.ready:
                application, argument = actions.pop(0)
                self.execute(application, argument)
            if self.channel.away is not None:
                go_away(self)
                continue
            target, self.channel.transfer_to = self.channel.transfer_to, None
            if target is None:
                return
            self.channel.reroute()
            if self.channel.inline:
                self.channel.inline = False
                actions = [(name, data) for name, _, data in (each.partition(":") for each in target.split(","))]
                continue
            if target not in self.switch.extensions:
                self.channel.hangup(HangupCause.NO_ROUTE_DESTINATION)
                return
            actions = list(self.switch.extensions[target])

    def rest(self) -> None:
        """Be parked for whoever controls the channel; for ever where nobody does."""
        had = any(outbound.controls for outbound in self.outbounds)
        self.park(lambda: not had or any(outbound.controls for outbound in self.outbounds))

    # -- applications --------------------------------------------------------------------

    def execute(self, application: str, argument: str, *, ids: tuple[str, str] = ("", "")) -> bool:
        """Run an application to its end; whether there is one of that name and the channel was up.

        :param ids: what its events carry as ``Application-UUID`` and ``Application-UUID-Name``.
        """
        from fsivr.simulator.applications import APPLICATIONS

        channel = self.channel
        if not channel.up:
            return False
        found = APPLICATIONS.get(application)
        if found is None:
            channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)  # FACTS 3.8
            return False
        argument = expand(argument, channel.lookup)
        if found.needs_media and not channel.media:
            channel.pre_answer()
        identity = [("Application-UUID", ids[0] or str(uuid.uuid4())), ("Application-UUID-Name", ids[1])]
        channel.set("app_uuid", None)
        channel.set("app_uuid_name", None)
        channel.set("current_application", application)
        channel.set("current_application_data", argument)
        channel.set("current_application_response", None)
        what = [("Application", application), ("Application-Data", argument)]
        channel.fire("CHANNEL_EXECUTE", after=[*what, *identity])
        self.last = (application, argument)
        channel.set("current_application", application)
        channel.breaking = False
        self.on_application(application)
        found.run(self, argument)
        response = ("Application-Response", channel.variables.get("current_application_response") or "_none_")
        channel.fire("CHANNEL_EXECUTE_COMPLETE", after=[*what, response, *identity])
        return True

    def wait(self, until: float | None = None) -> None:
        """Let the channel's thread rest until something comes for it, or until a time."""
        timer = None if until is None else self.clock.call_at(until, self._wake.set)
        self._wake.wait()
        self._wake.clear()
        if timer is not None:
            timer.cancel()

    def take_break(self) -> bool:
        """Whether the running application is to stop: ``uuid_break`` or ``break``."""
        if self.channel.breaking:
            self.channel.breaking = False
            return True
        return False

    # -- commands ------------------------------------------------------------------------

    def queue(self, command: Command) -> bool:
        """Take a command for the channel; False when too many wait already (FACTS 3.6)."""
        if not self.channel.up:
            return True  # said +OK to, and dropped (FACTS 5.11)
        if len(self.channel.commands) >= QUEUE_LIMIT:
            return False
        self.channel.commands.append(command)
        self.idle = False
        self.channel.wake()
        return True

    def parse_commands(self) -> None:
        """Run the commands that have come, inside whatever runs now (FACTS 3.4)."""
        channel = self.channel
        if self._depth > _MAX_DEPTH:
            return
        self._depth += 1
        try:
            while channel.commands and not channel.locked and channel.up:
                command = channel.commands.popleft()
                self._run_command(command)
                self._tell_private(command)
                if channel.breaking:
                    break
        finally:
            self._depth -= 1

    def parse_one(self) -> None:
        """Run one command: what a park without media does each 20 ms."""
        if self.channel.commands and not self.channel.locked and self.channel.up:
            self._run_command(self.channel.commands.popleft())

    def _run_command(self, command: Command) -> None:
        channel = self.channel
        kind = command.get("call-command").lower()
        locks = is_true(command.get("event-lock"))
        if not kind:
            return
        locked, channel.locked = channel.locked, channel.locked or locks
        try:
            if kind == "execute":
                self._execute_command(command)
            elif kind == "hangup":
                cause = command.get("hangup-cause")
                channel.hangup(HangupCause.parse(cause or "16", HangupCause.NORMAL_CLEARING))
        finally:
            channel.locked = locked

    def _execute_command(self, command: Command) -> None:
        application = command.get("execute-app-name")
        argument = command.get("execute-app-arg")
        if not argument and command.get("content-type").lower() == "text/plain":
            argument = command.body  # FACTS 3.10
        if not application:
            return
        channel = self.channel
        channel.stopping = False
        loops = atoi(command.get("loops")) if command.get("loops") else 1
        turn = 0
        while turn != max(loops, -1) and loops != 0:
            turn += 1
            began = self.clock.now()
            ids = command.get("event-uuid"), command.get("event-uuid-name")
            channel.set("app_uuid", ids[0])
            channel.set("app_uuid_name", ids[1])
            channel.set("current_loop", str(turn))
            channel.set("total_loops", str(loops))
            if not self.execute(application, argument, ids=ids):
                break
            if not channel.ready or channel.stopping or self.clock.now() - began < _LOOP_PAUSE:
                break
        channel.set("current_loop", None)
        channel.set("total_loops", None)
        if channel.stopping:
            channel.breaking = True

    def _tell_private(self, command: Command) -> None:
        """The event about a command that was run, which almost nobody listens for."""
        channel = self.channel
        text = "\n".join([command.line, *(f"{name}: {value}" for name, value in command.headers)]) + "\n\n"
        micros, sequence = self.switch.micros(), self.switch.next_sequence()

        def build() -> list[tuple[str, str]]:
            first = opening("PRIVATE_COMMAND", micros, sequence)
            return [("Command", text), *command.headers, *first, *channel.headers(full=False)]

        channel.publish(Event("PRIVATE_COMMAND", channel.uuid, build))

    # -- the socket application --------------------------------------------------------------

    def park(self, controlled: Callable[[], bool]) -> None:
        """Hold the channel for commands for as long as somebody controls it."""
        channel = self.channel
        expires, cause = self._park_timeout()
        channel.fire("CHANNEL_PARK")
        self.parked = True
        while channel.ready and controlled():
            until = expires
            self.idle = not (channel.digits or channel.commands)
            if not self.idle:
                soon = next_tick(self.clock.now())
                until = soon if until is None else min(until, soon)
            self.wait(until)
            self.idle = False
            if not channel.media:
                self.parse_one()
            self.parse_commands()
            channel.take_digit()
            if expires is not None and self.clock.now() >= expires:
                channel.hangup(cause)
        self.parked = False
        channel.fire("CHANNEL_UNPARK")

    def _park_timeout(self) -> tuple[float | None, HangupCause]:
        setting = self.channel.variables.get("park_timeout", "")
        if not setting:
            return None, HangupCause.NORMAL_CLEARING
        for name in ("park_timeout", "park_after_bridge"):
            self.channel.set(name, None)
        seconds, _, cause = setting.partition(":")
        return (
            self.clock.now() + max(0, atoi(seconds)),
            HangupCause.parse(cause or "16", HangupCause.NORMAL_CLEARING),
        )
