"""Metrics for Prometheus, made when they are asked for; no label holds text of a caller's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib import metadata

from flask import Flask, Response, current_app, g, request
from flask_smorest import Blueprint
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fsivr.api.access import needs
from fsivr.api.counted import of_counters
from fsivr.api.given import given
from fsivr.api.overview import WAITING, Overview, capacity
from fsivr.store import Role, Worker, is_gone

blueprint = Blueprint("metrics", __name__, description="Metrics for Prometheus")

_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
_REGISTRY = "fsivr-metrics"

#: How each worker does now: the column, the metric, and what it is.
_OF_WORKERS = (
    ("ports_in_use", "fsivr_ports_in_use", "Calls that a worker holds."),
    ("peak", "fsivr_ports_peak", "The most calls that a worker held at once."),
    ("draining", "fsivr_draining", "Whether a worker takes no more calls."),
    ("rows_waiting", "fsivr_rows_waiting", "Rows that wait for the database."),
)


@blueprint.route("/metrics")
@needs(Role.READ)
@blueprint.response(200, {"type": "string"}, content_type="text/plain")
def metrics() -> Response:
    """Metrics for Prometheus, as its text format writes them."""
    own: CollectorRegistry = current_app.extensions[_REGISTRY]
    return Response(generate_latest(_Seen()) + generate_latest(own), content_type=_TYPE)


def count_requests(app: Flask) -> None:
    """Have the requests of an application counted, and timed."""
    registry = app.extensions[_REGISTRY] = CollectorRegistry()
    labels = ("route", "method", "status")
    count = Counter("fsivr_api_requests", "Requests to the API.", labels, registry=registry)
    took = Histogram(
        "fsivr_api_request_seconds", "How long an answer took.", ("route",), registry=registry, buckets=_BUCKETS
    )

    def begin() -> None:
        g.began = time.perf_counter()

    def finish(response: Response) -> Response:
        # Of the address only what our own table of addresses says: no caller makes a label.
        route = request.url_rule.rule if request.url_rule is not None else "none"
        method = request.method if request.method in _METHODS else "other"
        count.labels(route, method, str(response.status_code)).inc()
        took.labels(route).observe(time.perf_counter() - g.get("began", time.perf_counter()))
        return response

    app.before_request_funcs.setdefault(None, []).insert(0, begin)
    app.after_request(finish)


class _Seen(Collector):
    """The system as it is now, as metrics; ``fsivr_database_up`` is 0 where that cannot be told."""

    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("fsivr_info", "The API's fsivr.", labels=["version", "node"])
        info.add_metric([metadata.version("fsivr"), given().settings.node_name], 1)
        yield info
        try:
            seen = given().observer.look()
        except Exception as error:
            if not is_gone(error):
                raise
            yield _gauge("fsivr_database_up", "Whether the database can be reached.", 0)
            return
        yield _gauge("fsivr_database_up", "Whether the database can be reached.", 1)
        yield from _of_workers(seen.workers)
        yield from of_counters(seen.workers, seen.counting)
        yield from _of_recordings(seen)
        yield from _of_surroundings(seen)


def _gauge(name: str, help: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help, value=value)


def _of_workers(workers: list[Worker]) -> Iterator[Metric]:
    yield _gauge("fsivr_workers", "Processes that take calls.", len(workers))
    yield _gauge("fsivr_calls_live", "Calls of all workers.", sum(worker.ports_in_use for worker in workers))
    ports = GaugeMetricFamily("fsivr_ports", "How many calls may be held, by node.", labels=["node", "listen"])
    for where, many in capacity(workers).items():
        ports.add_metric(where, many)
    yield ports
    for column, name, help in _OF_WORKERS:
        family = GaugeMetricFamily(name, help, labels=["node", "listen", "worker"])
        for worker in workers:
            family.add_metric([worker.node, worker.listen, worker.worker], getattr(worker, column))
        yield family


def _of_recordings(seen: Overview) -> Iterator[Metric]:
    count = GaugeMetricFamily("fsivr_recordings", "Recordings.", labels=["state"])
    size = GaugeMetricFamily("fsivr_recordings_bytes", "The bytes of recordings.", labels=["state"])
    for state, (many, total) in sorted(seen.recordings.items()):
        count.add_metric([state], many)
        size.add_metric([state], total)
    yield count
    yield size
    waiting, waiting_size = seen.recorded(WAITING)
    yield _gauge("fsivr_recordings_waiting", "Recordings that wait for the export.", waiting)
    yield _gauge("fsivr_recordings_waiting_bytes", "The bytes of those.", waiting_size)
    if seen.waiting_since is not None:
        age = max(0.0, given().clock() - seen.waiting_since.timestamp())
        yield _gauge("fsivr_recordings_waiting_oldest_seconds", "How long ago the oldest of those began.", age)


def _of_surroundings(seen: Overview) -> Iterator[Metric]:
    if seen.disk.free is not None:
        yield _gauge("fsivr_disk_free_bytes", "Free bytes of the disk of the recordings.", seen.disk.free)
    if seen.disk.days_left is not None:
        yield _gauge("fsivr_disk_days_left", "Days until that disk is full.", seen.disk.days_left)
    yield _gauge("fsivr_switch_up", "Whether the switch answers.", seen.switch.reachable)
    if seen.switch.sessions is not None:
        yield _gauge("fsivr_switch_sessions", "Sessions of the switch.", seen.switch.sessions)
    last = seen.last_export
    if last is not None:
        age = max(0.0, given().clock() - (last.ended or last.started).timestamp())
        yield _gauge("fsivr_export_last_age_seconds", "How long ago the last export ended, or began.", age)
        yield _gauge("fsivr_export_last_ok", "Whether the last export did not fail.", last.state != "failed")
