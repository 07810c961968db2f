"""Every error of fsivr, and how an uncaught one ends the call.

::

    Hangup                       the call is over (a BaseException); .cause
    FsivrError                   .hangup_cause says how an uncaught one ends the call
      InputError                 the caller keyed nothing usable: NoInput, NoMatch
      PromptError                the switch could not play it
      RecordingError             it could not be recorded
      SpeechError                speech could not be recognised
      ModuleMissing              the switch lacks what a verb needs
      ServerStopping             the server ends, and places no more calls
      DeadlineExceeded           it took longer than ``call.deadline`` allows
      ESLError                   ConnectionLost, CommandRefused, ReplyTimeout,
                                 LocalProtocolError, RemoteProtocolError, AuthenticationError
      StoreError                 what is kept cannot be read: the message says why
      ArchiveError               UnknownRecording, RecordingKept, RecordingElsewhere
      ExportError                TransientError: try again; PermanentError: it needs somebody
        NotArrived               what was read back is not what was sent
        FileRefused              this one file cannot be brought; others can
        AlreadyExporting         another process of this machine brings to the same target
      ConfigError                which setting, what was given, what is allowed
"""

from __future__ import annotations

from typing import ClassVar

from fsivr.causes import HangupCause


class Hangup(BaseException):
    """The call is over: the caller left, the switch ended it, or its connection is gone.

    It is a ``BaseException`` so that a handler's ``except Exception`` cannot
    keep a finished call alive. Handlers have no need to catch it.
    """

    def __init__(self, cause: HangupCause, error: ESLError | None = None) -> None:
        super().__init__(cause.name if error is None else f"{cause.name} ({error})")
        #: Why the call ended.
        self.cause = cause
        #: What broke, where it was the connection and not a hangup; else None.
        self.error = error


class FsivrError(Exception):
    """The root of everything fsivr raises on purpose."""

    #: The cause an uncaught error of this class ends the call with.
    hangup_cause: ClassVar[HangupCause] = HangupCause.NORMAL_TEMPORARY_FAILURE


class InputError(FsivrError):
    """The caller gave no usable answer, after every try.

    :param digits: what was keyed last; ``""`` for nothing.
    """

    hangup_cause = HangupCause.NORMAL_CLEARING

    def __init__(self, message: str, digits: str = "") -> None:
        super().__init__(message)
        self.digits = digits


class NoInput(InputError):
    """The caller pressed nothing."""


class NoMatch(InputError):
    """The caller pressed something else than what was asked for."""


class PromptError(FsivrError):
    """The switch could not play a prompt; the message names it and what the switch said."""


class RecordingError(FsivrError):
    """It could not be recorded; the message names the file and the reason."""


class SpeechError(FsivrError):
    """Speech could not be recognised: the engine failed, or its answer cannot be read."""


class ModuleMissing(FsivrError):
    """The switch has not loaded the module that a verb needs; the message names both."""

    hangup_cause = HangupCause.SERVICE_NOT_IMPLEMENTED


class ServerStopping(FsivrError):
    """The server ends, and could not take the call that was to be placed."""


class DeadlineExceeded(FsivrError):
    """A ``with call.deadline(…)`` block was not done in time."""

    hangup_cause = HangupCause.ALLOTTED_TIMEOUT


class ESLError(FsivrError):
    """Something went wrong on the event socket."""


class ConnectionLost(ESLError):
    """The connection to the switch ended without a goodbye."""

    hangup_cause = HangupCause.NETWORK_OUT_OF_ORDER


class CommandRefused(ESLError):
    """The switch answered ``-ERR``; the message holds the command's name and the answer."""


class ReplyTimeout(ESLError):
    """The switch did not answer in time."""

    hangup_cause = HangupCause.RECOVERY_ON_TIMER_EXPIRE


class LocalProtocolError(ESLError):
    """We were asked to send what the protocol cannot carry: a line break in a header, a NUL."""


class RemoteProtocolError(ESLError):
    """The other side sent bytes that are not the event socket protocol, or too many of them."""

    hangup_cause = HangupCause.PROTOCOL_ERROR


class AuthenticationError(ESLError):
    """The switch refused us: a wrong password, or an address its access list does not hold."""


class StoreError(FsivrError):
    """What is kept cannot be read: there is no database yet, it cannot be reached, or it has no such row."""


class ArchiveError(FsivrError):
    """What was asked of a recording that is kept cannot be done."""


class UnknownRecording(ArchiveError):
    """There is no recording of that id."""


class RecordingKept(ArchiveError):
    """It may not be removed: it is on hold, or its export is not proved; the message says which."""


class RecordingElsewhere(ArchiveError):
    """Its file is not on this machine; the message names the node that has it."""


class ExportError(FsivrError):
    """A recording could not be brought to a target; the class says whether to try again."""


class TransientError(ExportError):
    """It may go right later: the network, a busy server."""


class PermanentError(ExportError):
    """It goes wrong until somebody mends it; the message says what to mend."""


class FileRefused(PermanentError):
    """This one file cannot be brought, whatever is tried: it changed, or cannot be read; others can."""


class AlreadyExporting(ExportError):
    """Another process of this machine brings recordings to the same target; the message says which."""


class NotArrived(TransientError):
    """The target said that all went well, and what was read back is something else."""


class ConfigError(FsivrError):
    """A setting is wrong: the message says which, what was given and what is allowed."""
