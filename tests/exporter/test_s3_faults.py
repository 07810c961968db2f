"""What goes wrong with S3 is told apart: what is tried again, and what needs somebody, with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from fsivr.errors import ExportError, NotArrived, PermanentError, TransientError
from tests.exporter.certificates import Authority
from tests.exporter.conformance import KEY, brought
from tests.exporter.place import sha256, some
from tests.exporter.s3place import EMPTY_LIST, S3Place, Service, served
from tests.exporter.weed import READER_ID, READER_SECRET, SECRET

_AGAIN = [
    (500, "InternalError"),
    (502, ""),
    (503, "SlowDown"),
    (503, "ServiceUnavailable"),
    (504, ""),
    (429, "TooManyRequests"),
    (408, "RequestTimeout"),
    (400, "RequestTimeout"),
    (400, "BadDigest"),
    (400, "IncompleteBody"),
    (409, "OperationAborted"),
    (400, "KMS.ThrottlingException"),
]
_LASTING = [
    (403, "AccessDenied", "s3:PutObject"),
    (404, "NoSuchBucket", "make the bucket"),
    (403, "InvalidAccessKeyId", "correct it"),
    (403, "SignatureDoesNotMatch", "the secret is not that"),
    (400, "ExpiredToken", "get a new one"),
    (403, "RequestTimeTooSkewed", "clock is wrong: set it"),
    (400, "AuthorizationHeaderMalformed", "region"),
    (403, "QuotaExceeded", "quota is used up"),
    (507, "XMinioStorageFull", "disks are full"),
    (507, "", "disks are full"),
    (400, "InvalidStorageClass", "no such storage class"),
    (400, "KMS.NotFoundException", "no such KMS key"),
    (400, "KMS.NewlyInventedException", "see the KMS key"),
    (400, "InvalidRequest", "object lock"),
    (501, "NotImplemented", "leave out"),
    (418, "Teapot", "refuses this each time"),
]


class _Refuses(Service):
    """Refuses every file, as a test says."""

    status: ClassVar[int] = 0
    code: ClassVar[str] = ""
    said: ClassVar[str] = ""

    def do_GET(self) -> None:
        self.answer(200, EMPTY_LIST)

    def do_PUT(self) -> None:
        self.taken()
        body = f"<Error><Code>{self.code}</Code><Message>{self.said}</Message></Error>" if self.code else ""
        self.answer(self.status, body.encode())


def _refusal(place: S3Place, local: Path, status: int, code: str, said: str = "no") -> ExportError:
    service = type("Refuses", (_Refuses,), {"status": status, "code": code, "said": said})
    with served(service) as port:
        target = place.made(port=port)
        target.open()
        with pytest.raises(ExportError) as raised:
            target.put(local, KEY, sha256=sha256(local))
        target.close()
    return raised.value


@pytest.mark.parametrize(("status", "code"), _AGAIN)
def test_what_passes_is_tried_again(s3: S3Place, tmp_path: Path, status: int, code: str) -> None:
    error = _refusal(s3, some(tmp_path, 1000), status, code)
    assert isinstance(error, TransientError)
    assert KEY in str(error)


@pytest.mark.parametrize(("status", "code", "advice"), _LASTING)
def test_what_lasts_says_what_to_do(s3: S3Place, tmp_path: Path, status: int, code: str, advice: str) -> None:
    error = _refusal(s3, some(tmp_path, 1000), status, code)
    assert isinstance(error, PermanentError)
    assert advice in str(error) and KEY in str(error) and code in str(error)


def test_what_a_service_says_is_text_from_outside(s3: S3Place, tmp_path: Path) -> None:
    said = f"your secret {SECRET}\n\x1b[31mERROR\u202e{'x' * 5000}".replace("\x1b", "&#x85;")
    error = _refusal(s3, some(tmp_path, 10), 403, "AccessDenied", said)
    assert SECRET not in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 1000


class _Html(Service):
    """No S3 at all: a page, whatever is asked."""

    def do_GET(self) -> None:
        self.answer(200, b"<html><body>Welcome</body></html>", Content_Type="text/html")

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        self.taken()
        self.do_GET()


def test_a_page_is_no_proof(s3: S3Place, tmp_path: Path) -> None:
    local = some(tmp_path, 100)
    with served(_Html) as port:
        target = s3.made(port=port)
        with pytest.raises(ExportError):
            brought(target, local)
        target.close()


class _Other(Service):
    """Keeps other bytes than came, and tells of its own what they are."""

    def do_GET(self) -> None:
        self.answer(200, EMPTY_LIST if "list-type" in self.path else b"y" * 100)

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()

    def do_PUT(self) -> None:
        self.taken()
        self.answer(200, ETag='"x"')


def test_a_service_that_keeps_other_bytes_is_found_out(s3: S3Place, tmp_path: Path) -> None:
    local = tmp_path / "x.wav"
    local.write_bytes(b"x" * 100)
    with served(_Other) as port:
        target = s3.made(port=port)
        target.put(local, KEY, sha256=sha256(local))
        with pytest.raises(NotArrived, match="another file"):
            target.prove(KEY, sha256=sha256(local), size=100)
        target.close()


def test_a_key_that_may_only_read_is_denied(s3: S3Place, tmp_path: Path) -> None:
    target = s3.made(key_id=READER_ID, secret=READER_SECRET)
    target.open()
    with pytest.raises(PermanentError, match=r"AccessDenied.*s3:PutObject"):
        brought(target, some(tmp_path, 100))
    target.close()


def test_a_bucket_and_a_key_that_are_not_there_are_named(s3: S3Place) -> None:
    with pytest.raises(PermanentError, match=r"NoSuchBucket.*make the bucket"):
        s3.made(bucket="nobody-made-it").open()
    with pytest.raises(PermanentError, match=r"InvalidAccessKeyId.*does not know the key id"):
        s3.made(key_id="NOBODY").open()


def test_over_tls_a_file_arrives(s3: S3Place, tmp_path: Path) -> None:
    local = some(tmp_path, 480_000)
    endpoint = f"https://127.0.0.1:{s3.weed.tls_port}"
    target = s3.made(endpoint=endpoint, ca_bundle=str(s3.weed.authority.bundle))
    brought(target, local)
    target.close()
    assert s3.files() == {KEY: local.read_bytes()}


@pytest.mark.parametrize(("hosts", "days"), [(("example.net",), 1), (("127.0.0.1",), -1)])
def test_a_certificate_of_another_host_or_time_is_refused(
    s3: S3Place, tmp_path: Path, hosts: tuple[str, ...], days: int
) -> None:
    authority = Authority(tmp_path)
    with served(_Html, authority.server(*hosts, days=days)) as port:
        target = s3.made(endpoint=f"https://127.0.0.1:{port}", ca_bundle=str(authority.bundle))
        with pytest.raises(PermanentError, match="from an authority that is trusted"):
            target.open()
        target.close()


def test_an_endpoint_without_tls_says_so(s3: S3Place) -> None:
    target = s3.made(endpoint=f"https://127.0.0.1:{s3.port}")
    with pytest.raises(PermanentError, match="does not speak TLS"):
        target.open()
    target.close()


def test_nobody_has_given_a_key(s3: S3Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    target = s3.made(key_id=None, secret=None)
    with pytest.raises(PermanentError, match="credentials"):
        target.open()
