"""Exports: the runs that were, and one that is begun now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from flask.views import MethodView
from flask_smorest import Blueprint

from fsivr.api.access import holder, needs
from fsivr.api.errors import Problem
from fsivr.api.given import given
from fsivr.api.schemas import BegunSchema, ExportArguments, ExportPageSchema, ExportSchema
from fsivr.api.wire import may_fail, page, path_parameter
from fsivr.errors import ConfigError, ExportError
from fsivr.store import Role, audited

blueprint = Blueprint("exports", __name__, url_prefix="/api/v1/exports", description="Runs of the export")

_ID = path_parameter("id", "^[A-Za-z0-9_.:-]{1,200}$", "The run's id.")
_COLUMNS = tuple(name for name in ExportSchema._declared_fields if name != "report")


class Exporting(Protocol):
    """What begins a run of the export for each target, and does not wait for it."""

    def __call__(self, *, by: str) -> Sequence[str]:
        """The ids of the runs.

        :param by: who asked for it.
        :raises ConfigError: there is no target.
        :raises ExportError: a run is under way.
        """


@blueprint.route("")
class Exports(MethodView):
    """All runs."""

    @needs(Role.READ)
    @blueprint.doc(operationId="listExports")
    @blueprint.arguments(ExportArguments, location="query")
    @may_fail(blueprint, e401="no key, or a wrong one", e429="too many requests")
    @blueprint.response(200, ExportPageSchema)
    def get(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Runs of the export, the newest first"""
        return page(given().store.exports, arguments, _told)

    @needs(Role.OPERATE)
    @blueprint.doc(operationId="runExport")
    @may_fail(
        blueprint,
        e403="the key may not",
        e409="there is no target, or a run is under way",
        e503="this API was started without the export",
    )
    @blueprint.response(202, BegunSchema, description="It has begun")
    def post(self) -> tuple[dict[str, Any], int]:
        """Begin the export now, to each target

        The answer comes at once; the runs tell how far they are.
        """
        export: Exporting | None = given().export
        if export is None:
            raise Problem(503, "this API was started without the export", code="no_export")
        who = holder()
        try:
            begun = list(export(by=who.name))
        except ConfigError as error:
            raise Problem(409, str(error), code="not_configured") from None
        except ExportError as error:
            raise Problem(409, str(error), code="export_under_way") from None
        given().store.write([audited(who.name, "export.run", ", ".join(begun), key=who.id)])
        return {"exports": begun}, 202


@blueprint.route("/<id>", parameters=[_ID])
class OneExport(MethodView):
    """One run."""

    @needs(Role.READ)
    @blueprint.doc(operationId="getExport")
    @may_fail(blueprint, e404="no run has this id")
    @blueprint.response(200, ExportSchema)
    def get(self, id: str) -> dict[str, Any]:
        """One run of the export, with its report"""
        found = given().store.export(id)
        if found is None:
            raise Problem(404, "no run of the export has this id")
        return _told(found)


def _told(row: Any) -> dict[str, Any]:
    return {**{name: getattr(row, name) for name in _COLUMNS}, "report": _report(getattr(row, "report", ""))}


def _report(text: str) -> dict[str, Any] | None:
    found = json.loads(text) if text else None
    return found if found and isinstance(found, dict) else None
