"""The sound of recordings: the whole file or a part of it, and an audit of everyone who listens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from flask import Response, request

from fsivr.api.access import holder, needs
from fsivr.api.errors import Problem
from fsivr.api.given import given
from fsivr.api.ranges import Part, part_of
from fsivr.api.recordings import ID, archive, blueprint, row_of
from fsivr.api.wire import may_fail
from fsivr.store import Role, audited

__all__ = ["blueprint", "listen"]

_CHUNK = 65_536
_WHY_NOT = {
    "recording": (409, "it is being recorded", "being_recorded"),
    "failed": (404, "it failed: there is no sound of it", "no_sound"),
    "purged": (410, "its sound was removed", "purged"),
}
_SOUND = {"type": "string", "format": "binary"}
_HEADERS = {
    "Accept-Ranges": {"schema": {"type": "string"}, "description": "`bytes`"},
    "ETag": {"schema": {"type": "string"}, "description": "The SHA-256 of the file, quoted."},
    "Content-Disposition": {"schema": {"type": "string"}, "description": "The file's name, of the id alone."},
}
_RANGE_HEADERS = {"Content-Range": {"schema": {"type": "string"}, "description": "`bytes FIRST-LAST/SIZE`"}}
_ASKED = [
    {"name": name, "in": "header", "required": False, "description": description, "schema": {"type": "string"}}
    for name, description in (
        ("Range", "One range of bytes, as `bytes=0-999`; anything else is answered with the whole file."),
        ("If-Range", "The ETag that the range is of; with another one the whole file is answered."),
        ("If-None-Match", "An ETag that needs no answer."),
    )
]


@blueprint.route("/<id>/audio", parameters=[ID])
@needs(Role.READ)
@blueprint.doc(operationId="listenToRecording", parameters=_ASKED)
@may_fail(
    blueprint,
    e404="no recording has this id, or it failed and has no sound",
    e409="it is being recorded, or its file is on another machine, which is named",
    e410="its sound was removed",
    e416="the range has nothing of the file",
)
@blueprint.alt_response(304, description="It is the one that `If-None-Match` names")
@blueprint.alt_response(
    206, schema=_SOUND, content_type="audio/wav", headers=_HEADERS | _RANGE_HEADERS, description="The part asked for"
)
@blueprint.response(200, _SOUND, content_type="audio/wav", headers=_HEADERS)
def listen(id: str) -> Response:
    """The sound of a recording, as a WAV file

    Who listens is audited, with the range of bytes, once for each request.
    """
    row = row_of(id)
    if row.state in _WHY_NOT:
        status, why, code = _WHY_NOT[row.state]
        raise Problem(status, why, code=code)
    path = archive().audio(id)
    etag = f'"{row.sha256}"' if row.sha256 else ""
    if etag and request.if_none_match.contains(row.sha256):
        return Response(status=304, headers={"ETag": etag}, mimetype="audio/wav")
    try:
        file = open(path, "rb", opener=_no_link)  # noqa: SIM115  the answer closes it
    except FileNotFoundError:  # removed just now
        raise Problem(410, "its sound was removed", code="purged") from None
    try:
        return _answer(id, file, etag)
    except BaseException:
        file.close()
        raise


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _answer(id: str, file: BinaryIO, etag: str) -> Response:
    size = os.fstat(file.fileno()).st_size
    condition = request.headers.get("If-Range")
    asked = request.headers.get("Range") if condition is None or (etag and condition == etag) else None
    part = part_of(asked, size)
    sent = part or Part(0, size)
    response = Response(status=206 if part else 200, mimetype="audio/wav")
    if request.method == "HEAD":  # it hears nothing
        file.close()
    else:
        who = holder()
        heard = sent.said(size) if size else "none"
        given().store.write([audited(who.name, "recording.listen", id, key=who.id, range=heard)])
        response.response = _chunks(file, sent)
        response.call_on_close(file.close)
    response.content_length = sent.length
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Content-Disposition"] = f'attachment; filename="{id}.wav"'
    if etag:
        response.headers["ETag"] = etag
    if part:
        response.headers["Content-Range"] = part.said(size)
    return response


def _chunks(file: BinaryIO, part: Part) -> Iterator[bytes]:
    with file:
        file.seek(part.first)
        left = part.length
        while left > 0:
            data = file.read(min(_CHUNK, left))
            if not data:
                raise OSError(f"the file of a recording became shorter while it was sent: {left} bytes are missing")
            left -= len(data)
            yield data
