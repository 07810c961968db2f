"""Files in parts on S3: what goes on, what begins anew, what is proved and how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from fsivr.errors import ExportError, NotArrived, PermanentError, TransientError
from fsivr.exporter.s3 import S3Target
from tests.exporter.conformance import KEY, MB, brought
from tests.exporter.place import sha256, some
from tests.exporter.s3place import S3Place

_SIZE = 22 * MB


def _interrupted(place: S3Place, local: Path, **more: Any) -> None:
    with place.proxy() as proxy:
        target = place.made(port=proxy.port, concurrency=1, **more)
        target.open()
        proxy.cut_at(12 * MB)
        with pytest.raises(TransientError):
            target.put(local, KEY, sha256=sha256(local))
        target.close()


def _sent(place: S3Place, local: Path, **more: Any) -> int:
    """The bytes that it takes to bring a file there."""
    told: list[int] = []
    target = place.made(**more)
    target.put(local, KEY, sha256=sha256(local), progress=told.append)
    target.prove(KEY, sha256=sha256(local), size=local.stat().st_size)
    target.close()
    assert place.files() == {KEY: local.read_bytes()}
    assert place.rubbish() == []
    return sum(told)


def test_parts_that_arrived_are_not_sent_again(s3: S3Place, tmp_path: Path) -> None:
    local = some(tmp_path, _SIZE)
    _interrupted(s3, local)
    assert _sent(s3, local) == _SIZE - 10 * MB


def test_parts_that_arrived_and_were_not_written_down_are_not_sent_again(s3: S3Place, tmp_path: Path) -> None:
    local = some(tmp_path, _SIZE)
    _interrupted(s3, local)
    (state,) = s3.state.iterdir()
    told = json.loads(state.read_text())
    assert set(told["parts"]) == {"1", "2"}
    state.write_text(json.dumps(told | {"parts": {}}))
    assert _sent(s3, local) == _SIZE - 10 * MB


@pytest.mark.parametrize("part", ["1", "2"])
def test_a_part_that_is_another_is_sent_again(s3: S3Place, tmp_path: Path, part: str) -> None:
    """The state says that it arrived, and the service has other bytes of the same length."""
    local = some(tmp_path, _SIZE)
    _interrupted(s3, local)
    (state,) = s3.state.iterdir()
    upload = json.loads(state.read_text())
    to = {"Bucket": s3.bucket, "Key": upload["key"], "UploadId": upload["upload_id"]}
    s3.weed.client.upload_part(**to, PartNumber=int(part), Body=bytes(5 * MB), ChecksumAlgorithm="SHA256")
    assert _sent(s3, local) == _SIZE - 5 * MB


@pytest.mark.parametrize("state", ["", "[]", '{"parts": {}}', "\x00" * 100])
def test_a_state_that_nobody_can_read_begins_anew(s3: S3Place, tmp_path: Path, state: str) -> None:
    local = some(tmp_path, _SIZE)
    _interrupted(s3, local)
    (path,) = s3.state.iterdir()
    path.write_text(state)
    target = s3.made()
    brought(target, local)
    assert target.sweep() == 1
    target.close()
    assert s3.rubbish() == []


def test_an_upload_that_the_service_forgot_begins_anew(s3: S3Place, tmp_path: Path) -> None:
    local = some(tmp_path, _SIZE)
    _interrupted(s3, local)
    (path,) = s3.state.iterdir()
    kept = path.read_text()
    target = s3.made()
    assert target.sweep() == 1
    target.close()
    path.write_text(kept)
    assert _sent(s3, local) == _SIZE


def test_other_parts_begin_anew(s3: S3Place, tmp_path: Path) -> None:
    local = some(tmp_path, _SIZE)
    _interrupted(s3, local)
    assert _sent(s3, local, part_size=6 * MB) == _SIZE


def test_the_state_is_beside_the_file_if_it_has_no_folder(s3: S3Place, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    local = some(folder, _SIZE)
    _interrupted(s3, local, state=None)
    assert len(list(folder.iterdir())) == 2
    assert _sent(s3, local, state=None) == _SIZE - 10 * MB
    assert list(folder.iterdir()) == [local]


def _lose_the_answer(target: S3Target) -> None:
    def lose(**_: Any) -> None:
        raise ConnectionClosedError(endpoint_url="http://127.0.0.1")

    target.open()
    # The service has done it by then.
    target._client.meta.events.register("after-call.s3.CompleteMultipartUpload", lose)


def test_what_was_done_and_whose_answer_was_lost_is_not_done_again(s3: S3Place, tmp_path: Path) -> None:
    local, target = some(tmp_path, _SIZE), s3.made()
    _lose_the_answer(target)
    with pytest.raises(TransientError):
        target.put(local, KEY, sha256=sha256(local))
    target.close()
    assert _sent(s3, local) == 0


def test_what_was_done_and_then_replaced_is_done_again(s3: S3Place, tmp_path: Path) -> None:
    local, target = some(tmp_path, _SIZE), s3.made()
    _lose_the_answer(target)
    with pytest.raises(TransientError):
        target.put(local, KEY, sha256=sha256(local))
    target.close()
    s3.store(KEY, b"another")
    assert _sent(s3, local) == _SIZE


def test_a_file_that_shrinks_while_it_is_sent_leaves_nothing(s3: S3Place, tmp_path: Path) -> None:
    local = some(tmp_path, _SIZE)
    truth = sha256(local)

    def shrink(count: int) -> None:
        with local.open("r+b") as file:
            file.truncate(10 * MB)

    target = s3.made(concurrency=1)
    with pytest.raises(PermanentError, match=local.name):
        target.put(local, KEY, sha256=truth, progress=shrink)
    target.close()
    assert (s3.files(), s3.rubbish()) == ({}, [])


def test_a_state_that_cannot_be_written_names_the_disk(s3: S3Place, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    target = s3.made(state=str(tmp_path / "file" / "state"))
    local = some(tmp_path, _SIZE)
    with pytest.raises(PermanentError, match="cannot be written"):
        target.put(local, KEY, sha256=sha256(local))
    target.sweep()
    target.close()
    assert s3.rubbish() == []


@pytest.mark.parametrize("size", [480_000, _SIZE])
def test_a_service_without_sha256_is_proved_by_reading(s3: S3Place, tmp_path: Path, size: int) -> None:
    local = some(tmp_path, size)
    assert _sent(s3, local, checksums=False) == size
    head = s3.head(KEY)
    assert head is not None and "ChecksumSHA256" not in head
    s3.damage(KEY)
    target = s3.made(checksums=False)
    with pytest.raises(NotArrived):
        target.prove(KEY, sha256=sha256(local), size=size)
    target.close()


def test_a_bit_that_a_disk_lost_is_found_by_reading(s3: S3Place, tmp_path: Path) -> None:
    local = some(tmp_path, 480_000)
    target = s3.made(proof="read")
    brought(target, local)
    mark = local.read_bytes()[1000:1064]
    hits = 0
    for path in s3.weed.data.glob("*.dat"):
        if (at := path.read_bytes().find(mark)) >= 0:
            hits += 1
            with path.open("r+b") as file:
                file.seek(at)
                file.write(bytes([mark[0] ^ 1]))
    assert hits == 1
    # The service's own checks may see it, and then it does not hand it out.
    with pytest.raises(ExportError):
        target.prove(KEY, sha256=sha256(local), size=480_000)
    target.close()
