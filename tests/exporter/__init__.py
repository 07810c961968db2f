"""Tests of the exporter, and what every target must pass."""

import pytest

pytest.register_assert_rewrite("tests.exporter.conformance", "tests.exporter.conformance_faults")
