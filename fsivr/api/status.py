"""The status: everything at a glance."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from fsivr.api.access import needs
from fsivr.api.given import given
from fsivr.api.overview import ON_DISK, WAITING, Overview, capacity
from fsivr.store import Export, Role, Worker

blueprint = Blueprint("status", __name__, url_prefix="/api/v1", description="Everything at a glance")


def _said(text: str) -> dict[str, Any]:
    return {"required": True, "metadata": {"description": text}}


def _or_null(text: str) -> dict[str, Any]:
    return {**_said(text), "allow_none": True}


class WorkerSchema(Schema):
    """A process that takes calls."""

    node = fields.String(**_said("The machine it runs on."))
    worker = fields.String(**_said("Its name, which its calls have: where it listens, and its number and process."))
    listen = fields.String(**_said("Where the switch connects to it; workers of one address share its ports."))
    pid = fields.Integer(**_said("Its process."))
    version = fields.String(**_said("Its fsivr."))
    uptime = fields.Float(**_said("Seconds since it began."))
    seen = fields.DateTime(**_said("When it told of itself last."))
    ports_in_use = fields.Integer(**_said("Calls it holds now."))
    capacity = fields.Integer(**_said("How many it and the others of its address may hold together."))
    peak = fields.Integer(**_said("The most it held at once."))
    calls = fields.Integer(**_said("Calls that handlers took since it began."))
    refused = fields.Integer(**_said("Calls it refused, as every port was in use or it was draining."))
    abandoned = fields.Integer(**_said("Handlers that would not leave a finished call."))
    draining = fields.Boolean(**_said("Whether it takes no more calls."))
    rows_waiting = fields.Integer(**_said("Rows that wait for the database."))
    rows_dropped = fields.Integer(**_said("Rows that were lost, as the database was gone for long."))


class SwitchSchema(Schema):
    """The switch, as it was in the last seconds."""

    reachable = fields.Boolean(**_said("Whether it answers on its event socket."))
    version = fields.String(**_or_null("Its version."))
    sessions = fields.Integer(**_or_null("Its sessions now; a call has one for each leg."))
    peak = fields.Integer(**_or_null("The most sessions it had at once."))
    most = fields.Integer(**_or_null("How many sessions it would hold."))
    error = fields.String(**_said("Why it cannot be reached; empty where it can."))


class RecordingsSchema(Schema):
    """The recordings of all nodes."""

    count = fields.Integer(**_said("How many have their sound on a disk."))
    bytes = fields.Integer(**_said("The bytes of those."))
    by_state = fields.Dict(keys=fields.String(), values=fields.Integer(), **_said("How many each state has."))
    waiting_for_export = fields.Integer(**_said("How many an export will take."))
    bytes_waiting_for_export = fields.Integer(**_said("The bytes of those."))
    oldest_waiting = fields.DateTime(**_or_null("When the oldest of those began."))


class DiskSchema(Schema):
    """The file system of this node's recordings."""

    free = fields.Integer(**_or_null("Bytes that are free."))
    total = fields.Integer(**_or_null("Bytes that it has."))
    days_left = fields.Float(
        **_or_null("Days until it is full, with as much recorded as in the last week, and nothing removed.")
    )


class LastExportSchema(Schema):
    """The latest run of the export."""

    id = fields.String(**_said("Its id."))
    state = fields.String(**_said("`running`, `done` or `failed`."))
    started = fields.DateTime(**_said("When it began."))
    ended = fields.DateTime(**_or_null("When it ended."))
    target = fields.String(**_said("Where to."))
    recordings = fields.Integer(**_said("How many it brought there."))
    bytes = fields.Integer(**_said("The bytes of those."))
    failed = fields.Integer(**_said("How many it could not bring there."))


class StatusSchema(Schema):
    """The system at a glance, of all nodes that share the database."""

    version = fields.String(**_said("The API's fsivr."))
    node = fields.String(**_said("The machine that answers."))
    time = fields.DateTime(**_said("When this was so."))
    uptime = fields.Float(**_said("Seconds since the API began."))
    draining = fields.Boolean(**_said("Whether every worker lets its last calls finish."))
    ports_in_use = fields.Integer(**_said("Calls of all workers."))
    capacity = fields.Integer(**_said("How many calls all workers may hold."))
    peak = fields.Integer(**_said("The most calls at once, added up over the workers."))
    workers = fields.List(fields.Nested(WorkerSchema), **_said("The processes that take calls."))
    switch = fields.Nested(SwitchSchema, required=True)
    recordings = fields.Nested(RecordingsSchema, required=True)
    disk = fields.Nested(DiskSchema, required=True)
    last_export = fields.Nested(LastExportSchema, allow_none=True, required=True)


@blueprint.route("/status")
@needs(Role.READ)
@blueprint.response(200, StatusSchema)
def status() -> dict[str, Any]:
    """Everything at a glance."""
    what = given()
    seen, now = what.observer.look(), what.clock()
    return {
        "version": metadata.version("fsivr"),
        "node": what.settings.node_name,
        "time": datetime.fromtimestamp(now, UTC),
        "uptime": round(now - what.started, 3),
        "draining": seen.draining,
        "ports_in_use": sum(worker.ports_in_use for worker in seen.workers),
        "capacity": sum(capacity(seen.workers).values()),
        "peak": sum(worker.peak for worker in seen.workers),
        "workers": [_worker(worker, now) for worker in seen.workers],
        "switch": seen.switch._asdict(),
        "recordings": _recordings(seen),
        "disk": seen.disk._asdict(),
        "last_export": None if seen.last_export is None else _export(seen.last_export),
    }


def _worker(worker: Worker, now: float) -> dict[str, Any]:
    told = {name: getattr(worker, name) for name in WorkerSchema._declared_fields if name != "uptime"}
    uptime = (datetime.fromtimestamp(now, UTC) - worker.started).total_seconds()
    return {**told, "uptime": round(max(0.0, uptime), 3), "draining": bool(worker.draining)}


def _recordings(seen: Overview) -> dict[str, Any]:
    count, size = seen.recorded(ON_DISK)
    waiting, waiting_size = seen.recorded(WAITING)
    return {
        "count": count,
        "bytes": size,
        "by_state": {state: many for state, (many, _) in seen.recordings.items()},
        "waiting_for_export": waiting,
        "bytes_waiting_for_export": waiting_size,
        "oldest_waiting": seen.waiting_since,
    }


def _export(export: Export) -> dict[str, Any]:
    return {name: getattr(export, name) for name in LastExportSchema._declared_fields}
