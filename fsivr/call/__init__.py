"""Call: the conversation a handler holds, and what its verbs come to."""

from fsivr.call.call import Call, HandOver
from fsivr.call.channel import Channel
from fsivr.call.dialled import Dial, Dialled, DialResult
from fsivr.call.leg import Leg

__all__ = ["Call", "Channel", "Dial", "DialResult", "Dialled", "HandOver", "Leg"]
