"""Recordings: listed, put on hold, released and deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from fsivr.api.access import holder, needs
from fsivr.api.errors import Problem
from fsivr.api.given import given
from fsivr.api.schemas import (
    DeleteArguments,
    HoldArguments,
    RecordingArguments,
    RecordingPageSchema,
    RecordingSchema,
)
from fsivr.api.wire import may_fail, page, path_parameter
from fsivr.store import Role

blueprint = Blueprint("recordings", __name__, url_prefix="/api/v1/recordings", description="Recordings, kept")

_ID = re.compile(r"^[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[0-9a-f]{12}$", re.ASCII)
ID = path_parameter("id", _ID.pattern, "The recording's id.")
_F = TypeVar("_F", bound=Callable[..., Any])
_AS_IT_IS = tuple(
    name
    for name in RecordingSchema._declared_fields
    if name not in ("duration", "mask_spans", "hold", "exported", "arrivals", "links")
)
_WITHOUT_SOUND = ("recording", "failed", "purged")


class Kept(Protocol):
    """What the API asks of an ``Archive``."""

    def hold(self, id: str, reason: str, *, by: str) -> Any:
        """Put a recording on hold."""

    def release(self, id: str, *, by: str) -> Any:
        """Take it off hold."""

    def delete(self, id: str, *, by: str, unexported: bool = False) -> Any:
        """Remove its sound for good."""

    def sidecar(self, id: str) -> Any:
        """What is told of it beside its file."""

    def audio(self, id: str) -> Any:
        """The path of its file."""


@blueprint.route("")
class Recordings(MethodView):
    """All recordings."""

    @needs(Role.READ)
    @blueprint.doc(operationId="listRecordings")
    @blueprint.arguments(RecordingArguments, location="query")
    @may_fail(blueprint, e401="no key, or a wrong one", e429="too many requests")
    @blueprint.response(200, RecordingPageSchema)
    def get(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Recordings, the newest first

        Filters narrow it down together; `next` of a page is `after` of the one that follows it.
        """
        return page(given().store.recordings, arguments, told)


@blueprint.route("/<id>", parameters=[ID])
class OneRecording(MethodView):
    """One recording."""

    @needs(Role.READ)
    @blueprint.doc(operationId="getRecording")
    @may_fail(blueprint, e404="no recording has this id")
    @blueprint.response(200, RecordingSchema)
    def get(self, id: str) -> dict[str, Any]:
        """One recording"""
        return told(row_of(id))

    @needs(Role.ADMIN)
    @blueprint.doc(operationId="deleteRecording")
    @blueprint.arguments(DeleteArguments, location="query")
    @may_fail(
        blueprint,
        e403="the key may not",
        e404="no recording has this id",
        e409="it is on hold, or its export is not proved, or its file is on another machine",
    )
    @blueprint.response(204, description="Its sound is gone; what is told of it stays, with the state `purged`")
    def delete(self, arguments: dict[str, Any], id: str) -> Response:
        """Delete the sound of a recording, for good"""
        row_of(id)
        archive().delete(id, by=holder().name, unexported=arguments["unexported"])
        return Response(status=204)


@blueprint.route("/<id>/hold", parameters=[ID])
class Hold(MethodView):
    """The legal hold of a recording."""

    @needs(Role.OPERATE)
    @blueprint.doc(operationId="holdRecording")
    @blueprint.arguments(HoldArguments)
    @may_fail(
        blueprint,
        e403="the key may not",
        e404="no recording has this id",
        e409="it cannot be held: it is being recorded, or purged, or its file is on another machine",
    )
    @blueprint.response(200, RecordingSchema)
    def put(self, arguments: dict[str, Any], id: str) -> dict[str, Any]:
        """Put a recording on hold

        Until it is released nothing and nobody removes it.
        """
        row_of(id)
        archive().hold(id, _one_line(arguments["reason"]), by=holder().name)
        return told(row_of(id))

    @needs(Role.ADMIN)
    @blueprint.doc(operationId="releaseRecording")
    @may_fail(
        blueprint,
        e403="the key may not",
        e404="no recording has this id",
        e409="it is not on hold, or its file is on another machine",
    )
    @blueprint.response(200, RecordingSchema)
    def delete(self, id: str) -> dict[str, Any]:
        """Release a recording from its hold"""
        row_of(id)
        archive().release(id, by=holder().name)
        return told(row_of(id))


def _one_line(text: str) -> str:
    """The text without what cannot be printed, which is a blank instead."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def row_of(id: str) -> Any:
    """The row of a recording.

    :raises Problem: there is none.
    """
    found = given().store.recording(id) if _ID.fullmatch(id) else None
    if found is None:
        raise Problem(404, "no recording has this id")
    return found


def archive() -> Kept:
    """The files of recordings.

    :raises Problem: the API was started without.
    """
    found: Kept | None = given().archive
    if found is None:
        raise Problem(503, "this API was started without the files of recordings", code="no_archive")
    return found


def told(row: Any) -> dict[str, Any]:
    """What an answer tells of a recording."""
    here = f"/api/v1/recordings/{row.id}"
    known = row.call not in ("", "unknown")
    return {
        **{name: getattr(row, name) for name in _AS_IT_IS},
        "duration": row.seconds,
        "mask_spans": json.loads(row.mask_spans),
        "hold": None if row.held is None else {"reason": row.hold_reason, "by": row.hold_by, "at": row.held},
        "arrivals": json.loads(row.arrivals),
        "exported": None if row.exported is None else {"at": row.exported, "export": row.export},
        "links": {
            "self": here,
            "audio": None if row.state in _WITHOUT_SOUND else f"{here}/audio",
            "call": f"/api/v1/calls/{row.call}" if known else None,
        },
    }
