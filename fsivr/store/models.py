"""The rows as peewee models; the tables are made by ``fsivr.store.migrations``, never by these.

A model is bound to no database: each query is bound to the store's own, so that
one process can hold several.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from peewee import BigIntegerField, CompositeKey, DoubleField, IntegerField, Model, TextField

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(at: datetime | float | None) -> int | None:
    """Microseconds since 1970 in UTC of a time with a zone, or of seconds since 1970; None stays None.

    :raises ValueError: a time without a zone.
    """
    if at is None:
        return None
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise ValueError(f"a time has a zone, which {at.isoformat()} lacks")
        return (at - _EPOCH) // _MICROSECOND
    return round(at * 1_000_000)


class UtcField(BigIntegerField):
    """A time: microseconds since 1970 in the table, a ``datetime`` in UTC in Python.

    A whole number sorts the same in every database; peewee's text does not, since
    it leaves out the fraction where that is zero.
    """

    def db_value(self, value: Any) -> Any:
        """The number that is kept."""
        return to_microseconds(value)

    def python_value(self, value: Any) -> Any:
        """The ``datetime`` of the number."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Call(Model):
    """A call, live or ended."""

    id = BigIntegerField(primary_key=True)
    uuid = TextField()
    handler = TextField()
    caller = TextField()
    dialled = TextField()
    context = TextField()
    direction = TextField()
    started = UtcField()
    answered = UtcField(null=True)
    #: None while the call is up.
    ended = UtcField(null=True)
    #: The name of a ``HangupCause``; "" while the call is up, or where its end was not seen.
    hangup_cause = TextField()
    node = TextField()
    worker = TextField()
    #: What the handler failed with; "" for nothing.
    error = TextField()
    #: JSON: a list with an entry for each verb.
    timeline = TextField()

    class Meta:
        """Where it is kept."""

        table_name = "calls"


class Recording(Model):
    """A recording's file, as its sidecar tells it; the files are the truth."""

    id = TextField(primary_key=True)
    call = TextField()
    leg = TextField()
    handler = TextField()
    caller = TextField()
    dialled = TextField()
    path = TextField()
    state = TextField()
    started = UtcField()
    stopped = UtcField(null=True)
    seconds = DoubleField(null=True)
    channels = IntegerField(null=True)
    codec = TextField()
    rate = IntegerField(null=True)
    bytes = BigIntegerField(null=True)
    sha256 = TextField()
    completion = TextField()
    hangup_cause = TextField()
    consent = TextField()
    #: JSON: a list of [from, to] in seconds.
    mask_spans = TextField()
    node = TextField()
    retention = TextField()
    hold_reason = TextField(null=True)
    hold_by = TextField(null=True)
    #: When the hold was put on it; None where it is not on hold.
    held = UtcField(null=True)
    verified = UtcField(null=True)
    exported = UtcField(null=True)
    #: The id of the export that took it.
    export = TextField(null=True)
    #: JSON: an object with an entry for each target that it is proved to be at.
    arrivals = TextField()

    class Meta:
        """Where it is kept."""

        table_name = "recordings"


class Export(Model):
    """One run of the export."""

    id = TextField(primary_key=True)
    started = UtcField()
    ended = UtcField(null=True)
    state = TextField()
    target = TextField()
    recordings = IntegerField()
    bytes = BigIntegerField()
    failed = IntegerField()
    error = TextField()
    node = TextField()
    #: JSON: an object, the whole report; empty until there is one.
    report = TextField()

    class Meta:
        """Where it is kept."""

        table_name = "exports"


class Worker(Model):
    """A process that takes calls, as it told of itself last."""

    #: Its node and its name.
    id = TextField(primary_key=True)
    node = TextField()
    worker = TextField()
    pid = IntegerField()
    version = TextField()
    listen = TextField()
    started = UtcField()
    seen = UtcField()
    #: None while it runs; a worker that was killed does not tell.
    ended = UtcField(null=True)
    ports_in_use = IntegerField()
    capacity = IntegerField()
    peak = IntegerField()
    #: Calls that handlers took, since it started.
    calls = BigIntegerField()
    refused = BigIntegerField()
    abandoned = BigIntegerField()
    #: Whether it takes no more calls: 0 or 1.
    draining = IntegerField()
    rows_waiting = BigIntegerField()
    rows_dropped = BigIntegerField()
    #: JSON: an object; see ``fsivr.server.counts``.
    counters = TextField()

    class Meta:
        """Where it is kept."""

        table_name = "workers"


class Claim(Model):
    """Which run is bringing a recording to a target, and until when nobody else may."""

    recording = TextField()
    target = TextField()
    node = TextField()
    run = TextField()
    until = UtcField()

    class Meta:
        """Where it is kept."""

        table_name = "claims"
        primary_key = CompositeKey("recording", "target")


class ApiKey(Model):
    """A key to the API; of its secret only a hash is kept."""

    id = TextField(primary_key=True)
    name = TextField()
    role = TextField()
    hash = TextField()
    created = UtcField()
    created_by = TextField()
    revoked = UtcField(null=True)

    class Meta:
        """Where it is kept."""

        table_name = "api_keys"


class Audit(Model):
    """Who did what to what, and when."""

    id = TextField(primary_key=True)
    at = UtcField()
    who = TextField()
    action = TextField()
    subject = TextField()
    #: JSON: an object.
    detail = TextField()

    class Meta:
        """Where it is kept."""

        table_name = "audit"
