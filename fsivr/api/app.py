"""The application: what is served where, and what all of it has in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

from flask import Flask, Response, json

from fsivr.api import audio, calls, exports, health, metrics, orders, placing, status
from fsivr.api.access import SCHEME, Gate, check_all_are_marked, public
from fsivr.api.errors import JsonErrorsApi
from fsivr.api.given import Given, attach
from fsivr.api.overview import Observer
from fsivr.api.strict import MOST_BODY, Checks, begin, finish
from fsivr.api.watch import SwitchWatch
from fsivr.config import Settings
from fsivr.dialplan import Dialplan
from fsivr.store import Store
from fsivr.switch import Switch

#: The resources, in the order of the document: each module has a ``blueprint``.
BLUEPRINTS = (
    status.blueprint,
    health.blueprint,
    metrics.blueprint,
    calls.blueprint,
    audio.blueprint,
    exports.blueprint,
)


def create_app(
    settings: Settings,
    store: Store,
    *,
    switch: Switch | None = None,
    dialplan: Dialplan | None = None,
    archive: Any = None,
    export: Any = None,
    clock: Callable[[], float] = time.time,
    ticks: Callable[[], float] = time.monotonic,
) -> Flask:
    """A WSGI application that answers from the store.

    :param switch: where calls are placed and hung up; those requests get 503 where None.
    :param dialplan: whose handlers calls may be placed into.
    :param archive: the files of recordings.
    :param export: runs an export.
    :param clock: seconds since 1970.
    :param ticks: seconds of a clock that never goes back.
    """
    app = _empty_app()
    observer = Observer(settings, store, SwitchWatch(switch, ticks), clock, ticks)
    what = Given(settings, store, observer, switch, dialplan, archive, export, clock, clock())
    attach(app, what)
    placing.attach(app, what)
    api = JsonErrorsApi(app)
    orders.describe(api.ma_plugin)
    api.spec.components.security_scheme("key", SCHEME)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    document = api.spec.to_dict()
    _serve_document(app, document)
    check_all_are_marked(app)
    gate = Gate(store.keys, settings.api_rate, open_on_loopback=settings.api_open_on_loopback, clock=ticks)
    app.before_request(begin)
    app.before_request(gate)
    app.before_request(Checks(app, document["paths"]))
    app.after_request(finish)
    metrics.count_requests(app)
    return app


def _empty_app() -> Flask:
    app = Flask("fsivr.api", static_folder=None)
    app.config.update(
        API_TITLE="fsivr",
        API_VERSION=metadata.version("fsivr"),
        OPENAPI_VERSION="3.1.0",
        # One more than what is refused: a longer body is cut by werkzeug without a word.
        MAX_CONTENT_LENGTH=MOST_BODY + 1,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    # An address is written in one way: there are no redirects to another.
    app.url_map.merge_slashes = False
    return app


def _serve_document(app: Flask, document: dict[str, Any]) -> None:
    text = json.dumps(document)

    @public
    def openapi() -> Response:
        return Response(text, mimetype="application/json")

    app.add_url_rule("/api/openapi.json", "openapi", openapi)
