"""What workers count, as metrics; and that documents and the dashboard name what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fsivr.server.counts import COMMANDS, VERBS, Counts
from fsivr.server.watchdog import Block
from fsivr.store import Store, Worker
from fsivr.store.workers import LATELY, TOLD, WorkerState, worker_lost, worker_seen
from tests.api.conftest import Client, Clock
from tests.api.test_status import NOW, _metrics, busy, worker

__all__ = ["busy"]
DOCS = Path(__file__).parent.parent.parent / "docs"
WHERE = ("0.0.0.0:8084", "ivr-1", "0.0.0.0:8084/1-7")


def counting(told: dict[str, Any], **changes: Any) -> WorkerState:
    return worker(**{"worker": WHERE[2], **changes})._replace(counters=told)


def full() -> dict[str, Any]:
    """What a server tells that has seen a bit of everything."""
    counts = Counts()
    for seconds in (0.0005, 0.002, 0.002, 9.0):
        counts.replies.took("execute", seconds)
    counts.replies.took("uuid_getvar", 0.01)
    counts.verbs.took("play", 3.0)
    counts.blocked(Block("/apps/busy.py:7 in Busy.run", 1.5, True))
    return {
        **counts.told(),
        "refused": {"ports": 4, "lag": 1, "stopping": 0},
        "causes": {"NORMAL_CLEARING": 40, "USER_BUSY": 2},
        "lag": 0.01,
        "lag_most": 1.4,
    }


def test_all_that_a_worker_counts_is_told(make: Client, store: Store) -> None:
    store.write([worker_seen(counting(full()))])
    found = _metrics(make("read"))
    listen, node, name = WHERE
    assert found["fsivr_calls_refused_total"] == {
        (listen, node, "lag", name): 1,
        (listen, node, "ports", name): 4,
        (listen, node, "stopping", name): 0,
    }
    assert found["fsivr_calls_ended_total"] == {
        ("NORMAL_CLEARING", listen, node, name): 40,
        ("USER_BUSY", listen, node, name): 2,
    }
    place = (listen, node, "/apps/busy.py:7 in Busy.run", name)
    assert found["fsivr_loop_blocked_total"] == {place: 1}
    assert found["fsivr_loop_blocked_seconds_total"] == {place: 1.5}
    assert found["fsivr_loop_lag_seconds"] == {WHERE: 0.01}
    assert found["fsivr_loop_lag_max_seconds"] == {WHERE: 1.4}
    assert found["fsivr_verb_seconds_count"] == {(listen, node, "play", name): 1}


def test_a_histogram_is_cumulative_as_prometheus_has_it(make: Client, store: Store) -> None:
    store.write([worker_seen(counting(full()))])
    found = _metrics(make("read"))
    listen, node, name = WHERE
    buckets = {
        float(labels[1]): many for labels, many in found["fsivr_reply_seconds_bucket"].items() if labels[0] == "execute"
    }
    assert [buckets[bound] for bound in (0.001, 0.0025, 0.005, 5.0, float("inf"))] == [1, 3, 3, 3, 4]
    assert found["fsivr_reply_seconds_count"][("execute", listen, node, name)] == 4
    assert found["fsivr_reply_seconds_sum"][("execute", listen, node, name)] == pytest.approx(9.0045)


def test_the_counters_of_a_worker_that_ended_are_told_on_for_minutes(make: Client, store: Store, clock: Clock) -> None:
    store.write([worker_seen(counting(full())), worker_lost("ivr-1", WHERE[2], NOW)])
    new = counting({"causes": {"NORMAL_CLEARING": 3}}, worker="0.0.0.0:8084/1-8")
    store.write([worker_seen(new)])
    client = make("read")

    def told(name: str) -> dict[str, float]:
        clock.pass_by(10)  # what was seen a moment ago is told again
        store.write([worker_seen(new._replace(seen=clock.now))])
        return {labels[-1]: value for labels, value in _metrics(client)[name].items()}

    assert told("fsivr_calls_total") == {"0.0.0.0:8084/1-7": 50, "0.0.0.0:8084/1-8": 50}
    assert told("fsivr_ports_in_use") == {"0.0.0.0:8084/1-8": 3}
    # A cause that the old one saw is told of the new one, from its first second on.
    assert _metrics(client)["fsivr_calls_ended_total"][("USER_BUSY", "0.0.0.0:8084", "ivr-1", new.worker)] == 0
    clock.pass_by(TOLD)
    assert told("fsivr_calls_total") == {"0.0.0.0:8084/1-8": 50}
    assert TOLD > LATELY


@pytest.mark.parametrize(
    "row",
    [
        "",
        "[]",
        '{"refused": 3, "causes": [], "blocked": null, "replies": 1}',
        '{"causes": {"<script>": 1}, "replies": {"bounds": [1], "rows": {"x\\"y": [1, 2, 3], "short": [1]}}}',
        '{"refused": {"ports": "many"}, "blocked": {"x": 1}, "lag": "late", "verbs": {"bounds": 3, "rows": []}}',
        '{"verbs": {"bounds": [1], "rows": {"play": ["x", null, 1]}}}',
    ],
)
def test_a_row_of_another_program_neither_fails_nor_makes_a_label(make: Client, store: Store, row: str) -> None:
    store.write([worker_seen(counting({}))])
    with store.database.connection_context():
        Worker.update(counters=row).bind(store.database).execute()
    found = _metrics(make("read"))
    assert found["fsivr_calls_total"] == {WHERE: 50}
    assert "fsivr_calls_ended_total" not in found
    assert "fsivr_verb_seconds_count" not in found


def test_names_are_those_that_a_label_may_have() -> None:
    assert all(re.fullmatch("[a-z_]{1,40}", name) for name in (*COMMANDS, *VERBS))


@pytest.fixture
def families(make: Client, busy: Store) -> dict[str, Any]:
    """Each metric there is, by its name, of a system that has all of them."""
    busy.write([worker_seen(counting(full()))])
    client = make("read", node="ivr-1")
    client.get("/health/live")
    return {family.name: family for family in text_string_to_metric_families(client.get("/metrics").text)}


def _series(family: Any) -> set[str]:
    """The names that its samples have, but for the time that a counter was made at."""
    return {sample.name for sample in family.samples if not sample.name.endswith("_created")}


def test_each_metric_is_in_the_document_with_its_labels(families: dict[str, Any]) -> None:
    lines = re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*?) ?\| ", (DOCS / "metrics.md").read_text(), re.M)
    documented = {name: (kind, set(filter(None, labels.split(", ")))) for name, kind, labels in lines}
    there = {}
    for name, family in families.items():
        if name.endswith("_created"):
            continue
        called = f"{name}_total" if family.type == "counter" else name
        there[called] = (family.type, {label for sample in family.samples for label in sample.labels} - {"le"})
    assert set(documented) - set(there) == {"fsivr_switch_sessions"}  # no switch answers here
    del documented["fsivr_switch_sessions"]
    assert documented == there


def _expressions(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel.get("targets", [])]


def test_the_dashboard_asks_for_what_there_is(families: dict[str, Any]) -> None:
    dashboard = json.loads((DOCS / "grafana.json").read_text())
    (source,) = (each for each in dashboard["templating"]["list"] if each["type"] == "datasource")
    assert (source["name"], source["query"]) == ("datasource", "prometheus")
    there = {name for family in families.values() for name in _series(family)} | {"fsivr_switch_sessions"}
    labels = {label for family in families.values() for sample in family.samples for label in sample.labels}
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in panels:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["title"]
        assert _expressions(panel)
        for expression in _expressions(panel):
            asked = set(re.findall(r"fsivr_\w+", expression))
            assert asked
            assert asked <= there, f"{panel['title']}: {expression}"
            grouped = {each.strip() for found in re.findall(r"by \(([^)]*)\)", expression) for each in found.split(",")}
            assert grouped <= labels, f"{panel['title']}: {expression}"
            assert expression.count("(") == expression.count(")")
            assert "rate(sum" not in expression


def test_the_dashboard_has_what_an_operator_looks_for() -> None:
    text = (DOCS / "grafana.json").read_text()
    for name in (
        *("fsivr_ports", "fsivr_ports_in_use", "fsivr_calls_ended_total", "fsivr_calls_refused_total"),
        *(
            "fsivr_reply_seconds_bucket",
            "fsivr_verb_seconds_bucket",
            "fsivr_loop_lag_seconds",
            "fsivr_loop_blocked_total",
        ),
        *("fsivr_rows_waiting", "fsivr_recordings_waiting", "fsivr_recordings_waiting_bytes", "fsivr_disk_days_left"),
        *("fsivr_export_last_age_seconds", "fsivr_export_last_ok", "fsivr_workers", "fsivr_api_request_seconds_bucket"),
    ):
        assert re.search(rf"{name}\b", text), name
