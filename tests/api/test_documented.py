"""The API does what its document says: schemathesis asks, with all of its checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test

from tests.api.stock import Stage

EXAMPLES = 8
#: How a right request may end: also where the sound of a recording was removed.
OK = ["2xx", "304", "401", "403", "404", "409", "410", "416", "429"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("api"))
    yield stage
    stage.close()


def document(stage: Stage, role: str) -> Any:
    """The API as schemathesis sees it, in this process, with the key of a role; the same cases each time."""
    config = SchemathesisConfig.from_dict(
        {"seed": 1, "checks": {"positive_data_acceptance": {"expected-statuses": OK}}}
    )
    return schemathesis.openapi.from_wsgi("/api/openapi.json", stage.app, config=config)


def few(examples: int) -> hypothesis.settings:
    slow = list(hypothesis.HealthCheck)
    return hypothesis.settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=slow
    )


def faults(stage: Stage, role: str, *, examples: int, bounds: bool = True) -> Iterator[str]:
    """What schemathesis finds wrong with each operation: its examples, what is made up, and its bounds."""
    schema = document(stage, role)

    def ask(case: Any) -> None:
        case.call_and_validate(checks=CHECKS.get_all())

    for found in schema.get_all_operations():
        operation = found.ok()
        modes = [mode for mode in HypothesisTestMode if bounds or mode is not HypothesisTestMode.COVERAGE]
        config = HypothesisTestConfig(project=schema.config, modes=modes, settings=few(examples), seed=1)
        try:
            create_test(operation=operation, test_func=ask, config=config)()
        except BaseExceptionGroup as group:
            yield from (f"{operation.label} for {role}: {each}" for each in group.exceptions)
        except Exception as error:  # noqa: BLE001  all of them are told
            yield f"{operation.label} for {role}: {error!r}"


@pytest.mark.parametrize("role", ["read", "operate", "admin"])
def test_each_operation_does_what_the_document_says(stage: Stage, role: str) -> None:
    assert list(faults(stage, role, examples=EXAMPLES, bounds=role == "admin")) == []


def test_operations_one_after_the_other_do_what_the_document_says(stage: Stage) -> None:
    document(stage, "admin").as_state_machine().run(settings=hypothesis.settings(few(5), stateful_step_count=5))


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
