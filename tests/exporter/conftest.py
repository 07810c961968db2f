"""The servers that tests of the exporter's targets share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.exporter.sshd import Sshd


@pytest.fixture(scope="session")
def sshd() -> Iterator[Sshd]:
    server = Sshd()
    yield server
    server.close()
