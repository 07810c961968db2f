"""Whatever list the API's document offers, the database finds its page by one search in an index."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.stock import EXPORT, SEALED, Stage
from tests.store.calls import start


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("api"))
    yield stage
    stage.close()


@pytest.fixture
def plans(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How SQLite finds what each query asks for."""
    found: list[str] = []
    execute = stage.store.database.execute_sql

    def explained(sql: str, params: Any = None) -> Any:
        if sql.startswith("SELECT"):
            found.append(" / ".join(step[-1] for step in execute("EXPLAIN QUERY PLAN " + sql, params).fetchall()))
        return execute(sql, params)

    monkeypatch.setattr(stage.store.database, "execute_sql", explained)
    return found


def _asked(parameters: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every combination of a list's filters, with the values that the document gives as examples."""
    told = {one["name"]: one["schema"] for one in parameters if one["name"] != "limit"}
    for size in range(len(told) + 1):
        for names in itertools.combinations(told, size):
            chosen = {name: told[name].get("example") for name in names}
            assert None not in chosen.values()
            yield {name: str(value).lower() if isinstance(value, bool) else value for name, value in chosen.items()}


@pytest.mark.parametrize("name", ["calls", "recordings", "exports"])
def test_every_list_is_a_search(stage: Stage, plans: list[str], name: str) -> None:
    client = stage.client("read")
    document = client.get("/api/openapi.json").json
    client.get(f"/api/v1/{name}")  # the key is known from here on
    plans.clear()
    asked = list(_asked(document["paths"][f"/api/v1/{name}"]["get"]["parameters"]))
    for query in asked:
        assert client.get(f"/api/v1/{name}", query_string=query).status_code == 200, query
    # The key is asked after again from time to time.
    lists = [plan for plan in plans if "api_keys" not in plan]
    assert len(lists) == len(asked) >= 16
    assert not [plan for plan in lists if "SCAN" in plan or "TEMP B-TREE" in plan or "USING INDEX" not in plan]


@pytest.mark.parametrize("path", [f"calls/{start(0).uuid}", f"recordings/{SEALED}", f"exports/{EXPORT}"])
def test_one_is_found_by_its_key(stage: Stage, plans: list[str], path: str) -> None:
    assert stage.client("read").get(f"/api/v1/{path}").status_code == 200
    assert plans
    assert all("SEARCH" in plan and "SCAN" not in plan for plan in plans)
