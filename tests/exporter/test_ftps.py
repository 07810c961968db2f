"""FTPSTarget, against pyftpdlib's server and vsftpd: what every target does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsivr.errors import PermanentError
from fsivr.exporter.target import Target
from tests.exporter.conformance import Conformance
from tests.exporter.conformance_faults import ConformanceWhereItFails
from tests.exporter.ftpd import Ftpd, Vsftpd
from tests.exporter.ftps_place import FTPSPlace
from tests.exporter.place import Place, sha256, some
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

    @pytest.mark.parametrize("seed", range(2))
    def test_a_killed_process_leaves_no_file_and_the_next_ends_it(
        self, place: Place, tmp_path: Path, seed: int
    ) -> None:
        super().test_a_killed_process_leaves_no_file_and_the_next_ends_it(place, tmp_path, seed)


@pytest.fixture(scope="module")
def vsftpd() -> Iterator[Vsftpd]:
    if not own_users():
        pytest.skip("vsftpd with a user of its own needs root, openssl and unshare")
    server = Vsftpd()
    yield server
    server.close()


class TestVsftpd:
    """What holds with a server that has no MLSD, and that refuses data connections with a new TLS session."""

    @pytest.fixture
    def place(self, vsftpd: Vsftpd, tmp_path: Path) -> FTPSPlace:
        (folder := tmp_path / "of-server").mkdir()
        return FTPSPlace(vsftpd, f"place{next(_COUNT)}", folder)

    @pytest.fixture
    def target(self, place: FTPSPlace) -> Iterator[Target]:
        target = place.target()
        yield target
        target.close()

    def test_files_arrive_and_are_replaced(self, place: FTPSPlace, target: Target, tmp_path: Path) -> None:
        Conformance().test_a_file_arrives_byte_for_byte(place, target, tmp_path, 480_000)
        Conformance().test_a_new_file_replaces_an_old_one(place, target, tmp_path, 480_000, 400_000)

    def test_entries_are_asked_for_one_by_one(self, target: Target, tmp_path: Path) -> None:
        Conformance().test_nothing_is_there_before_it_came(target, tmp_path)
        Conformance().test_entries_are_those_below_a_prefix_in_order(target, tmp_path)

    def test_who_it_is_is_proved(self, place: FTPSPlace, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        Conformance().test_another_server_in_its_place_gets_nothing(place, tmp_path)
        Conformance().test_a_wrong_password_says_what_to_do_and_no_secret(place, tmp_path, caplog)

    def test_it_goes_on_where_it_was_interrupted(self, place: FTPSPlace, tmp_path: Path) -> None:
        ConformanceWhereItFails().test_a_cut_connection_leaves_no_file_and_the_next_goes_on(place, tmp_path, 0.9)

    def test_a_full_disk_is_named(self, place: FTPSPlace, tmp_path: Path) -> None:
        local, full = some(tmp_path, 3_000_000), place.full()
        assert full is not None
        with full as target:
            with pytest.raises(PermanentError, match="disk or the user's quota is full"):
                target.put(local, "a/x.wav", sha256=sha256(local))
            assert target.sweep() == 1
            target.close()
