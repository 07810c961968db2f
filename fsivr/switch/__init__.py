"""The real switch over its own event socket: calls that are placed, one by one or many."""

from fsivr.switch.switch import Switch

__all__ = ["Switch"]
