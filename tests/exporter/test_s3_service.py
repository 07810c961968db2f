"""What a service does with files of ours: encryption, classes, locks, versions."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from fsivr.errors import PermanentError
from fsivr.exporter.pace import Pace
from fsivr.exporter.s3 import S3Target
from tests.exporter.conformance import KEY, MB, brought
from tests.exporter.place import sha256, some
from tests.exporter.s3place import S3Place
from tests.exporter.weed import Weed


@pytest.fixture
def locked(weed: Weed, tmp_path: Path) -> S3Place:
    """A place in a bucket that was made with object lock, and so with versions."""
    weed.make("locked", lock=True)
    return S3Place(weed, tmp_path, bucket="locked")


@pytest.mark.parametrize("size", [480_000, 12 * MB])
def test_a_file_is_encrypted_and_proved(s3: S3Place, tmp_path: Path, size: int) -> None:
    local, target = some(tmp_path, size), s3.made(encryption="AES256")
    brought(target, local)
    target.close()
    head = s3.head(KEY)
    assert head is not None and head["ServerSideEncryption"] == "AES256"
    assert s3.files() == {KEY: local.read_bytes()}


@pytest.mark.parametrize("size", [480_000, 12 * MB])
def test_a_file_has_its_class(s3: S3Place, tmp_path: Path, size: int) -> None:
    target = s3.made(storage_class="STANDARD_IA")
    brought(target, some(tmp_path, size))
    target.close()
    head = s3.head(KEY)
    assert head is not None and head["StorageClass"] == "STANDARD_IA"


@pytest.mark.parametrize("size", [480_000, 12 * MB])
def test_a_recording_on_hold_is_held_there(locked: S3Place, tmp_path: Path, size: int) -> None:
    local, target = some(tmp_path, size), locked.made(lock="legal-hold")
    target.put(local, KEY, sha256=sha256(local), hold=True)
    target.prove(KEY, sha256=sha256(local), size=size)
    head = locked.head(KEY)
    assert head is not None and head["ObjectLockLegalHoldStatus"] == "ON"
    whole = {"Bucket": "locked", "Key": locked.prefix + KEY, "VersionId": head["VersionId"]}
    with pytest.raises(ClientError, match="AccessDenied"):
        locked.weed.client.delete_object(**whole)
    target.hold(KEY, on=False)
    head = locked.head(KEY)
    assert head is not None and head["ObjectLockLegalHoldStatus"] == "OFF"
    locked.weed.client.delete_object(**whole)
    target.close()


@pytest.mark.parametrize("size", [480_000, 12 * MB])
def test_a_recording_on_hold_is_kept_until(locked: S3Place, tmp_path: Path, size: int) -> None:
    local, target = some(tmp_path, size), locked.made(lock="governance", lock_days=1)
    target.put(local, KEY, sha256=sha256(local), hold=True)
    head = locked.head(KEY)
    assert head is not None and head["ObjectLockMode"] == "GOVERNANCE"
    assert head["ObjectLockRetainUntilDate"] > head["LastModified"]
    target.put(local, "free.wav", sha256=sha256(local))
    free = locked.head("free.wav")
    assert free is not None and "ObjectLockMode" not in free
    target.close()


def test_a_hold_in_a_bucket_without_locks_says_so(s3: S3Place, tmp_path: Path) -> None:
    local, target = some(tmp_path, 1000), s3.made(lock="legal-hold")
    with pytest.raises(PermanentError, match="object lock"):
        target.put(local, KEY, sha256=sha256(local), hold=True)
    brought(target, local)
    with pytest.raises(PermanentError, match="object lock"):
        target.hold(KEY)
    target.close()


def test_a_deleted_file_of_a_bucket_with_versions_is_gone(locked: S3Place, tmp_path: Path) -> None:
    target = locked.made()
    brought(target, some(tmp_path, 1000))
    target.delete(KEY)
    assert target.size(KEY) is None
    assert list(target.entries()) == []
    target.close()


def test_more_files_than_a_page_are_all_listed(s3: S3Place) -> None:
    keys = [f"2026/11/24/{number:04d}.json" for number in range(1003)]
    for key in keys:
        s3.store(key, b"")
    target = s3.made()
    assert [entry.key for entry in target.entries()] == keys
    target.close()


def test_a_folder_that_a_console_made_is_no_file(s3: S3Place) -> None:
    s3.store("2026/", b"")
    s3.store("2026/a.wav", b"1")
    target = s3.made()
    assert [entry.key for entry in target.entries()] == ["2026/a.wav"]
    target.close()


@pytest.mark.parametrize("size", [480_000, 12 * MB])
def test_what_goes_out_is_paced_once(s3: S3Place, tmp_path: Path, size: int) -> None:
    """Each byte takes its time once, though a plain connection reads them twice: to sign, and to send."""
    waited: list[float] = []
    pace = Pace(MB, clock=lambda: 0.0, sleep=waited.append)
    local, target = some(tmp_path, size), S3Target(pace=pace, **s3.arguments())
    brought(target, local)
    target.close()
    # The clock stands still, so that the last one to go waits for all before it.
    assert max(waited) == pytest.approx(size / MB, rel=0.1, abs=0.3)


def test_only_what_is_below_the_prefix_is_swept(s3: S3Place) -> None:
    to = {"Bucket": s3.bucket, "Key": f"{s3.prefix.removesuffix('/')}-other/x.wav"}
    upload = s3.weed.client.create_multipart_upload(**to)["UploadId"]
    target = s3.made()
    assert target.sweep() == 0
    target.close()
    s3.weed.client.abort_multipart_upload(**to, UploadId=upload)
