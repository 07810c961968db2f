"""SFTPTarget, against a real sshd: what every target does."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.exporter.conformance import Conformance
from tests.exporter.conformance_faults import ConformanceWhereItFails
from tests.exporter.sftp_place import SFTPPlace
from tests.exporter.sshd import Sshd

_COUNT = itertools.count()


@pytest.fixture
def place(sshd: Sshd, tmp_path: Path) -> SFTPPlace:
    (folder := tmp_path / "of-server").mkdir()
    return SFTPPlace(sshd, f"place{next(_COUNT)}", folder)


class TestSFTP(Conformance):
    """What holds where nothing goes wrong."""


class TestSFTPWhereItFails(ConformanceWhereItFails):
    """What holds where something does."""
