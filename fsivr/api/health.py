"""Whether the API lives, and whether calls are taken; for those who watch, without a key."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from fsivr.api.access import public

blueprint = Blueprint("health", __name__, url_prefix="/health", description="Whether it lives, and is ready")


class LiveSchema(Schema):
    """That the process answers."""

    status = fields.String(required=True)


@blueprint.route("/live")
@public
@blueprint.response(200, LiveSchema)
def live() -> dict[str, Any]:
    """Whether the API's process is up."""
    return {"status": "live"}
