"""What the API's calls, recordings and exports look like."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from fsivr.api.wire import Matching, Moment, PageArguments, about, after_field, next_field, text, truth
from fsivr.causes import HangupCause

CALL_STATES = ("live", "ended")
RECORDING_STATES = ("recording", "sealed", "degraded", "failed", "exported", "purged")
EXPORT_STATES = ("running", "done", "partial", "failed", "interrupted")
#: The causes that a call can be hung up with, or have ended with.
CAUSES = tuple(cause.name for cause in HangupCause if cause is not HangupCause.NONE)

_UUID = "2b1f6a52-4d1c-4a0e-9c57-0d9a3c6f1e10"
_RECORDING = "20261124T135551.123Z-0123456789ab"


class _Told(Schema):
    """Keeps its fields in the order they are written in."""


def _string(description: str, example: str | None = None, **told: Any) -> fields.String:
    return fields.String(required=True, metadata=about(description, example), **told)


def _moment(description: str, **told: Any) -> Moment:
    return Moment(required=True, metadata=about(description, "2026-11-24T13:55:51.123456Z"), **told)


def _number(description: str, **told: Any) -> fields.Integer:
    return fields.Integer(required=True, metadata=about(description), **told)


# -- calls ----------------------------------------------------------------------------------


class CallSchema(_Told):
    """A call."""

    uuid = _string("The switch's id of the call.", _UUID)
    state = _string("Whether it is up, or rings, or is over.", "ended", validate=validate.OneOf(CALL_STATES))
    handler = _string("The class that has it, or had it last.", "apps.balance.Balance")
    caller = _string("The caller's number, as it was given.", "4930123456")
    dialled = _string("The number that was dialled; of a placed call that rings, the endpoint.", "4100")
    context = _string("The dialplan's context.", "public")
    direction = _string("Which way it goes, as the switch says it: `inbound` or `outbound`.", "inbound")
    started = _moment("When its handler took it, or when it was placed.")
    answered = _moment("When it was answered; null while that is not known.", allow_none=True)
    ended = _moment("When it ended; null while it has not.", allow_none=True)
    hangup_cause = _string("Why it ended; empty while it has not, or where nobody saw it.", "NORMAL_CLEARING")
    node = _string("The machine that has it.", "ivr-1")
    worker = _string("The server on that machine, by where it listens.", "127.0.0.1:8084")
    error = _string("What its handler failed with, or why it could not be placed; empty for nothing.", "")


class CallDetailSchema(CallSchema):
    """A call with what happened in it."""

    timeline = fields.List(
        fields.Raw(), required=True, metadata=about("What happened, in order, once it is over; digits are masked.")
    )


class CallPageSchema(Schema):
    """A page of calls, the newest first."""

    items = fields.List(fields.Nested(CallSchema), required=True, metadata=about("The calls."))
    next = next_field()


class CallArguments(PageArguments):
    """Which calls are asked for."""

    after = after_field("[0-9]{1,18}", "1764000000000000.17")
    state = fields.String(validate=validate.OneOf(CALL_STATES), metadata=about("Live, or ended.", "live"))
    caller = text(1024, "The caller's whole number.", "4930123456")
    dialled = text(1024, "The whole number that was dialled.", "4100")
    handler = text(1024, "The whole name of the handler.", "apps.balance.Balance")
    cause = fields.String(validate=validate.OneOf(CAUSES), metadata=about("Why it ended.", "NORMAL_CLEARING"))


class HangupArguments(Schema):
    """How a call is hung up."""

    cause = fields.String(
        load_default="NORMAL_CLEARING",
        validate=validate.OneOf(CAUSES),
        metadata=about("The cause that both sides are told.", "NORMAL_CLEARING"),
    )


# -- recordings -----------------------------------------------------------------------------


class HoldSchema(_Told):
    """A legal hold."""

    reason = _string("Why it may not be removed.", "complaint 4711")
    by = _string("Who put it on hold.", "legal department")
    at = _moment("When.")


class ProofSchema(_Told):
    """A proved export."""

    at = _moment("When it was proved.")
    export = _string("The run that brought it.", allow_none=True)


class ArrivalSchema(Schema):
    """A proved arrival at a target."""

    at = fields.String(required=True, metadata=about("When it was proved.", "2026-11-24T02:00:00.000000Z"))
    key = fields.String(required=True, metadata=about("What it is called there.", "2026/11/24/x.wav"))
    export = fields.String(required=True, metadata=about("The run that brought it."))


class LinksSchema(_Told):
    """Where to go on."""

    self = _string("This recording.", f"/api/v1/recordings/{_RECORDING}")
    audio = _string("Its sound; null where there is none.", allow_none=True)
    call = _string("Its call; null where nobody knows which.", allow_none=True)


class RecordingSchema(_Told):
    """A recording, as its sidecar tells it."""

    id = _string("Its id, of its time in UTC and chance.", _RECORDING)
    call = _string("The uuid of its call.", _UUID)
    leg = _string("Which leg was recorded.", _UUID)
    handler = _string("The handler that had the call.", "apps.voicemail.Voicemail")
    caller = _string("The caller's number, as it was given.", "4930123456")
    dialled = _string("The number that was dialled.", "4100")
    state = _string("What has become of it.", "sealed", validate=validate.OneOf(RECORDING_STATES))
    started = _moment("When it began.")
    stopped = _moment("When it ended; null while it has not.", allow_none=True)
    duration = fields.Float(required=True, allow_none=True, metadata=about("Seconds of sound.", 60.0))
    channels = _number("1 for both sides mixed, 2 for one side each.", allow_none=True)
    codec = _string("How the sound is coded: L16 is 16 bit linear.", "L16")
    rate = _number("Samples a second.", allow_none=True)
    bytes = _number("The size of its file.", allow_none=True)
    sha256 = _string("The SHA-256 of its file, in hexadecimal digits; empty while it is recorded.")
    completion = _string("What ended it.", "hangup")
    hangup_cause = _string("Why the call ended; empty where it went on.", "NORMAL_CLEARING")
    consent = _string("When the caller consented, in ISO 8601; empty where nobody asked.")
    mask_spans = fields.List(
        fields.List(fields.Float(allow_none=True)),
        required=True,
        metadata=about("What was masked: from and to in seconds; null for an end that is not known.", [[1.5, 4.0]]),
    )
    node = _string("The machine that has the file.", "ivr-1")
    retention = _string("The class that says how long it is kept.", "default")
    hold = fields.Nested(HoldSchema, required=True, allow_none=True, metadata=about("Its hold; null without one."))
    verified = _moment("When its file was last proved to be whole; null for never.", allow_none=True)
    exported = fields.Nested(
        ProofSchema, required=True, allow_none=True, metadata=about("The proof of its export; null without one.")
    )
    arrivals = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(ArrivalSchema),
        required=True,
        metadata=about("The targets at which it was proved to be, by their names.", {}),
    )
    links = fields.Nested(LinksSchema, required=True, metadata=about("Where to go on."))


class RecordingPageSchema(Schema):
    """A page of recordings, the newest first."""

    items = fields.List(fields.Nested(RecordingSchema), required=True, metadata=about("The recordings."))
    next = next_field()


class RecordingArguments(PageArguments):
    """Which recordings are asked for."""

    after = after_field("[A-Za-z0-9_.:-]{1,200}", f"1764000000000000.{_RECORDING}")
    state = fields.String(validate=validate.OneOf(RECORDING_STATES), metadata=about("What became of it.", "sealed"))
    call = text(1024, "The uuid of its call.", _UUID)
    handler = text(1024, "The whole name of the handler.", "apps.voicemail.Voicemail")
    held = truth(metadata=about("Whether it is on hold.", False))


class HoldArguments(Schema):
    """Why a recording is put on hold."""

    reason = fields.String(
        required=True,
        validate=[
            validate.Length(1, 500),
            Matching(
                r"^[^\x00]*[0-9A-Za-z\u00c0-\u02af\u0400-\u045f\u4e00-\u9fa5][^\x00]*$",
                error="a hold has a reason, in letters or digits",
            ),
        ],
        metadata=about("Why it may not be removed.", "complaint 4711"),
    )


class DeleteArguments(Schema):
    """Which recording may be deleted."""

    unexported = truth(
        load_default=False, metadata=about("Whether also one may be deleted whose export is not proved.", False)
    )


# -- exports --------------------------------------------------------------------------------


class ExportSchema(_Told):
    """A run of the export to one target."""

    id = _string("Its id.", "20261124T013000Z-0a1b2c3d")
    state = _string("How far it is.", "done", validate=validate.OneOf(EXPORT_STATES))
    target = _string("Where recordings were brought.", "archive")
    started = _moment("When it began.")
    ended = _moment("When it ended; null while it goes on.", allow_none=True)
    recordings = _number("How many arrivals were proved.")
    bytes = _number("Their bytes.")
    failed = _number("How many could not be brought.")
    error = _string("What it failed with; empty for nothing.", "")
    node = _string("The machine it ran on.", "ivr-1")
    report = fields.Dict(
        keys=fields.String(), required=True, allow_none=True, metadata=about("The whole report; null until it ended.")
    )


class ExportPageSchema(Schema):
    """A page of runs, the newest first."""

    items = fields.List(fields.Nested(ExportSchema), required=True, metadata=about("The runs."))
    next = next_field()


class ExportArguments(PageArguments):
    """Which runs are asked for."""

    after = after_field("[A-Za-z0-9_.:-]{1,200}", "1764000000000000.20261124T013000Z-0a1b2c3d")
    state = fields.String(validate=validate.OneOf(EXPORT_STATES), metadata=about("How far it is.", "done"))


class BegunSchema(_Told):
    """The runs that were begun."""

    exports = fields.List(
        fields.String(), required=True, metadata=about("The ids of the runs, one a target.", ["20261124T013000Z-0a1b"])
    )
