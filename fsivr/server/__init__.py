"""Takes calls: listener, admission, and the conversation from the first byte to the last."""

from fsivr.server.listener import Server
from fsivr.server.ports import SharedPorts

__all__ = ["Server", "SharedPorts"]
