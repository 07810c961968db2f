"""Where callers meet: conferences, queues, parking places; and how the switch takes a call away and gives it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fsivr.simulator import conferences, parking, queues
from fsivr.simulator.application import Application
from fsivr.simulator.wire import atoi

if TYPE_CHECKING:
    from fsivr.simulator.switch import Switch


def _sched_api(switch: Switch, argument: str) -> str:
    """Run an API command later: ``+seconds group command`` (mod_commands.c, sched_api_function)."""
    when, _, rest = argument.partition(" ")
    group, blank, command = rest.partition(" ")
    if not blank or not when.startswith("+"):
        return "-ERR Invalid syntax. USAGE: [+@]<time> <group_name> <command_string>[&]\n"
    from fsivr.simulator.api import run

    name, _, its_argument = command.partition(" ")
    timer = switch.clock.call_at(switch.clock.now() + atoi(when[1:]), lambda: _run(run, switch, name, its_argument))
    switch.scheduled.setdefault(group, []).append(timer)
    return f"+OK Added: {sum(map(len, switch.scheduled.values()))}\n"


def _run(run: Callable[[Switch, str, str], str], switch: Switch, name: str, argument: str) -> None:
    run(switch, name, argument)


def _sched_del(switch: Switch, argument: str) -> str:
    timers = switch.scheduled.pop(argument, [])
    for timer in timers:
        timer.cancel()
    return f"+OK Deleted: {len(timers)}\n"


APPLICATIONS: dict[str, Application] = {
    **conferences.APPLICATIONS,
    **queues.APPLICATIONS,
    **parking.APPLICATIONS,
}
API: dict[str, Callable[[Switch, str], str]] = {
    **conferences.API,
    **queues.API,
    **parking.API,
    "sched_api": _sched_api,
    "sched_del": _sched_del,
}
