"""The sidecar: what is told of a recording is read again as it was written, or refused with a reason."""

from __future__ import annotations

import json
import math
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsivr.errors import ArchiveError
from fsivr.recordings import Exported, Hold, Sidecar
from fsivr.recordings.folders import Folders
from fsivr.recordings.sidecar import STATES
from tests.recordings.kept import START, id_of

ID = id_of(0)
_PLAIN = Sidecar(id=ID, call="c", started=START, state="sealed")

_text = st.text(st.characters(exclude_categories=())) | st.sampled_from(["'; DROP", "a\0b", "\ud800\udc00", "é" * 5000])
_moments = st.datetimes(
    datetime(1970, 1, 2), datetime(9999, 12, 28), timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9))])
)
_seconds = st.floats(0, 1e9)
_spans = st.lists(
    st.tuples(_seconds, _seconds | st.just(math.inf)).map(lambda span: (min(span), max(span))), max_size=5
).map(tuple)
_sidecars = st.builds(
    Sidecar,
    id=st.integers(0, 500_000).map(id_of),
    **dict.fromkeys(("call", "leg", "handler", "caller", "dialled", "codec", "completion", "hangup_cause"), _text),
    **dict.fromkeys(("node", "retention"), _text),
    started=_moments,
    **dict.fromkeys(("stopped", "consent", "verified"), st.none() | _moments),
    duration=st.none() | _seconds,
    channels=st.none() | st.integers(1, 64),
    rate=st.none() | st.integers(1, 1_000_000),
    bytes=st.none() | st.integers(0, 2**62),
    sha256=st.sampled_from(["", "0a" * 32]),
    state=st.sampled_from(STATES),
    mask_spans=_spans,
    hold=st.none() | st.builds(Hold, _text, _text, _moments),
    exported=st.none() | st.builds(Exported, _moments, _text),
    owner=st.from_regex(r"[0-9A-Za-z_-]{0,64}", fullmatch=True),
)


@given(_sidecars)
def test_what_is_written_is_read(sidecar: Sidecar) -> None:
    data = sidecar.encode()
    assert Sidecar.decode(data) == sidecar
    assert Sidecar.decode(data).encode() == data
    data.decode("ascii")
    json.loads(data, parse_constant=pytest.fail)
    assert len(sidecar.caller) <= 1024
    sidecar.caller.encode()
    # What the database keeps of it.
    row = sidecar.row()
    assert row.key == sidecar.id
    assert len(row.values(*row.given)) == len(row.statement.columns)


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["version", "id", "x"]), inner),
).map(lambda found: json.dumps(found).encode()))  # fmt: skip
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ArchiveError, match="is no sidecar of a recording"):
        Sidecar.decode(data)


_WRONG: list[tuple[str, Any, str]] = [
    ("version", 2, "version 2, and this fsivr knows version 1"),
    ("version", True, "version True"),
    ("version", None, "version None"),
    ("id", "../../etc/passwd", "is not the id of a recording"),
    ("id", "20260231T000000.000Z-000000000000", "is not the id"),
    ("id", 5, "is not the id"),
    ("id", ID + "\n", "is not the id"),
    ("state", "lost", "state is one of recording, sealed"),
    ("state", ["sealed"], "state is one of"),
    ("bytes", -1, "bytes is a whole number"),
    ("bytes", 1.5, "bytes is a whole number"),
    ("bytes", True, "bytes is a whole number"),
    ("bytes", 10**30, "bytes is a whole number"),
    ("duration", "1", "duration is a number of seconds"),
    ("duration", -0.5, "duration is a number of seconds"),
    ("channels", 0, "channels is a whole number from 1"),
    ("rate", 0, "rate is a whole number"),
    ("sha256", "A" * 64, "sha256 is 64 hexadecimal digits"),
    ("sha256", "a" * 63, "sha256 is 64"),
    ("caller", 5, "caller is text"),
    ("started", None, "started is a time with a zone"),
    ("started", "2026-01-01T00:00:00", "started is a time as"),
    ("started", "yesterday", "started is a time as"),
    ("started", "9999-12-31T23:59:59-14:00", "started is a time as"),
    ("started", 5, "started is a time as"),
    ("mask_spans", [[1]], "mask_spans is a list"),
    ("mask_spans", {"1": 2}, "mask_spans is a list"),
    ("mask_spans", [[2, 1]], "none of which ends before it begins"),
    ("mask_spans", [["a", "b"]], "mask_spans is a number of seconds"),
    ("hold", {"reason": "x", "by": "y"}, "missing: at"),
    ("hold", "x", "hold is an object"),
    ("hold", {"reason": "x", "by": "y", "at": None}, "at is a time"),
    ("exported", {"at": "2026-01-01T00:00:00Z", "export": 5}, "export is text"),
    ("owner", "../x", "owner is up to 64 letters"),
    ("more", 1, "unknown: 'more'"),
]


@pytest.mark.parametrize(("name", "value", "said"), _WRONG)
def test_each_wrong_value_is_named(name: str, value: Any, said: str) -> None:
    told = _PLAIN.document() | {name: value}
    with pytest.raises(ArchiveError) as caught:
        Sidecar.decode(json.dumps(told).encode())
    assert said in str(caught.value)


@pytest.mark.parametrize("name", [name for name in _PLAIN.document() if name != "version"])
def test_each_field_has_to_be_there(name: str) -> None:
    told = _PLAIN.document()
    del told[name]
    with pytest.raises(ArchiveError, match=f"missing: {name}"):
        Sidecar.decode(json.dumps(told).encode())


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"version": NaN}', b'{"a": 1' + b"0" * 10_000 + b"}", b"\xff", b""])
def test_hostile_json_is_refused(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        Sidecar.decode(data)


def test_a_number_that_is_too_large_for_a_float_is_refused() -> None:
    data = _PLAIN.encode().replace(b'"duration": null', b'"duration": 1e999')
    with pytest.raises(ArchiveError, match="duration is a number of seconds"):
        Sidecar.decode(data)


@pytest.mark.parametrize("columns", [{"duration": math.nan}, {"started": datetime(2026, 1, 1)}, {"state": "x"}])
def test_none_is_made_that_could_not_be_read(columns: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(columns))} is "):
        replace(_PLAIN, **columns)


# -- its file ---------------------------------------------------------------------------------


def _place(folder: Path) -> Path:
    return folder / f"{ID}.json"


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = _place(tmp_path)
    before = os.umask(0o077)
    try:
        _PLAIN.save(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert Sidecar.load(path) == _PLAIN
    changed = replace(_PLAIN, caller="0123")
    changed.save(path)
    assert Sidecar.load(path) == changed
    assert os.listdir(tmp_path) == [path.name]


def test_what_was_there_stays_where_it_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _place(tmp_path)
    _PLAIN.save(path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace(_PLAIN, caller="0123").save(path)
    assert os.listdir(tmp_path) == [path.name]
    assert Sidecar.load(path) == _PLAIN


def test_it_is_not_written_for_another(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not where"):
        _PLAIN.save(tmp_path / f"{id_of(1)}.json")
    assert os.listdir(tmp_path) == []


def test_what_is_read_is_of_the_recording_that_was_asked_for(tmp_path: Path) -> None:
    other = tmp_path / f"{id_of(1)}.json"
    other.write_bytes(_PLAIN.encode())
    with pytest.raises(ArchiveError, match="tells of another recording"):
        Sidecar.load(other)
    with pytest.raises(FileNotFoundError):
        Sidecar.load(_place(tmp_path))


def test_neither_link_nor_pipe_nor_folder_is_read(tmp_path: Path) -> None:
    _PLAIN.save(_place(tmp_path))
    (tmp_path / "a").mkdir()
    link, pipe, folder = (tmp_path / "a" / f"{id_of(each)}.json" for each in range(3))
    link.symlink_to(_place(tmp_path))
    os.mkfifo(pipe)
    folder.mkdir()
    for path, said in ((link, "is a link"), (pipe, "is no file"), (folder, "is no file")):
        with pytest.raises(ArchiveError, match=said):
            Sidecar.load(path)
    opened = [os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]
    assert not [path for path in opened if path.startswith(str(tmp_path))]


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path: Path) -> None:
    path = _place(tmp_path)
    with path.open("wb") as writing:
        writing.truncate(10**12)
    with pytest.raises(ArchiveError, match="more than 1048576 bytes"):
        Sidecar.load(path)


def test_the_path_of_a_recording_under_way_is_in_the_spool(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    assert tmp_path / replace(_PLAIN, state="recording").path == folders.spooled(ID)
    for state in set(STATES) - {"recording"}:
        assert tmp_path / replace(_PLAIN, state=state).path == folders.place(ID)
