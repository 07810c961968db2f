"""FTPSTarget, against pyftpdlib's server and vsftpd: what every target does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exporter.conformance import Conformance
from tests.exporter.conformance_faults import ConformanceWhereItFails
from tests.exporter.ftpd import Ftpd, Vsftpd
from tests.exporter.ftps_place import FTPSPlace
from tests.exporter.users import own_users

_COUNT = itertools.count()


@pytest.fixture
def place(ftpd: Ftpd, tmp_path: Path) -> FTPSPlace:
    (folder := tmp_path / "of-server").mkdir()
    return FTPSPlace(ftpd, f"place{next(_COUNT)}", folder)


class TestFTPS(Conformance):
    """What holds where nothing goes wrong."""


class TestFTPSWhereItFails(ConformanceWhereItFails):
    """What holds where something does."""


@pytest.fixture(scope="module")
def vsftpd() -> Iterator[Vsftpd]:
    if not own_users():
        pytest.skip("vsftpd with a user of its own needs root, openssl and unshare")
    server = Vsftpd()
    yield server
    server.close()


class TestVsftpd(Conformance):
    """What holds with a server that has no MLSD, and that refuses data connections with a new TLS session."""

    @pytest.fixture
    def place(self, vsftpd: Vsftpd, tmp_path: Path) -> FTPSPlace:
        (folder := tmp_path / "of-server").mkdir()
        return FTPSPlace(vsftpd, f"place{next(_COUNT)}", folder)

    def test_it_goes_on_where_it_was_interrupted(self, place: FTPSPlace, tmp_path: Path) -> None:
        ConformanceWhereItFails().test_a_cut_connection_leaves_no_file_and_the_next_goes_on(place, tmp_path, 0.9)
