"""A large file's way to S3, in parts: interrupted anywhere, it goes on with those that arrived."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from fsivr.exporter.s3faults import code
from fsivr.exporter.s3options import S3Options
from fsivr.exporter.s3state import Part, Upload
from fsivr.exporter.sending import Piece, Sending, changed, reading

_MB = 1024 * 1024
#: The most parts that S3 takes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
_MOST_PARTS = 10_000


class Place(NamedTuple):
    """Where an upload goes, and how."""

    client: Any
    #: With the prefix of the target.
    key: str
    #: Arguments of ``create_multipart_upload``: storage class, encryption, lock.
    wishes: dict[str, Any]
    options: S3Options


class Parts:
    """The upload of one local file.

    :param state: the file that is kept of it while it runs.
    """

    def __init__(self, place: Place, local: Path, *, sha256: str, size: int, state: Path, sending: Sending) -> None:
        self._place = place
        self._to = {"Bucket": place.options.bucket, "Key": place.key}
        self._local = local
        self._sha256 = sha256
        self._size = size
        self._part_size = max(place.options.part_size, -(-size // _MOST_PARTS // _MB) * _MB)
        self._state = state
        self._sending = sending
        self._lock = threading.Lock()

    def put(self) -> None:
        """Bring it there: the file is read once, and nothing becomes of it if it is not the one that was meant."""
        upload, there = self._begun()
        if upload is None:
            return
        whole, parts, waiting = hashlib.sha256(), [], deque[Future[None]]()
        with ThreadPoolExecutor(self._place.options.concurrency) as pool:
            try:
                for number, data in self._read():
                    whole.update(data)
                    sha256 = _sha256(data)
                    parts.append((number, sha256))
                    if self._arrived(upload, there, number, data, sha256):
                        continue
                    # No more are read than are on their way: memory does not grow with the file.
                    if len(waiting) >= self._place.options.concurrency:
                        waiting.popleft().result()
                    waiting.append(pool.submit(self._send, upload, number, data, sha256))
                while waiting:
                    waiting.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)
        if whole.hexdigest() != self._sha256:
            self._abort(upload)
            raise changed(self._local)
        self._complete(upload)

    def _begun(self) -> tuple[Upload | None, dict[int, dict[str, Any]]]:
        """The upload to go on with, new or not, and what the service has of it; no upload where it is done."""
        upload = Upload.load(self._state)
        if upload is not None:
            if self._is_of_this_file(upload):
                try:
                    return upload, self._listed(upload)
                except ClientError as error:
                    if code(error) != "NoSuchUpload":
                        raise
                if self._was_completed(upload):
                    self._state.unlink(missing_ok=True)
                    return None, {}
            elif (upload.bucket, upload.key) == (self._place.options.bucket, self._place.key):
                self._abort(upload)
        asked = {"ChecksumAlgorithm": "SHA256"} if self._place.options.checksums else {}
        answer = self._place.client.create_multipart_upload(**self._to, **self._place.wishes, **asked)
        upload = Upload(**self._identity(), upload_id=answer["UploadId"])
        upload.save(self._state)
        return upload, {}

    def _identity(self) -> dict[str, Any]:
        return {
            "bucket": self._place.options.bucket,
            "key": self._place.key,
            "sha256": self._sha256,
            "size": self._size,
            "part_size": self._part_size,
        }

    def _is_of_this_file(self, upload: Upload) -> bool:
        return all(getattr(upload, name) == value for name, value in self._identity().items())

    def _listed(self, upload: Upload) -> dict[int, dict[str, Any]]:
        pages = self._place.client.get_paginator("list_parts").paginate(**self._to, UploadId=upload.upload_id)
        return {part["PartNumber"]: part for page in pages for part in page.get("Parts", [])}

    def _was_completed(self, upload: Upload) -> bool:
        """Whether the service lost the upload because it is done, and only its answer was lost."""
        if len(upload.parts) != -(-self._size // self._part_size):
            return False
        try:
            head = self._place.client.head_object(**self._to, ChecksumMode="ENABLED")
        except ClientError:
            return False
        digests = b"".join(base64.b64decode(upload.parts[number].sha256) for number in sorted(upload.parts))
        return bool(head.get("ChecksumSHA256") == f"{_sha256(digests)}-{len(upload.parts)}")

    def _read(self) -> Iterator[tuple[int, bytes]]:
        with reading(self._local), self._local.open("rb") as file:
            number = 0
            while data := file.read(self._part_size):
                number += 1
                yield number, data

    def _arrived(self, upload: Upload, there: dict[int, dict[str, Any]], number: int, data: bytes, sha256: str) -> bool:
        """Whether the service has this part already, and it is of the same bytes."""
        part = there.get(number)
        if part is None or part.get("Size") != len(data):
            return False
        etag, kept = part["ETag"], part.get("ChecksumSHA256")
        known = upload.parts.get(number)
        same = (known == Part(etag, sha256)) or (
            # It arrived, and we were killed before we wrote that down.
            etag.strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest()
        )
        if kept is not None:
            same = kept == sha256
        if same:
            with self._lock:
                upload.parts[number] = Part(etag, sha256)
        return bool(same)

    def _send(self, upload: Upload, number: int, data: bytes, sha256: str) -> None:
        answer = self._place.client.upload_part(
            **self._to,
            UploadId=upload.upload_id,
            PartNumber=number,
            Body=Piece(data, self._sending),
            **digests(data, sha256, checksums=self._place.options.checksums),
        )
        with self._lock:
            upload.parts[number] = Part(answer["ETag"], sha256)
            upload.save(self._state)

    def _complete(self, upload: Upload) -> None:
        parts = [
            {"PartNumber": number, "ETag": part.etag}
            | ({"ChecksumSHA256": part.sha256} if self._place.options.checksums else {})
            for number, part in sorted(upload.parts.items())
        ]
        self._place.client.complete_multipart_upload(
            **self._to, UploadId=upload.upload_id, MultipartUpload={"Parts": parts}
        )
        self._state.unlink(missing_ok=True)

    def _abort(self, upload: Upload) -> None:
        abort(self._place.client, upload.bucket, upload.key, upload.upload_id)
        self._state.unlink(missing_ok=True)


def abort(client: Any, bucket: str, key: str, upload_id: str) -> None:
    """Have the service forget an upload and its parts; one that it does not know is no error."""
    try:
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
    except ClientError as error:
        if code(error) not in ("NoSuchUpload", "404"):
            raise


def digests(data: bytes, sha256: str, *, checksums: bool) -> dict[str, str]:
    """What the service is to check the bytes by that come: SHA-256, or MD5 where it knows no other."""
    if checksums:
        return {"ChecksumSHA256": sha256}
    return {"ContentMD5": base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()}


def _sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
