"""Call: the conversation a handler holds, and what its verbs come to."""

from fsivr.call.answerer import Answerer
from fsivr.call.call import Call, HandOver
from fsivr.call.channel import Channel
from fsivr.call.conference import Conference, ConferenceStay, Member
from fsivr.call.dialled import Dial, Dialled, DialResult
from fsivr.call.keeping import Circumstances, Keeper, forsake
from fsivr.call.leg import Leg
from fsivr.call.ongoing import OngoingRecording
from fsivr.call.recording import CompletionCause, Recording
from fsivr.call.speech import Speech
from fsivr.call.spool import Spool
from fsivr.call.waiting import Parked, Queue, QueueStay, WhyLeft

__all__ = [
    "Answerer",
    "Call",
    "Channel",
    "Circumstances",
    "CompletionCause",
    "Conference",
    "ConferenceStay",
    "Dial",
    "DialResult",
    "Dialled",
    "HandOver",
    "Keeper",
    "Leg",
    "Member",
    "OngoingRecording",
    "Parked",
    "Queue",
    "QueueStay",
    "Recording",
    "Speech",
    "Spool",
    "WhyLeft",
    "forsake",
]
