"""Calls: those that are up and those that were, placed and hung up."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from fsivr.api.access import holder, needs
from fsivr.api.errors import Problem
from fsivr.api.given import given
from fsivr.api.orders import OrderSchema
from fsivr.api.placing import handler_of, options_of, placing
from fsivr.api.schemas import CallArguments, CallDetailSchema, CallPageSchema, CallSchema, HangupArguments
from fsivr.api.wire import may_fail, page, path_parameter
from fsivr.call.dialstring import caller_name
from fsivr.errors import CommandRefused
from fsivr.store import Role, audited
from fsivr.switch import Switch

blueprint = Blueprint("calls", __name__, url_prefix="/api/v1/calls", description="Calls, live and ended")

_NAMES = tuple(name for name in CallSchema._declared_fields if name != "state")
_UUID = re.compile(r"^[A-Za-z0-9_-]{1,64}$", re.ASCII)
_PARAMETER = path_parameter("uuid", _UUID.pattern, "The switch's id of the call.")
_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "Where its outcome is told.", "required": True}}
_NO_SWITCH = "the switch cannot be asked now"


@blueprint.route("")
class Calls(MethodView):
    """All calls."""

    @needs(Role.READ)
    @blueprint.doc(operationId="listCalls")
    @blueprint.arguments(CallArguments, location="query")
    @may_fail(blueprint, e401="no key, or a wrong one", e429="too many requests")
    @blueprint.response(200, CallPageSchema)
    def get(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Calls, the newest first

        Filters narrow it down together. `next` of a page is `after` of the one that follows it; calls that
        come meanwhile neither repeat nor hide any.
        """
        placing().tidy()
        return page(given().store.calls, arguments, _told)

    @needs(Role.OPERATE)
    @blueprint.doc(operationId="originateCall")
    @blueprint.arguments(OrderSchema)
    @may_fail(
        blueprint,
        e403="the key may not",
        e409="no handler of this name stands in the dialplan, or the switch cannot find our server",
        e429="too many requests, or too many calls that ring",
        e503=_NO_SWITCH,
    )
    @blueprint.response(202, CallSchema, description="It rings", headers=_LOCATION)
    def post(self, order: dict[str, Any]) -> Any:
        """Call somebody, for a handler

        The answer comes at once, with the call's uuid; `GET` it for the outcome. While it rings, `state` is
        `live` and `answered` null; a call that nobody answered has ended with its cause, as `USER_BUSY`, or
        with an `error`. One that was answered is its handler's, in the server.
        """
        what = given()
        handler = None if what.dialplan is None else handler_of(what.dialplan, order["handler"])
        if handler is None:
            raise Problem(409, f"no handler {order['handler'][:80]!r} stands in the dialplan", code="unknown_handler")
        options = options_of(order)
        options["caller_name"] = caller_name(options.get("caller_name", ""))
        who = holder()
        try:
            row = placing().place(_switch(), handler, to=order["to"], by=who.name, key=who.id, **options)
        except (ValueError, TypeError) as error:
            raise Problem(422, str(error)) from None
        told = {**row, "state": "live", "answered": None, "ended": None, "hangup_cause": "", "error": ""}
        return told, 202, {"Location": f"/api/v1/calls/{row['uuid']}"}


@blueprint.route("/<uuid>", parameters=[_PARAMETER])
class OneCall(MethodView):
    """One call."""

    @needs(Role.READ)
    @blueprint.doc(operationId="getCall")
    @may_fail(blueprint, e404="no call has this uuid")
    @blueprint.response(200, CallDetailSchema)
    def get(self, uuid: str) -> dict[str, Any]:
        """One call, with what happened in it"""
        placing().tidy()
        found = given().store.call(uuid)
        if found is None:
            raise Problem(404, "no call that is known has this uuid")
        return {**_told(found), "timeline": json.loads(found.timeline)}

    @needs(Role.OPERATE)
    @blueprint.doc(operationId="hangUpCall")
    @blueprint.arguments(HangupArguments, location="query")
    @may_fail(
        blueprint,
        e403="the key may not",
        e404="the switch has no such call",
        e409="it has ended already",
        e502="the switch refused it",
        e503=_NO_SWITCH,
    )
    @blueprint.response(204, description="It is being hung up")
    def delete(self, arguments: dict[str, Any], uuid: str) -> Response:
        """Hang a call up

        It need not be one of ours: the uuid of any channel of the switch will do.
        """
        if _UUID.fullmatch(uuid) is None:  # it becomes a word of a command
            raise Problem(404, "no call has such a uuid")
        found = given().store.call(uuid)
        if found is not None and found.ended is not None:
            raise Problem(409, "the call has ended already", code="ended")
        cause = arguments["cause"]
        try:
            _switch().api("uuid_kill", f"{uuid} {cause}")
        except CommandRefused as error:
            if "no such channel" not in str(error).lower():
                raise
            raise Problem(404, "the switch has no such call") from None
        given().store.write([audited(holder().name, "call.hangup", uuid, key=holder().id, cause=cause)])
        return Response(status=204)


def _told(row: Any) -> dict[str, Any]:
    state = "live" if row.ended is None else "ended"
    return {"state": state, **{name: getattr(row, name) for name in _NAMES}}


def _switch() -> Switch:
    found = given().switch
    if found is None:
        raise Problem(503, "this API was started without a switch", code="switch_unreachable")
    return found
