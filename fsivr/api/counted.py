"""What workers count, as metrics, each worker's by itself: added up, they would go back when one ends.

A worker's name is its alone, so that to Prometheus the next one's counters are others. Its
counters are told for some minutes after its end, and then no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from marshmallow import EXCLUDE, Schema, ValidationError, fields
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from fsivr.causes import HangupCause
from fsivr.store import Worker

_LABELS = ("node", "listen", "worker")
_REASONS = ("ports", "lag", "stopping")
#: What each worker counts in a column of its own.
_COLUMNS = (
    ("calls", "fsivr_calls", "Calls that handlers took."),
    ("abandoned", "fsivr_handlers_abandoned", "Handlers that would not leave a finished call."),
    ("rows_dropped", "fsivr_rows_dropped", "Rows that were lost."),
)
_HISTOGRAMS = (
    ("replies", "fsivr_reply_seconds", "command", "How long the switch took to answer a command."),
    ("verbs", "fsivr_verb_seconds", "verb", "How long verbs took, what the caller hears or keys included."),
)
_LAGS = (
    ("lag", "fsivr_loop_lag_seconds", "How late the event loop was in the last second, at most."),
    ("lag_most", "fsivr_loop_lag_max_seconds", "How late the event loop was ever, at most."),
)
_NAME = re.compile(r"[a-z_]{1,40}")
_CONTROL = re.compile(r"[^ -~]")


class _DurationsSchema(Schema):
    bounds = fields.List(fields.Float(), required=True)
    rows = fields.Dict(keys=fields.String(), values=fields.List(fields.Float()), required=True)


class _CountersSchema(Schema):
    """What ``fsivr.server.counts`` tells: the row is of another process, and may be of another fsivr."""

    refused = fields.Dict(keys=fields.String(), values=fields.Integer())
    causes = fields.Dict(keys=fields.String(), values=fields.Integer())
    blocked = fields.Dict(keys=fields.String(), values=fields.Tuple((fields.Integer(), fields.Float())))
    lag = fields.Float()
    lag_most = fields.Float()
    replies = fields.Nested(_DurationsSchema)
    verbs = fields.Nested(_DurationsSchema)


class _Counted(NamedTuple):
    """A worker, and what it told."""

    labels: list[str]
    worker: Worker
    told: Mapping[str, Any]

    def table(self, name: str) -> Mapping[str, Any]:
        """One of the things it told; empty where it did not."""
        found: Mapping[str, Any] = self.told.get(name, {})
        return found


_SCHEMA = _CountersSchema(unknown=EXCLUDE)


def of_counters(running: Iterable[Worker], counting: Iterable[Worker]) -> Iterator[Metric]:
    """The metrics of what workers count.

    :param running: those that run: what is of this moment is told of them alone.
    :param counting: those, and others that have ended a moment ago.
    """
    names = {worker.id for worker in running}
    all_of_them = [_of(worker) for worker in counting]
    for column, name, help in _COLUMNS:
        family = CounterMetricFamily(name, help, labels=_LABELS)
        for each in all_of_them:
            family.add_metric(each.labels, getattr(each.worker, column))
        yield family
    yield _refused(all_of_them)
    yield _causes(all_of_them)
    yield from _blocked(all_of_them)
    for told, name, help in _LAGS:
        gauge = GaugeMetricFamily(name, help, labels=_LABELS)
        for each in all_of_them:
            if each.worker.id in names and told in each.told:
                gauge.add_metric(each.labels, each.told[told])
        yield gauge
    for told, name, label, help in _HISTOGRAMS:
        yield _histogram(HistogramMetricFamily(name, help, labels=(*_LABELS, label)), told, all_of_them)


def _of(worker: Worker) -> _Counted:
    try:
        told = _SCHEMA.loads(worker.counters)
    except (ValueError, ValidationError):
        told = {}
    return _Counted([worker.node, worker.listen, worker.worker], worker, told)


def _refused(workers: list[_Counted]) -> Metric:
    family = CounterMetricFamily("fsivr_calls_refused", "Calls refused.", labels=(*_LABELS, "reason"))
    for each in workers:
        refused = each.table("refused")
        for reason in _REASONS:
            family.add_metric([*each.labels, reason], refused.get(reason, 0))
    return family


def _causes(workers: list[_Counted]) -> Metric:
    """A cause that one worker saw is told of all of them: a rate cannot be had of a series' first value."""
    family = CounterMetricFamily(
        "fsivr_calls_ended", "Calls that ended, and were not refused.", labels=(*_LABELS, "cause")
    )
    seen = sorted({cause for each in workers for cause in each.table("causes")} & set(HangupCause.__members__))
    for each in workers:
        causes = each.table("causes")
        for cause in seen:
            family.add_metric([*each.labels, cause], causes.get(cause, 0))
    return family


def _blocked(workers: list[_Counted]) -> Iterator[Metric]:
    labels = (*_LABELS, "where")
    count = CounterMetricFamily("fsivr_loop_blocked", "How often a line of code kept all calls waiting.", labels=labels)
    seconds = CounterMetricFamily("fsivr_loop_blocked_seconds", "For how long it did.", labels=labels)
    for each in workers:
        for where, (many, took) in each.table("blocked").items():
            place = [*each.labels, _CONTROL.sub("?", where)]
            count.add_metric(place, many)
            seconds.add_metric(place, took)
    yield count
    yield seconds


def _histogram(family: HistogramMetricFamily, told: str, workers: list[_Counted]) -> Metric:
    for each in workers:
        table = each.table(told)
        bounds = [*(str(bound) for bound in table.get("bounds", ())), "+Inf"]
        for name, row in table.get("rows", {}).items():
            if _NAME.fullmatch(name) and len(row) == len(bounds) + 1:
                *counts, total = row
                family.add_metric([*each.labels, name], _summed(bounds, counts), total)
    return family


def _summed(bounds: list[str], counts: list[float]) -> list[tuple[str, float]]:
    """The buckets as Prometheus has them: each holds those before it."""
    buckets, so_far = [], 0.0
    for bound, many in zip(bounds, counts, strict=True):
        so_far += many
        buckets.append((bound, so_far))
    return buckets
