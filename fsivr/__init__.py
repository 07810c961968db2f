"""Telephone applications on FreeSWITCH: a call is a class, and a test needs no switch."""

from fsivr.call import Call, Channel, Leg
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
    SpeechError,
)
from fsivr.handler import Handler
from fsivr.prompts import File, Say, Silence, Speak, Tone, Uninterrupted

__all__ = [
    "AuthenticationError",
    "Call",
    "Channel",
    "CommandRefused",
    "ConfigError",
    "ConnectionLost",
    "DeadlineExceeded",
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
    "ModuleMissing",
    "NoInput",
    "NoMatch",
    "PromptError",
    "RecordingError",
    "RemoteProtocolError",
    "ReplyTimeout",
    "Say",
    "Silence",
    "Speak",
    "SpeechError",
    "Tone",
    "Uninterrupted",
]
