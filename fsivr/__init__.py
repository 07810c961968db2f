"""Telephone applications on FreeSWITCH: a call is a class, and a test needs no switch."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsivr.call import (
        Answerer,
        Call,
        Channel,
        CompletionCause,
        Conference,
        ConferenceStay,
        Dial,
        Dialled,
        DialResult,
        Leg,
        Member,
        OngoingRecording,
        Parked,
        Queue,
        QueueStay,
        Recording,
        Speech,
        WhyLeft,
    )
    from fsivr.causes import HangupCause
    from fsivr.dialplan import Dialplan, Extension
    from fsivr.errors import (
        AuthenticationError,
        CommandRefused,
        ConfigError,
        ConnectionLost,
        DeadlineExceeded,
        ESLError,
        FsivrError,
        Hangup,
        InputError,
        LocalProtocolError,
        ModuleMissing,
        NoInput,
        NoMatch,
        PromptError,
        RecordingError,
        RemoteProtocolError,
        ReplyTimeout,
        ServerStopping,
        SpeechError,
    )
    from fsivr.handler import Handler
    from fsivr.prompts import File, Say, Silence, Speak, Tone, Uninterrupted
    from fsivr.switch import Switch

__all__ = [
    "Answerer",
    "AuthenticationError",
    "Call",
    "Channel",
    "CommandRefused",
    "CompletionCause",
    "Conference",
    "ConferenceStay",
    "ConfigError",
    "ConnectionLost",
    "DeadlineExceeded",
    "Dial",
    "DialResult",
    "Dialled",
    "Dialplan",
    "ESLError",
    "Extension",
    "File",
    "FsivrError",
    "Handler",
    "Hangup",
    "HangupCause",
    "InputError",
    "Leg",
    "LocalProtocolError",
    "Member",
    "ModuleMissing",
    "NoInput",
    "NoMatch",
    "OngoingRecording",
    "Parked",
    "PromptError",
    "Queue",
    "QueueStay",
    "Recording",
    "RecordingError",
    "RemoteProtocolError",
    "ReplyTimeout",
    "Say",
    "ServerStopping",
    "Silence",
    "Speak",
    "Speech",
    "SpeechError",
    "Switch",
    "Tone",
    "Uninterrupted",
    "WhyLeft",
]

_PLACES = ("errors", "causes", "prompts", "handler", "dialplan", "call", "switch")


def __getattr__(name: str) -> object:
    """A public name, imported when it is first asked for: a process that has no calls needs none of this."""
    if name in __all__:
        for place in _PLACES:
            found = getattr(import_module(f"fsivr.{place}"), name, None)
            if found is not None:
                globals()[name] = found
                return found
    raise AttributeError(f"module 'fsivr' has no attribute {name!r}")
