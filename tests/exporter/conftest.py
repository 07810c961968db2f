"""The servers that tests of the exporter share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exporter.ftpd import Ftpd
from tests.exporter.s3place import S3Place
from tests.exporter.sshd import Sshd
from tests.exporter.weed import Weed, installed


@pytest.fixture(scope="session")
def weed() -> Iterator[Weed]:
    server = Weed(installed())
    yield server
    server.close()


@pytest.fixture
def s3(weed: Weed, tmp_path: Path) -> S3Place:
    return S3Place(weed, tmp_path)


@pytest.fixture(scope="session")
def sshd() -> Iterator[Sshd]:
    server = Sshd()
    yield server
    server.close()


@pytest.fixture(scope="session")
def ftpd() -> Iterator[Ftpd]:
    server = Ftpd()
    yield server
    server.close()
