"""Call: the conversation a handler holds, and what its verbs come to."""

from fsivr.call.call import Call, HandOver
from fsivr.call.channel import Channel
from fsivr.call.conference import Conference, ConferenceStay, Member
from fsivr.call.leg import Leg
from fsivr.call.waiting import Parked, Queue, QueueStay, WhyLeft

__all__ = [
    "Call",
    "Channel",
    "Conference",
    "ConferenceStay",
    "HandOver",
    "Leg",
    "Member",
    "Parked",
    "Queue",
    "QueueStay",
    "WhyLeft",
]
