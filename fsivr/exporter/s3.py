"""S3Target: recordings in a bucket of S3, or of any service that speaks it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from fsivr.errors import NotArrived, PermanentError
from fsivr.exporter import s3parts
from fsivr.exporter.pace import Pace
from fsivr.exporter.s3client import SMALL, client
from fsivr.exporter.s3faults import Faults, code, status
from fsivr.exporter.s3lane import Lane, Unusual
from fsivr.exporter.s3options import S3Options
from fsivr.exporter.s3state import States
from fsivr.exporter.sending import Piece, Sending, changed, reading
from fsivr.exporter.target import Entry, Progress, checked_key

#: Bytes of a file that is read back at a time.
_CHUNK = 256 * 1024


class S3Target:
    """A bucket, or the part of one below a prefix. One object serves any number of threads and greenlets.

    :param name: what it is called in messages, and by the files of its state.
    :param pace: a limit of bytes a second that it shares with others; None is its own, of the option ``rate``.
    :param options: those of ``S3Options``.
    :raises ConfigError: an option that there is not, or that cannot be right.
    """

    def __init__(self, name: str, *, pace: Pace | None = None, **options: Any) -> None:
        self.name = name
        self._options = S3Options.of(options)
        #: What an arrival is proved by, for the report.
        self.proof = self._options.proof
        self._bucket = self._options.bucket
        self._prefix = f"{self._options.prefix.strip('/')}/".removeprefix("/")
        self._pace = pace or Pace(self._options.rate)
        self._states = States(self._options.state, name, self._bucket)
        secrets = (self._options.secret, self._options.session_token)
        self._faults = Faults(name, tuple(each for each in secrets if each))
        self._client: Any = None
        self._lane: Lane | None = None

    def __repr__(self) -> str:
        return f"S3Target({self.name!r}, bucket={self._bucket!r}, prefix={self._prefix!r})"

    def open(self) -> None:
        """Connect, and see that the bucket is there and may be listed."""
        self._opened()

    def close(self) -> None:
        """Let go of the connections; raises nothing."""
        if self._lane is not None:
            self._lane.close()
            self._lane = None
        if self._client is not None:
            self._client.close()
            self._client = None

    def put(self, local: Path, key: str, *, sha256: str, progress: Progress | None = None, hold: bool = False) -> None:
        """Bring a file there: a large one in parts, going on with those that arrived at an earlier attempt.

        :param hold: whether it is locked there, if the target has a ``lock``.
        """
        whole, s3 = self._whole(key), self._opened()
        sending = Sending(self._pace, progress)
        wishes = self._options.wishes(hold=hold)
        with self._faults.sorted(f"put {key}"):
            with reading(local):
                size = local.stat().st_size
                # Read whole, so that what is sent is what was hashed.
                data = local.read_bytes() if size <= 2 * self._options.part_size else None
            if data is None:
                place = s3parts.Place(s3, whole, wishes, self._options)
                state = self._states.of(local, whole)
                s3parts.Parts(place, local, sha256=sha256, size=size, state=state, sending=sending).put()
                return
            digest = hashlib.sha256(data)
            if digest.hexdigest() != sha256:
                raise changed(local)
            checks = s3parts.digests(
                data, base64.b64encode(digest.digest()).decode(), checksums=self._options.checksums
            )
            if self._lane is not None and len(data) <= SMALL:
                with suppress(Unusual):
                    self._lane.put(whole, data, sha256=sha256, asked={**wishes, **checks}, sending=sending)
                    return
            s3.put_object(Bucket=self._bucket, Key=whole, Body=Piece(data, sending), **wishes, **checks)

    def prove(self, key: str, *, sha256: str, size: int) -> None:
        """See that the file arrived: by the SHA-256 of the whole that the service keeps, else by reading it.

        :raises NotArrived: it is not there, or not the same.
        """
        head = self._head(key)
        if head is None:
            raise NotArrived(f"{self.name}: {key} is not there")
        if head["ContentLength"] != size:
            raise NotArrived(f"{self.name}: {key} has {head['ContentLength']} bytes there, and {size} here")
        kept = None if self._options.proof == "read" else _of_the_whole(head)
        if kept is None:
            found = hashlib.sha256()
            for piece in self.read(key):
                found.update(piece)
            kept = found.hexdigest()
        if kept != sha256:
            raise NotArrived(f"{self.name}: {key} is another file there: SHA-256 {kept}, and {sha256} here")

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes of a file, in pieces.

        :raises PermanentError: there is none.
        """
        whole, s3 = self._whole(key), self._opened()
        with self._faults.sorted(f"read {key}"):
            try:
                body = s3.get_object(Bucket=self._bucket, Key=whole)["Body"]
            except ClientError as error:
                if code(error) == "NoSuchKey":
                    raise PermanentError(f"{self.name}: {key} is not there") from error
                raise
            try:
                yield from body.iter_chunks(_CHUNK)
            finally:
                body.close()

    def size(self, key: str) -> int | None:
        """The bytes of a file; None where there is none."""
        head = self._head(key)
        return None if head is None else int(head["ContentLength"])

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """The files whose keys begin so, in the order of their keys."""
        s3 = self._opened()
        with self._faults.sorted(f"list {prefix}"):
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix + prefix)
            for page in pages:
                for item in page.get("Contents", []):
                    # What consoles make for a folder is no file of ours.
                    if not item["Key"].endswith("/"):
                        yield Entry(item["Key"].removeprefix(self._prefix), item["Size"])

    def delete(self, key: str) -> None:
        """Remove a file; one that is not there is no error. A bucket with versions keeps what was, as one of them."""
        whole, s3 = self._whole(key), self._opened()
        with self._faults.sorted(f"delete {key}"):
            s3.delete_object(Bucket=self._bucket, Key=whole)

    def hold(self, key: str, *, on: bool = True) -> None:
        """Put a file that is there on legal hold, or take it off.

        :raises PermanentError: there is none, or the bucket has no object lock.
        """
        whole, s3 = self._whole(key), self._opened()
        asked = {"ChecksumAlgorithm": "SHA256"} if self._options.checksums else {}
        with self._faults.sorted(f"hold {key}"):
            s3.put_object_legal_hold(
                Bucket=self._bucket, Key=whole, LegalHold={"Status": "ON" if on else "OFF"}, **asked
            )

    def sweep(self, keep: Callable[[str], bool] = lambda key: False) -> int:
        """Have the service forget the uploads below our prefix that were begun and not ended; how many there were.

        Those of other nodes are among them: ``keep`` is to be true for the keys that they bring now.
        """
        s3, count = self._opened(), 0
        with self._faults.sorted("sweep"):
            pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=self._prefix)
            found = [upload for page in pages for upload in page.get("Uploads", [])]
            for upload in found:
                if not keep(upload["Key"].removeprefix(self._prefix)):
                    s3parts.abort(s3, self._bucket, upload["Key"], upload["UploadId"])
                    count += 1
        self._states.forget(lambda whole: keep(whole.removeprefix(self._prefix)))
        return count

    def _opened(self) -> Any:
        if self._client is None:
            with self._faults.sorted("open"):
                s3, lane = client(self._options)
                # Of a HEAD there is no body, and so no word of what is wrong.
                s3.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
                self._client, self._lane = s3, lane
        return self._client

    def _whole(self, key: str) -> str:
        return self._prefix + checked_key(key)

    def _head(self, key: str) -> dict[str, Any] | None:
        whole, s3 = self._whole(key), self._opened()
        with self._faults.sorted(f"look for {key}"):
            if self._lane is not None:
                with suppress(Unusual):
                    return self._lane.head(whole)
            try:
                head: dict[str, Any] = s3.head_object(Bucket=self._bucket, Key=whole, ChecksumMode="ENABLED")
            except ClientError as error:
                if status(error) == 404:
                    return None
                raise
        return head


def _of_the_whole(head: dict[str, Any]) -> str | None:
    """The SHA-256 of a whole file that a service keeps, in hex; None where it keeps none, or one of parts."""
    kept = str(head.get("ChecksumSHA256", ""))
    if not kept or "-" in kept or head.get("ChecksumType") == "COMPOSITE":
        return None
    try:
        return base64.b64decode(kept, validate=True).hex()
    except binascii.Error:
        return None
