"""Keys at a target: of any recording one that leads nowhere else, whatever a handler or caller is called."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsivr.exporter.keys import id_in, keys_of, word
from fsivr.exporter.manifest import manifest_key
from fsivr.exporter.target import checked_key
from fsivr.recordings import Sidecar

ID = "20261124T135551.123Z-0123456789ab"
ALL = "{year}/{month}/{day}/{hour}/{handler}/{node}/{retention}/{id}.wav"


def sidecar(**told: object) -> Sidecar:
    """What is told of a recording."""
    columns = {"call": "c", "started": datetime(2026, 11, 24, tzinfo=UTC), "state": "sealed", **told}
    return Sidecar(id=ID, **columns)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("template", "audio"),
    [
        ("{year}/{month}/{day}/{id}.wav", f"2026/11/24/{ID}.wav"),
        ("{hour}/{handler}-{id}.wav", f"13/Survey-{ID}.wav"),
        ("{node}/{retention}/{id}.wav", f"ivr-1_example/complaints/{ID}.wav"),
    ],
)
def test_a_key_is_made_of_what_is_told(template: str, audio: str) -> None:
    told = sidecar(handler="apps.survey.Survey", node="ivr-1.example", retention="complaints", caller="+1999")
    assert keys_of(template, told) == (audio, audio.removesuffix(".wav") + ".json")


@pytest.mark.parametrize(
    "hostile", ["../../etc/passwd", "a/b", "..", ".", "", "x\0y", "é", "a b", "{id}", "-rf", "a\nb"]
)
def test_what_is_hostile_becomes_one_word(hostile: str) -> None:
    audio, _ = keys_of(ALL, sidecar(handler=hostile, node=hostile, retention=hostile))
    assert checked_key(audio).count("/") == ALL.count("/")
    assert audio.startswith("2026/11/24/13/")
    assert audio.endswith(f"/{ID}.wav")


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_any_recording_has_a_key(handler: str, node: str, retention: str) -> None:
    audio, beside = keys_of(ALL, sidecar(handler=handler, node=node, retention=retention))
    assert checked_key(audio) and checked_key(beside)
    assert audio.count("/") == ALL.count("/")
    assert ".." not in audio
    assert id_in(audio) == id_in(beside) == ID


@given(st.text(max_size=300))
def test_a_word_is_one(text: str) -> None:
    found = word(text)
    assert 1 <= len(found) <= 64
    assert found == word(found)
    assert "/" not in found and "." not in found


def test_a_manifests_key_tells_its_run() -> None:
    assert manifest_key(ID) == f"manifests/2026/11/24/{ID}.json"
    assert id_in(manifest_key(ID)) == ID
    assert id_in("2026/11/24/x.wav") == ""
