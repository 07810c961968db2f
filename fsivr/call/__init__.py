"""Call: the conversation a handler holds, and what its verbs come to."""

from fsivr.call.answerer import Answerer
from fsivr.call.call import Call, HandOver
from fsivr.call.channel import Channel
from fsivr.call.leg import Leg
from fsivr.call.speech import Speech

__all__ = ["Answerer", "Call", "Channel", "HandOver", "Leg", "Speech"]
