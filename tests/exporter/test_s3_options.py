"""The options of a target on S3: a wrong one says what was given and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fsivr.errors import ConfigError
from fsivr.exporter.s3 import S3Target
from fsivr.exporter.s3client import client
from fsivr.exporter.s3options import S3Options

_WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "no `bucket`"),
    ({"bucket": "Recordings"}, "bucket = 'Recordings'"),
    ({"bucket": "../x"}, "a-z 0-9"),
    ({"bucket": "abc", "colour": "red"}, "'colour' is no option .*bucket, endpoint"),
    ({"bucket": "abc", "endpoint": "ftp://x"}, "https://HOST"),
    ({"bucket": "abc", "endpoint": "s3.example.net"}, "https://HOST"),
    ({"bucket": "abc", "endpoint": "http://s3.example.net"}, "without TLS"),
    ({"bucket": "abc", "endpoint": "http://127.0.0.1.example.net"}, "without TLS"),
    ({"bucket": "abc", "encryption": "rot13"}, "encryption = 'rot13': allowed are none, AES256, aws:kms"),
    ({"bucket": "abc", "storage_class": "DEEP_ARCHIVE"}, "cannot be proved.*GLACIER_IR"),
    ({"bucket": "abc", "lock": "forever"}, "lock = 'forever'"),
    ({"bucket": "abc", "lock": "compliance"}, "lock_days = 0"),
    ({"bucket": "abc", "proof": "trust"}, "checksum, read"),
    ({"bucket": "abc", "addressing": "dns"}, "auto, path, virtual"),
    ({"bucket": "abc", "key_id": "x"}, "both"),
    ({"bucket": "abc", "secret": "x"}, "both"),
    ({"bucket": "abc", "concurrency": 0}, "concurrency = 0"),
    ({"bucket": "abc", "read_timeout": -1}, "read_timeout = -1"),
    ({"bucket": "abc", "prefix": "../up"}, "prefix"),
    ({"bucket": "abc", "ca_bundle": "/nowhere/ca.pem"}, "no such file"),
    ({"bucket": "abc", "rate": 0}, "more than 0"),
]


@pytest.mark.parametrize(("options", "says"), _WRONG)
def test_what_cannot_be_right_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        S3Target("x", **options)


def test_a_key_in_an_endpoint_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="may hold no key") as refused:
        S3Target("x", bucket="abc", endpoint="https://id:s3cret@s3.example.net")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("endpoint", ["http://localhost:9000", "http://[::1]:9000", "https://s3.example.net"])
def test_an_endpoint_with_tls_or_on_this_machine_is_taken(endpoint: str) -> None:
    assert S3Options(bucket="abc", endpoint=endpoint).endpoint == endpoint


def test_plain_text_is_taken_where_somebody_allows_it() -> None:
    assert S3Options(bucket="abc", endpoint="http://10.0.0.1", allow_plaintext=True).allow_plaintext


def test_no_secret_is_shown() -> None:
    options = {"bucket": "abc", "key_id": "id", "secret": "s3cret", "session_token": "t0ken"}
    for shown in (repr(S3Options(**options)), repr(S3Target("x", **options)), str(vars(S3Target("x", **options)))):
        assert "s3cret" not in shown and "t0ken" not in shown


@pytest.mark.parametrize(
    ("addressing", "address"),
    [
        ("path", "https://s3.example.net/recordings/x"),
        ("virtual", "https://recordings.s3.example.net/x"),
    ],
)
def test_a_bucket_is_addressed_as_asked(addressing: str, address: str) -> None:
    options = {"bucket": "recordings", "endpoint": "https://s3.example.net", "key_id": "a", "secret": "b"}
    made, _ = client(S3Options(**options, addressing=addressing))
    url = made.generate_presigned_url("get_object", Params={"Bucket": "recordings", "Key": "x"})
    assert url.startswith(f"{address}?X-Amz-Algorithm=AWS4-HMAC-SHA256")


def test_amazon_of_a_region_is_where_it_is() -> None:
    made, _ = client(S3Options(bucket="recordings", region="eu-central-1", key_id="a", secret="b"))
    assert made.meta.endpoint_url == "https://s3.eu-central-1.amazonaws.com"


def test_what_the_service_is_asked_for_each_file(tmp_path: Path) -> None:
    options = S3Options(bucket="abc", storage_class="STANDARD_IA", encryption="aws:kms", kms_key="k", lock="legal-hold")
    plain = {"StorageClass": "STANDARD_IA", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"}
    assert options.wishes(hold=False) == plain
    assert options.wishes(hold=True) == plain | {"ObjectLockLegalHoldStatus": "ON"}
    assert S3Options(bucket="abc").wishes(hold=True) == {}
    until = S3Options(bucket="abc", lock="compliance", lock_days=30).wishes(hold=True)
    assert until["ObjectLockMode"] == "COMPLIANCE"
    assert until["ObjectLockRetainUntilDate"].tzinfo is not None
