"""Certificates and their keys, as they come from openssl."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fsivr.doctor.certificates import looked_at
from tests.exporter.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_a_certificate_of_openssls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "api.crt", tmp_path / "api.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "90", "-subj", "/CN=ivr.example.net", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    key.chmod(0o640)
    assert [told.level.value for told in looked_at(certificate, key)] == ["ok", "ok"]
    key.chmod(0o644)
    assert [told.level.value for told in looked_at(certificate, key)] == ["ok", "ok", "error"]


@pytest.mark.parametrize(
    ("days", "level", "said"),
    [
        (0, "warning", "is good for 29 days, until"),
        (-40, "error", "is good from"),
        (30, "error", "was good until"),
    ],
)
def test_its_dates(authority: Authority, days: int, level: str, said: str) -> None:
    certificate, key = authority.server(days=30)
    (dated, own) = looked_at(certificate, key, now=datetime.now(UTC) + timedelta(days=days, minutes=1))
    assert (dated.level.value, own.level.value) == (level, "ok")
    assert said in dated.what


def test_a_key_of_another_certificate(authority: Authority) -> None:
    certificate, _ = authority.server(days=90)
    _, other = authority.server("localhost", days=91)
    dated, own = looked_at(certificate, other)
    assert (dated.level.value, own.what) == ("ok", f"{other} is not the key of {certificate}")


def test_files_that_are_none(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.server(days=90)
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")
    (wrong,) = looked_at(nonsense, key)
    assert wrong.what == f"{nonsense} holds no certificate in PEM"
    (missing,) = looked_at(tmp_path / "none.pem")
    assert missing.what.endswith("cannot be read: No such file or directory")
    assert [told.what for told in looked_at(certificate, nonsense)][1:] == [f"{nonsense} holds no private key in PEM"]
    locked = tmp_path / "locked.key"
    secret = load_pem_private_key(key.read_bytes(), None)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    locked.write_bytes(secret.private_bytes(*form, serialization.BestAvailableEncryption(b"S3cret")))
    assert [told.what.split(",")[0] for told in looked_at(certificate, locked)][1:] == [f"{locked} is encrypted"]


def test_the_apis_certificate(levels: Any, authority: Authority) -> None:
    certificate, key = authority.server(days=5)
    given = {"api_certificate": str(certificate), "api_certificate_key": str(key)}
    assert levels("certificates.api", **given) == ["warning", "ok"]
    assert levels("certificates.api") == ["note"]


def test_the_switchs_certificates(findings: Any, switch: Any, authority: Authority, tmp_path: Path) -> None:
    (note,) = findings("certificates.switch")
    assert note.what == "no SIP profile of the switch has TLS"
    folder = tmp_path / "tls"
    folder.mkdir()
    switch.configuration["sofia.conf"] = switch.configuration["sofia.conf"].replace(
        'name="tls" value="false"/>', f'name="tls" value="true"/><param name="tls-cert-dir" value="{folder}"/>'
    )
    (missing,) = findings("certificates.switch")
    assert missing.what == f"profile trunks has TLS, and there is no {folder}/agent.pem"
    certificate, key = authority.server(days=90)
    (folder / "agent.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
    (folder / "agent.pem").chmod(0o600)
    assert [each.level.value for each in findings("certificates.switch")] == ["ok", "ok"]


def test_the_authorities_of_targets(findings: Any, authority: Authority) -> None:
    given = {"kind": "ftps", "host": "h", "user": "u", "password": "S3cret", "ca": str(authority.bundle)}
    (found,) = findings("certificates.authorities", targets={"archive": given})
    assert (found.level, "is good for" in found.what) == ("warning", True)
    assert [each.level for each in findings("certificates.authorities")] == ["skipped"]
