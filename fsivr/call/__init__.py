"""Call: the conversation a handler holds, and what its verbs come to."""

from fsivr.call.answerer import Answerer
from fsivr.call.call import Call, HandOver
from fsivr.call.channel import Channel
from fsivr.call.dialled import Dial, Dialled, DialResult
from fsivr.call.leg import Leg
from fsivr.call.ongoing import OngoingRecording
from fsivr.call.recording import CompletionCause, Recording
from fsivr.call.speech import Speech
from fsivr.call.spool import Spool

__all__ = [
    "Answerer",
    "Call",
    "Channel",
    "CompletionCause",
    "Dial",
    "DialResult",
    "Dialled",
    "HandOver",
    "Leg",
    "OngoingRecording",
    "Recording",
    "Speech",
    "Spool",
]
