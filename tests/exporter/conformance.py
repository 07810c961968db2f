"""What every target does, against a real server: a subclass named ``Test…`` with a fixture ``place`` runs it all.

The second half, of what goes wrong on the way, is in ``conformance_faults``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsivr.errors import NotArrived, PermanentError
from fsivr.exporter.target import Entry, Target
from tests.exporter.place import Place, sha256, some

KEY = "2026/11/24/20261124T135551.123Z-0123456789ab.wav"
MB = 1024 * 1024

_BAD_KEYS = ["../x.wav", "a/../../x.wav", "/x.wav", "a//x.wav", "", "a\nb", "a b", "é.wav", "a/.", "a/"]


def brought(target: Target, local: Path, key: str = KEY) -> None:
    """Put a file and prove it, as a run of the export does."""
    target.put(local, key, sha256=sha256(local))
    target.prove(key, sha256=sha256(local), size=local.stat().st_size)


class Conformance:
    """The promises of ``Target``, where nothing goes wrong on the way."""

    @pytest.fixture
    def target(self, place: Place) -> Iterator[Target]:
        target = place.target()
        target.open()
        yield target
        target.close()

    @pytest.mark.parametrize("size", [0, 1, 480_000, 20 * MB])
    def test_a_file_arrives_byte_for_byte(self, place: Place, target: Target, tmp_path: Path, size: int) -> None:
        local, told = some(tmp_path, size), []
        target.put(local, KEY, sha256=sha256(local), progress=told.append)
        target.prove(KEY, sha256=sha256(local), size=size)
        assert place.files() == {KEY: local.read_bytes()}
        assert sum(told) == size
        assert target.size(KEY) == size
        assert b"".join(target.read(KEY)) == local.read_bytes()
        assert list(target.entries()) == [Entry(KEY, size)]
        assert place.rubbish() == []
        target.delete(KEY)
        assert place.files() == {}
        assert target.size(KEY) is None

    def test_nothing_is_there_before_it_came(self, target: Target, tmp_path: Path) -> None:
        local = some(tmp_path, 10)
        assert target.size(KEY) is None
        assert list(target.entries()) == []
        target.delete(KEY)
        with pytest.raises(PermanentError, match=KEY):
            b"".join(target.read(KEY))
        with pytest.raises(NotArrived, match=KEY):
            target.prove(KEY, sha256=sha256(local), size=10)

    def test_it_is_opened_and_closed_as_often_as_one_likes(self, place: Place, tmp_path: Path) -> None:
        target = place.target()
        target.close()
        for _ in range(2):
            target.open()
            target.open()
            brought(target, some(tmp_path, 100))
            target.close()
            target.close()
        assert list(place.files()) == [KEY]

    def test_entries_are_those_below_a_prefix_in_order(self, target: Target, tmp_path: Path) -> None:
        keys = [
            "2026/11/24/b.wav",
            "2026/11/24/a.wav",
            "2026/11/25/a.json",
            "2026/11/25/a.wav",
            "2026/12/a.wav",
            "m.json",
        ]
        for number, key in enumerate(keys):
            brought(target, some(tmp_path, number), key)
        sizes = {key: number for number, key in enumerate(keys)}
        assert list(target.entries()) == [Entry(key, sizes[key]) for key in sorted(keys)]
        for prefix in ("2026/11/", "2026/11/2", "2026/11/25/a", "2026/11/25/a.wav", "2027", "2026/11/24/a.wav/"):
            assert [entry.key for entry in target.entries(prefix)] == sorted(k for k in keys if k.startswith(prefix))

    @pytest.mark.parametrize("size", [480_000, 20 * MB])
    def test_put_twice_is_as_put_once(self, place: Place, target: Target, tmp_path: Path, size: int) -> None:
        local = some(tmp_path, size)
        brought(target, local)
        brought(target, local)
        assert place.files() == {KEY: local.read_bytes()}
        assert place.rubbish() == []

    @pytest.mark.parametrize(("old", "new"), [(480_000, 400_000), (400_000, 480_000), (20 * MB, 480_000), (1000, 1000)])
    def test_a_new_file_replaces_an_old_one(
        self, place: Place, target: Target, tmp_path: Path, old: int, new: int
    ) -> None:
        brought(target, some(tmp_path, old, seed=1))
        local = some(tmp_path, new, seed=2)
        with pytest.raises(NotArrived):
            target.prove(KEY, sha256=sha256(local), size=new)
        brought(target, local)
        assert place.files() == {KEY: local.read_bytes()}

    @pytest.mark.parametrize("size", [480_000, 20 * MB])
    def test_a_changed_byte_is_found(self, place: Place, target: Target, tmp_path: Path, size: int) -> None:
        local = some(tmp_path, size)
        brought(target, local)
        place.damage(KEY)
        with pytest.raises(NotArrived, match=KEY):
            target.prove(KEY, sha256=sha256(local), size=size)
        brought(target, local)
        assert place.files() == {KEY: local.read_bytes()}

    def test_a_file_that_was_removed_or_shortened_is_missed(self, place: Place, target: Target, tmp_path: Path) -> None:
        local = some(tmp_path, 480_000)
        brought(target, local)
        place.store(KEY, local.read_bytes()[:-1])
        with pytest.raises(NotArrived, match=KEY):
            target.prove(KEY, sha256=sha256(local), size=480_000)
        place.remove(KEY)
        with pytest.raises(NotArrived, match=KEY):
            target.prove(KEY, sha256=sha256(local), size=480_000)

    def test_a_server_that_says_yes_and_keeps_nothing_is_found_out(self, place: Place, tmp_path: Path) -> None:
        local = some(tmp_path, 480_000)
        with place.liar() as target:
            target.open()
            target.put(local, KEY, sha256=sha256(local))
            with pytest.raises(NotArrived, match=KEY):
                target.prove(KEY, sha256=sha256(local), size=480_000)
            target.close()

    @pytest.mark.parametrize("size", [480_000, 20 * MB])
    def test_a_local_file_that_is_not_what_its_sidecar_says_is_not_brought(
        self, place: Place, target: Target, tmp_path: Path, size: int
    ) -> None:
        local = some(tmp_path, size)
        truth = sha256(local)
        with local.open("r+b") as file:
            file.seek(size - 5)
            file.write(b"wrong")
        with pytest.raises(PermanentError, match=local.name):
            target.put(local, KEY, sha256=truth)
        assert place.files() == {}
        assert place.rubbish() == []

    def test_a_local_file_that_is_gone_is_named(self, place: Place, target: Target, tmp_path: Path) -> None:
        with pytest.raises(PermanentError, match=r"gone\.wav"):
            target.put(tmp_path / "gone.wav", KEY, sha256="0" * 64)
        assert place.files() == {}

    @pytest.mark.parametrize(
        "key", ["../x.wav", "a/../../x.wav", "/x.wav", "a//x.wav", "", "a\nb", "a b", "é.wav", "a/."]
    )
    def test_a_key_that_leaves_the_place_is_refused(
        self, place: Place, target: Target, tmp_path: Path, key: str
    ) -> None:
        local = some(tmp_path, 10)
        with pytest.raises(PermanentError):
            target.put(local, key, sha256=sha256(local))
        with pytest.raises(PermanentError):
            target.delete(key)
        assert place.files() == {}

    def test_a_wrong_password_says_what_to_do_and_no_secret(
        self, place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        denied, target = place.denied(), place.target()
        with pytest.raises(PermanentError, match=place.refused) as refused:
            self._all(denied, some(tmp_path, 100))
        self._all(target, some(tmp_path, 100))
        told = [str(refused.value), repr(refused.value), repr(denied), repr(target), caplog.text]
        for secret in place.secrets:
            assert secret not in "\n".join(told)

    def test_another_server_in_its_place_gets_nothing(self, place: Place, tmp_path: Path) -> None:
        with place.other_server() as target, pytest.raises(PermanentError, match=place.impostor):
            self._all(target, some(tmp_path, 100))
        assert place.files() == {}

    @staticmethod
    def _all(target: Target, local: Path) -> None:
        try:
            target.open()
            brought(target, local)
        finally:
            target.close()
