"""A bucket of the tests' SeaweedFS, and services that spoil what comes."""

from __future__ import annotations

import hashlib
import ssl
import threading
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from fsivr.exporter.s3 import S3Target
from tests.exporter.place import Place
from tests.exporter.weed import KEY_ID, SECRET, Weed, program

EMPTY_LIST = b'<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'


class S3Place(Place):
    """A bucket of its own in a server that tests share; with a prefix beside which there are others' files."""

    factory = "fsivr.exporter.s3:S3Target"
    refused = r"SignatureDoesNotMatch.*the secret is not that of the key id: correct it"
    impostor = r"CERTIFICATE_VERIFY_FAILED.*ca_bundle"
    secrets = (SECRET,)

    def __init__(self, weed: Weed, folder: Path, *, bucket: str = "recordings") -> None:
        self.weed = weed
        self.port = weed.port
        self.bucket = bucket
        # A bucket takes the server a second to make, and some of its volumes.
        self.prefix = f"{uuid.uuid4().hex}/archive/"
        self.state = folder / "state"
        self._folder = folder
        self._client = weed.client
        self._neighbour = f"{self.prefix.removesuffix('/')}-other/file"
        weed.make(bucket)
        self._client.put_object(Bucket=bucket, Key=self._neighbour, Body=b"not ours")

    def arguments(self, *, port: int | None = None, timeout: float | None = None, **more: Any) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "name": "tests",
            "bucket": self.bucket,
            "endpoint": f"http://127.0.0.1:{port or self.port}",
            "prefix": self.prefix,
            "key_id": KEY_ID,
            "secret": SECRET,
            "addressing": "path",
            "part_size": 5 * 1024 * 1024,
            "state": str(self.state),
        }
        if timeout is not None:
            arguments |= {"connect_timeout": timeout, "read_timeout": timeout}
        return arguments | more

    def made(self, **more: Any) -> S3Target:
        """A target with other arguments."""
        return S3Target(**self.arguments(**more))

    def denied_arguments(self) -> dict[str, Any]:
        return self.arguments(secret=f"x{SECRET}")

    @contextmanager
    def other_arguments(self) -> Iterator[dict[str, Any]]:
        yield self.arguments(endpoint=f"https://127.0.0.1:{self.weed.tls_port}")

    @contextmanager
    def liar_arguments(self) -> Iterator[dict[str, Any]]:
        with served(_Liar) as port:
            yield self.arguments(port=port)

    def full_arguments(self) -> AbstractContextManager[dict[str, Any]] | None:
        return self._full()

    @contextmanager
    def _full(self) -> Iterator[dict[str, Any]]:
        weed = program()
        assert weed is not None
        small = Weed(weed, volumes=1, volume_mb=1)
        try:
            yield S3Place(small, self._folder).arguments()
        finally:
            small.close()

    def files(self) -> dict[str, bytes]:
        beside = self.prefix.removesuffix("/")
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=beside)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        assert self._neighbour in keys
        found = {}
        for key in keys:
            if key != self._neighbour:
                answer = self._client.get_object(Bucket=self.bucket, Key=key)
                assert key.startswith(self.prefix)
                found[key.removeprefix(self.prefix)] = answer["Body"].read()
        return found

    def rubbish(self) -> list[str]:
        uploads = self._client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.prefix).get("Uploads", [])
        states = self.state.iterdir() if self.state.exists() else []
        return [*(upload["Key"] for upload in uploads), *(path.name for path in states if not uploads)]

    def store(self, key: str, data: bytes) -> None:
        self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data)

    def remove(self, key: str) -> None:
        self._client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    def head(self, key: str) -> dict[str, Any] | None:
        """What the server tells of a file; None where there is none."""
        try:
            return dict(self._client.head_object(Bucket=self.bucket, Key=self.prefix + key))
        except ClientError:
            return None

    def stop(self) -> None:
        self.weed.stop()

    def start(self) -> None:
        self.weed.start()


class Service(BaseHTTPRequestHandler):
    """A service of which a test says how it answers."""

    protocol_version = "HTTP/1.1"

    def taken(self) -> bytes:
        """The body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send an answer; names of headers with ``_`` for ``-``."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Liar(Service):
    """Says that all went well, and keeps nothing."""

    def do_GET(self) -> None:
        self.answer(200, EMPTY_LIST, Content_Type="application/xml")

    def do_HEAD(self) -> None:
        self.answer(404)

    def do_PUT(self) -> None:
        body = self.taken()
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        self.answer(200, ETag=etag, x_amz_checksum_sha256=self.headers["x-amz-checksum-sha256"])


@contextmanager
def served(service: type[Service], tls: tuple[Path, Path] | None = None) -> Iterator[int]:
    """A service of a test's own; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), service)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
