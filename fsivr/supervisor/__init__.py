"""Keeps up the processes that take calls: their sockets, their ports, their deaths, their reload and their end."""

from fsivr.supervisor.channel import Channel
from fsivr.supervisor.notifying import VARIABLES, Notifier
from fsivr.supervisor.supervisor import FIXED, Supervisor
from fsivr.supervisor.worker import name_of

__all__ = ["FIXED", "VARIABLES", "Channel", "Notifier", "Supervisor", "name_of"]
