"""The lane beside boto3: what it leaves to boto3, what it signs, and connections that the service ends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from botocore import exceptions
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from fsivr.exporter.pace import Pace
from fsivr.exporter.s3client import client
from fsivr.exporter.s3lane import Lane, Unusual
from fsivr.exporter.s3options import S3Options
from fsivr.exporter.sending import Sending
from tests.exporter.s3place import Service, served

_DATA = b"some sound" * 20_000
_SHA256 = hashlib.sha256(_DATA).hexdigest()


class _Keeping(Service):
    """Takes all, keeps what was asked, and ends each connection after its answer where a test says so."""

    requests: ClassVar[list[tuple[str, str, dict[str, str], bytes]]] = []
    connections: ClassVar[set[Any]] = set()
    status = 200
    ends = False

    def _do(self) -> None:
        self.requests.append((self.command, self.path, dict(self.headers.items()), self.taken()))
        self.connections.add(self.client_address)
        refused = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        self.answer(
            self.status, b"" if self.status == 200 else refused, Connection="close" if self.ends else "keep-alive"
        )

    do_PUT = do_HEAD = _do


@pytest.fixture
def service() -> Iterator[tuple[type[_Keeping], Lane]]:
    kept = type("_Kept", (_Keeping,), {"requests": [], "connections": set()})
    with served(kept) as port:
        options = S3Options(
            bucket="recordings", endpoint=f"http://127.0.0.1:{port}", key_id="a", secret="b", session_token="token"
        )
        made, lane = client(options)
        assert lane is not None
        yield kept, lane
        lane.close()
        made.close()


def _put(lane: Lane, **asked: Any) -> int:
    sent: list[int] = []
    lane.put("x/y.wav", _DATA, sha256=_SHA256, asked=asked, sending=Sending(Pace(), sent.append))
    return sum(sent)


def test_it_signs_as_botocore_does(service: tuple[type[_Keeping], Lane]) -> None:
    kept, lane = service
    assert _put(lane, StorageClass="STANDARD_IA") == len(_DATA)
    method, path, headers, body = kept.requests[0]
    assert (method, path, body) == ("PUT", "/recordings/x/y.wav", _DATA)
    mine = headers.pop("authorization")
    for name in ("x-amz-date", "x-amz-content-sha256", "x-amz-security-token"):
        assert name in headers
    request = AWSRequest(method, f"http://{headers['host']}{path}", headers=headers, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = S3SigV4Auth(Credentials("a", "b", "token"), "s3", "us-east-1")
    text = signer.string_to_sign(request, signer.canonical_request(request))
    assert mine.endswith(f"Signature={signer.signature(text, request)}")


def test_a_connection_stays(service: tuple[type[_Keeping], Lane]) -> None:
    kept, lane = service
    for _ in range(3):
        _put(lane)
        assert lane.head("x/y.wav") == {"ContentLength": 0}
    assert len(kept.connections) == 1


def test_one_that_the_service_ended_is_made_anew(service: tuple[type[_Keeping], Lane]) -> None:
    kept, lane = service
    kept.ends = True
    for _ in range(3):
        _put(lane)
    assert len(kept.connections) == 3


def test_a_refusal_is_told_as_by_boto3(service: tuple[type[_Keeping], Lane]) -> None:
    kept, lane = service
    kept.status = 403
    with pytest.raises(exceptions.ClientError, match=r"AccessDenied.*no"):
        _put(lane)


def test_a_redirection_and_a_lock_are_left_to_boto3(service: tuple[type[_Keeping], Lane]) -> None:
    kept, lane = service
    with pytest.raises(Unusual):
        _put(lane, ObjectLockLegalHoldStatus="ON")
    assert kept.requests == []
    kept.status = 307
    with pytest.raises(Unusual):
        _put(lane)


def test_there_is_none_by_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    options = S3Options(bucket="recordings", endpoint="https://s3.example.net", key_id="a", secret="b")
    assert client(options)[1] is not None
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.net:3128")
    assert client(options)[1] is None
