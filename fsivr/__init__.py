"""Telephone applications on FreeSWITCH: a call is a class, and a test needs no switch."""

from fsivr.call import Call
from fsivr.causes import HangupCause
from fsivr.channel import Channel
from fsivr.dialplan import Dialplan, Extension
from fsivr.errors import (
    AuthenticationError,
    CommandRefused,
    ConfigError,
    ConnectionLost,
    ESLError,
    FsivrError,
    Hangup,
    InputError,
    LocalProtocolError,
    NoInput,
    NoMatch,
    PromptError,
    RemoteProtocolError,
    ReplyTimeout,
)
from fsivr.handler import Handler
from fsivr.leg import Leg
from fsivr.prompts import File, Say, Silence, Speak, Tone

__all__ = [
    "AuthenticationError",
    "Call",
    "Channel",
    "CommandRefused",
    "ConfigError",
    "ConnectionLost",
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
    "NoInput",
    "NoMatch",
    "PromptError",
    "RemoteProtocolError",
    "ReplyTimeout",
    "Say",
    "Silence",
    "Speak",
    "Tone",
]
