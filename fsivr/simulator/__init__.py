"""A switch with no telephones: FreeSWITCH's side of the event socket, a caller, and a clock."""

from fsivr.simulator.caller import Caller
from fsivr.simulator.clock import RealClock, VirtualClock
from fsivr.simulator.phone import Phone
from fsivr.simulator.story import CallFailed, Moment, Unheard
from fsivr.simulator.switch import Switch

__all__ = ["CallFailed", "Caller", "Moment", "Phone", "RealClock", "Switch", "Unheard", "VirtualClock"]
