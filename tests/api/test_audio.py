"""The sound of recordings over the API: whole, in parts, not at all; and who listened."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from fsivr.api.errors import Problem
from fsivr.api.ranges import Part, part_of
from fsivr.recordings import Archive
from fsivr.store import Store
from tests.api.stock import ELSEWHERE, FAILED, PURGED, RUNNING, SEALED, audit
from tests.api.test_recordings import archive, clients

__all__ = ["archive", "clients"]

WHERE = f"/api/v1/recordings/{SEALED}/audio"


@pytest.mark.parametrize(
    ("header", "size", "part"),
    [
        (None, 10, None),
        ("bytes=0-3", 10, (0, 4)),
        ("bytes=3-", 10, (3, 7)),
        ("bytes=-3", 10, (7, 3)),
        ("bytes=-30", 10, (0, 10)),
        ("bytes=9-999999999999999999", 10, (9, 1)),
        ("Bytes= 1-1 ", 10, (1, 1)),
        ("bytes=10-", 10, 416),
        ("bytes=-0", 10, 416),
        ("bytes=0-0", 0, 416),
        ("bytes=-", 10, None),
        ("bytes=3-1", 10, None),
        ("bytes=0-1,3-4", 10, None),
        ("bytes=1-9999999999999999999", 10, None),
        ("bytes=\u0661-2", 10, None),
        ("lines=0-1", 10, None),
        ("bytes=a-b", 10, None),
        ("", 10, None),
    ],
)
def test_ranges(header: str | None, size: int, part: tuple[int, int] | int | None) -> None:
    if part == 416:
        with pytest.raises(Problem) as caught:
            part_of(header, size)
        assert (caught.value.status, caught.value.headers) == (416, {"Content-Range": f"bytes */{size}"})
        return
    assert part_of(header, size) == part


def test_what_a_part_is_called() -> None:
    assert Part(3, 4).said(10) == "bytes 3-6/10"


def test_the_whole_sound(clients: dict[str, FlaskClient], archive: Archive, store: Store) -> None:
    data = archive.folders.place(SEALED).read_bytes()
    answer = clients["read"].get(WHERE)
    assert (answer.status_code, answer.data) == (200, data)
    assert answer.content_type == "audio/wav"
    assert answer.headers["Content-Length"] == str(len(data))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == f'"{archive.sidecar(SEALED).sha256}"'
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{SEALED}.wav"'
    ((who, what, detail),) = audit(store, "recording.listen")
    assert (who, what, detail["range"]) == ("read 0", SEALED, f"bytes 0-{len(data) - 1}/{len(data)}")


def test_a_part(clients: dict[str, FlaskClient], archive: Archive, store: Store) -> None:
    data = archive.folders.place(SEALED).read_bytes()
    etag = f'"{archive.sidecar(SEALED).sha256}"'
    answer = clients["read"].get(WHERE, headers={"Range": "bytes=10-19", "If-Range": etag})
    assert (answer.status_code, answer.data) == (206, data[10:20])
    assert answer.headers["Content-Range"] == f"bytes 10-19/{len(data)}"
    assert answer.headers["Content-Length"] == "10"
    other = clients["read"].get(WHERE, headers={"Range": "bytes=10-19", "If-Range": '"other"'})
    assert (other.status_code, other.data) == (200, data)
    heard = [detail["range"] for _, _, detail in audit(store, "recording.listen")]
    assert heard == [f"bytes 10-19/{len(data)}", f"bytes 0-{len(data) - 1}/{len(data)}"]


def test_who_hears_nothing_is_not_in_the_audit(clients: dict[str, FlaskClient], archive: Archive, store: Store) -> None:
    etag = f'"{archive.sidecar(SEALED).sha256}"'
    reader = clients["read"]
    head = reader.head(WHERE)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(archive.folders.place(SEALED).stat().st_size)
    assert reader.head(WHERE, headers={"Range": "bytes=0-1"}).headers["Content-Length"] == "2"
    same = reader.get(WHERE, headers={"If-None-Match": etag})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
    assert reader.get(WHERE, headers={"Range": "bytes=999999-"}).status_code == 416
    assert audit(store, "recording.listen") == []


@pytest.mark.parametrize(
    ("id", "status", "text"),
    [
        (RUNNING, 409, "being recorded"),
        (ELSEWHERE, 409, "ivr-2"),
        (PURGED, 410, "removed"),
        (FAILED, 404, "failed"),
        ("20260301T120000.000Z-0123456789ab", 404, "no recording"),
        ("..%2f..%2fetc%2fpasswd", 404, ""),
        ("%2e%2e", 404, ""),
        (f"{SEALED}%00", 400, "NUL"),
        (f"{SEALED}%0d%0aX: y", 404, ""),
    ],
)
def test_where_there_is_no_sound(clients: dict[str, FlaskClient], id: str, status: int, text: str) -> None:
    answer = clients["read"].get(f"/api/v1/recordings/{id}/audio")
    assert answer.status_code == status
    assert text in answer.json["error"]["message"]


def test_a_file_that_is_a_link_is_not_sent(clients: dict[str, FlaskClient], archive: Archive, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    place = archive.folders.place(SEALED)
    place.unlink()
    place.symlink_to(secret)
    answer = clients["read"].get(WHERE)
    assert answer.status_code == 409
    assert b"secret\n" not in answer.data


def test_a_large_file_is_sent_in_pieces(clients: dict[str, FlaskClient], archive: Archive) -> None:
    archive.folders.place(SEALED).write_bytes(bytes(range(256)) * 1000)
    answer = clients["read"].get(WHERE, buffered=False)
    pieces = list(answer.iter_encoded())
    answer.close()
    assert [len(piece) for piece in pieces] == [65536, 65536, 65536, 59392]
