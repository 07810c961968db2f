"""What FTPSTarget does with certificates that are not good, plain FTP, refusals, stalls and hostile answers."""

from __future__ import annotations

import itertools
import logging
import os
import re
from pathlib import Path
from typing import Any

import gevent
import pytest

from fsivr.errors import ConfigError, ExportError, NotArrived, PermanentError, TransientError
from fsivr.exporter.ftps import FTPSTarget
from fsivr.exporter.pace import Pace
from fsivr.exporter.target import Entry
from tests.exporter.certificates import Authority
from tests.exporter.ftp_script import Script
from tests.exporter.ftpd import Ftpd
from tests.exporter.ftps_place import FTPSPlace
from tests.exporter.place import sha256, some
from tests.exporter.users import PASSWORD
from tests.leaks import left, nothing_more_than

KEY = "2026/11/24/x.wav"
_COUNT = itertools.count()


@pytest.fixture
def place(ftpd: Ftpd, tmp_path: Path) -> FTPSPlace:
    (folder := tmp_path / "of-server").mkdir()
    return FTPSPlace(ftpd, f"faults{next(_COUNT)}", folder)


def _put(target: Any, local: Path) -> None:
    try:
        target.put(local, KEY, sha256=sha256(local))
        target.prove(KEY, sha256=sha256(local), size=local.stat().st_size)
    finally:
        target.close()


@pytest.mark.parametrize(
    ("hosts", "days", "said"),
    [
        (("127.0.0.1",), -1, "expired"),
        (("127.0.0.9", "elsewhere.example"), 1, "IP address mismatch"),
    ],
)
def test_a_certificate_that_has_ended_or_is_anothers_is_refused(
    place: FTPSPlace, ftpd: Ftpd, hosts: tuple[str, ...], days: int, said: str
) -> None:
    certificate = ftpd.authority.server(*hosts, days=days)
    with place.started(certificate=certificate) as target, pytest.raises(PermanentError, match=said) as refused:
        target.open()
    assert "Nothing was sent to it" in str(refused.value)


def test_an_authority_that_is_not_trusted_is_refused(place: FTPSPlace, tmp_path: Path) -> None:
    for ca in (None, Authority(tmp_path, "another").bundle):
        with pytest.raises(PermanentError, match="unable to get local issuer|self-signed|certificate that is not good"):
            FTPSTarget(**place.arguments() | {"ca": ca}).open()
    with pytest.raises(PermanentError, match=r"gone\.pem is no PEM file"):
        FTPSTarget(**place.arguments() | {"ca": tmp_path / "gone.pem"}).open()


def test_plain_ftp_is_refused_unless_it_is_allowed_and_then_warned_of_each_time(
    place: FTPSPlace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    local = some(tmp_path, 1000)
    with place.started(tls=False) as target:
        with pytest.raises(PermanentError, match="has no TLS.*can be read and changed"):
            target.open()
        plain = FTPSTarget(**place.arguments(), allow_plaintext=True)
        for times in (1, 2):
            _put(plain, local)
            warned = [record for record in caplog.records if "in the clear" in record.message]
            assert [record.levelno for record in warned] == [logging.WARNING] * times
    assert place.files() == {KEY: local.read_bytes()}


def test_plaintext_that_is_allowed_does_not_allow_a_bad_certificate(place: FTPSPlace, ftpd: Ftpd) -> None:
    with place.started(certificate=ftpd.authority.server("127.0.0.9")):
        with pytest.raises(PermanentError, match="certificate"):
            FTPSTarget(**place.arguments(), allow_plaintext=True).open()


@pytest.mark.parametrize("mark", ["\r\n", "\n", "\r", "\0"])
def test_what_would_be_another_command_is_refused_before_it_is_sent(place: FTPSPlace, mark: str) -> None:
    for option in ("user", "password", "folder"):
        with pytest.raises(ConfigError, match=f"the {option} of ftps") as refused:
            FTPSTarget(**place.arguments() | {option: f"x{mark}DELE y"})
        assert "DELE" not in str(refused.value)
    target = FTPSTarget(**place.arguments())
    for ask in (target.size, target.delete, lambda key: list(target.entries(key)), lambda key: list(target.read(key))):
        with pytest.raises(PermanentError, match="is no key"):
            ask(f"x{mark}DELE y/z")
    target.close()


def test_size_alone_proves_where_that_is_asked_for(place: FTPSPlace, tmp_path: Path) -> None:
    local = some(tmp_path, 1000)
    target = FTPSTarget(**place.arguments(), proof="size")
    target.put(local, KEY, sha256=sha256(local))
    place.damage(KEY)
    target.prove(KEY, sha256=sha256(local), size=1000)
    assert target.proof == "size"
    place.store(KEY, b"short")
    with pytest.raises(NotArrived, match="has 5 bytes there, not 1000"):
        target.prove(KEY, sha256=sha256(local), size=1000)
    target.close()
    with pytest.raises(ConfigError, match="'content' and 'size'"):
        FTPSTarget(**place.arguments(), proof="none")


@pytest.mark.parametrize("there", ["same", "another", "longer", "empty"])
def test_what_is_half_there_is_gone_on_with_where_it_is_the_same(place: FTPSPlace, tmp_path: Path, there: str) -> None:
    local = some(tmp_path, 480_000)
    data = local.read_bytes()
    half = {"same": data[:200_000], "another": data[:100_000] + b"x" * 90_000, "longer": data + b"x", "empty": b""}
    place.store(f"{KEY}.fsivr.part", half[there])
    told: list[int] = []
    target = FTPSTarget(**place.arguments())
    target.put(local, KEY, sha256=sha256(local), progress=told.append)
    target.close()
    assert place.files() == {KEY: data}
    assert sum(told) == {"same": 280_000, "another": 380_000, "longer": 480_000, "empty": 480_000}[there]


def test_times_are_kept_and_the_pace_too(place: FTPSPlace, tmp_path: Path) -> None:
    local, waited = some(tmp_path, 1_000_000), list[float]()
    os.utime(local, (1_600_000_000, 1_600_000_000))
    pace = Pace(1_000_000, clock=lambda: sum(waited), sleep=waited.append)
    _put(FTPSTarget(**place.arguments(), pace=pace), local)
    assert (place.root / KEY).stat().st_mtime == 1_600_000_000
    assert 0.3 < sum(waited) <= 1


@pytest.mark.parametrize("without", [["MLSD", "MLST"], ["REST"], ["MFMT"]])
def test_a_server_that_lacks_a_command_will_do(place: FTPSPlace, tmp_path: Path, without: list[str]) -> None:
    local = some(tmp_path, 480_000)
    place.store(f"{KEY}.fsivr.part", local.read_bytes()[:1000])
    with place.started(without=without) as target:
        _put(target, local)
        assert list(target.entries()) == [Entry(KEY, 480_000)]
        assert list(target.entries("2027/")) == []
        target.close()
    assert place.files() == {KEY: local.read_bytes()}
    assert place.rubbish() == []


def test_a_user_who_may_only_read_is_told_so(place: FTPSPlace, tmp_path: Path) -> None:
    with place.started(perm="elr") as target, pytest.raises(PermanentError, match=r"Not enough privileges.*give that"):
        _put(target, some(tmp_path, 1000))
    with pytest.raises(PermanentError, match="there is no folder none"):
        FTPSTarget(**place.arguments() | {"folder": "none"}).open()


def test_a_full_disk_is_named(place: FTPSPlace, tmp_path: Path) -> None:
    full = place.full()
    assert full is not None
    with full as target, pytest.raises(PermanentError, match=r"quota is full.*make room"):
        _put(target, some(tmp_path, 3_000_000))


def test_a_passive_answer_of_elsewhere_leads_nowhere_else(place: FTPSPlace, tmp_path: Path) -> None:
    local = some(tmp_path, 1000)
    with place.started(elsewhere="192.0.2.1") as target:
        _put(target, local)
    assert place.files() == {KEY: local.read_bytes()}


@pytest.mark.parametrize("count", [10, 300, 700, 1000])
def test_a_server_that_stops_answering_while_it_is_opened_is_left(place: FTPSPlace, count: int) -> None:
    before = left()
    with place.proxy() as proxy:
        proxy.at(count, proxy.stall)
        target = FTPSTarget(**place.arguments(port=proxy.port, timeout=1))
        with gevent.Timeout(60), pytest.raises(TransientError):
            target.open()
            for _ in range(100):
                target.size(KEY)
    target.close()
    nothing_more_than(before)


@pytest.mark.parametrize(
    "greeting",
    [
        b"",
        b"220-" + b"x" * 20_000,
        b"220-x\r\n" * 1000,
        b"hello\r\n",
        b"\xff\xfe\r\n",
        b"SSH-2.0-none\r\n",
        b"421 busy\r\n",
        b"220 x\r\n234 go on\r\nnot TLS at all\r\n",
        b"220 x\r\n500 \x1b[2J\x07no\r\n",
        b"220 x\r\n200 no\r\n",
    ],
)
def test_a_hostile_greeting_ends_in_an_error_of_one_clean_line(place: FTPSPlace, greeting: bytes) -> None:
    before = left()
    with Script(greeting) as script:
        target = FTPSTarget(**place.arguments(port=script.port, timeout=1) | {"host": "127.0.0.1"})
        with gevent.Timeout(30), pytest.raises(ExportError) as raised:
            target.open()
        assert re.fullmatch(r"[ -~…]{1,600}", str(raised.value))
    nothing_more_than(before)


def test_a_password_that_is_said_back_is_in_no_message(place: FTPSPlace) -> None:
    answers = f"220 x\r\n500 no\r\n331 y\r\n530 no {PASSWORD} here\r\n".encode()
    with Script(answers) as script:
        options = {"host": "127.0.0.1", "allow_plaintext": True}
        target = FTPSTarget(**place.arguments(port=script.port, timeout=1) | options)
        with pytest.raises(PermanentError, match="530 no … here") as refused:
            target.open()
    assert PASSWORD not in str(refused.value)
