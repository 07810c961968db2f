"""The API does what its document says: schemathesis asks, with all of its checks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

from fsivr.api.app import create_app
from fsivr.recordings import Archive
from fsivr.store import Store
from tests.api.stock import Board, fill, given, settings_of
from tests.store.calls import start

EXAMPLES = 8


class Stage:
    """The application over a filled store, and a key of each role."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(f"sqlite:///{folder}/fsivr.db")
        self.store.migrate()
        self.board = Board()
        self.board.up = {start(number).uuid for number in range(30)}
        settings = settings_of(self.board, folder)
        fill(self.store, Archive.of(settings, self.store))
        self.given = given(self.board, self.store, folder)
        self.app = create_app(settings, self.store, **self.given)
        self.keys = {role: self.store.keys.create(role, role, by="tests") for role in ("read", "operate", "admin")}

    def close(self) -> None:
        self.given["switch"].close()
        self.board.close()
        self.store.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("api"))
    yield stage
    stage.close()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Leave out what the engine gives every transport, and an application in the same process does not take."""
    kwargs.pop("max_redirects", None)


def faults(stage: Stage, role: str, *, examples: int) -> list[str]:
    """What schemathesis finds wrong in all its phases, each with the request that shows it."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "continue-on-failure": True,
            "headers": {"Authorization": f"Bearer {stage.keys[role]}"},
            "generation": {"mode": "all", "max-examples": examples, "deterministic": True, "no-shrink": True},
            "phases": {"stateful": {"max-steps": 6}},
        }
    )
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", stage.app, config=config)
    found: dict[str, str] = {}
    for event in from_schema(schema).execute():
        if isinstance(event, NonFatalError | FatalError):
            found[str(event)] = f"{type(event).__name__}: {event}"
        for case_id, checks in event.recorder.checks.items() if isinstance(event, ScenarioFinished) else ():
            for check in checks:
                if check.failure_info is not None:
                    label = f"{event.recorder.cases[case_id].value.operation.label}: {check.name}"
                    failure = check.failure_info
                    found[label] = f"{label}: {failure.failure.message}\n{failure.code_sample}"
    return list(found.values())


@pytest.mark.parametrize("role", ["read", "operate", "admin"])
def test_the_api_does_what_its_document_says(stage: Stage, role: str) -> None:
    assert faults(stage, role, examples=EXAMPLES) == []


def test_all_checks_are_made() -> None:
    names = set(CHECKS.get_all_names())
    assert names >= {
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "positive_data_acceptance",
        "missing_required_header",
        "unsupported_method",
        "use_after_free",
        "ensure_resource_availability",
        "ignored_auth",
    }
