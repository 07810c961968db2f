"""Whether the API lives, and whether calls are taken; for those who watch, without a key."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from fsivr.api.access import public
from fsivr.api.errors import RETRY_AFTER, Problem
from fsivr.api.given import given
from fsivr.store import is_gone

blueprint = Blueprint("health", __name__, url_prefix="/health", description="Whether it lives, and is ready")


_LATER = {"Retry-After": str(RETRY_AFTER)}


class LiveSchema(Schema):
    """That the process answers."""

    status = fields.String(required=True)


@blueprint.route("/live")
@public
@blueprint.response(200, LiveSchema)
def live() -> dict[str, Any]:
    """Whether the API's process is up."""
    return {"status": "live"}


@blueprint.route("/ready")
@public
@blueprint.response(200, LiveSchema)
def ready() -> dict[str, Any]:
    """Whether calls are taken.

    The database is there, and a worker of any node was seen in the last 10 seconds that is not draining.
    Else the answer is 503, with the reasons in the details.
    """
    reasons = []
    try:
        workers = given().observer.workers()
    except Exception as error:
        if not is_gone(error):
            raise
        reasons.append("the database cannot be reached")
    else:
        if not workers:
            reasons.append("no worker that takes calls was seen in the last 10 seconds")
        elif all(worker.draining for worker in workers):
            reasons.append("every worker is draining")
    if reasons:
        raise Problem(503, "calls are not taken", code="not_ready", details={"reasons": reasons}, headers=_LATER)
    return {"status": "ready"}
