"""A target on S3 does what every target does."""

from __future__ import annotations

import pytest

from tests.exporter.conformance import Conformance
from tests.exporter.conformance_faults import ConformanceWhereItFails
from tests.exporter.s3place import S3Place


class TestS3(Conformance):
    @pytest.fixture
    def place(self, s3: S3Place) -> S3Place:
        return s3


class TestS3WhereItFails(ConformanceWhereItFails):
    @pytest.fixture
    def place(self, s3: S3Place) -> S3Place:
        return s3
