"""Call: the conversation a handler holds, and what its verbs come to."""

from fsivr.call.call import Call, HandOver
from fsivr.call.channel import Channel
from fsivr.call.leg import Leg
from fsivr.call.ongoing import OngoingRecording
from fsivr.call.recording import CompletionCause, Recording
from fsivr.call.spool import Spool

__all__ = ["Call", "Channel", "CompletionCause", "HandOver", "Leg", "OngoingRecording", "Recording", "Spool"]
