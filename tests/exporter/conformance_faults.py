"""What every target does where something goes wrong on the way: the second half of the conformance tests."""

from __future__ import annotations

import random
from pathlib import Path

import gevent
import pytest

from fsivr.errors import ExportError, NotArrived, TransientError
from tests.exporter.conformance import KEY, MB, brought
from tests.exporter.place import Place, sha256, some

_SIZE = 24 * MB


class ConformanceWhereItFails:
    """The promises of ``Target``, with a bad network, a bad server and a process that is killed."""

    @pytest.mark.parametrize("seed", range(4))
    def test_a_killed_process_leaves_no_file_and_the_next_ends_it(
        self, place: Place, tmp_path: Path, seed: int
    ) -> None:
        local = some(tmp_path, _SIZE, seed=seed)
        with place.proxy() as proxy:
            child = place.child(local, KEY, port=proxy.port)
            proxy.at(random.Random(seed).randrange(2000, _SIZE), child.kill)
            assert child.wait(60) == -9
            child.communicate()
        assert place.files() == {}
        target = place.target()
        target.open()
        brought(target, local)
        target.sweep()
        target.close()
        assert place.files() == {KEY: local.read_bytes()}
        assert place.rubbish() == []

    @pytest.mark.parametrize("part", [0.01, 0.5, 0.99])
    def test_a_cut_connection_leaves_no_file_and_the_next_goes_on(
        self, place: Place, tmp_path: Path, part: float
    ) -> None:
        local = some(tmp_path, _SIZE)
        with place.proxy() as proxy:
            target = place.target(port=proxy.port)
            target.open()
            proxy.cut_at(int(part * _SIZE))
            with pytest.raises(TransientError):
                target.put(local, KEY, sha256=sha256(local))
            target.close()
            assert place.files() == {}
            first, target = proxy.up, place.target(port=proxy.port)
            target.open()
            brought(target, local)
            again = proxy.up - first
            target.close()
        assert place.files() == {KEY: local.read_bytes()}
        assert place.rubbish() == []
        if place.resumes and part > 0.5:
            assert again < 0.6 * _SIZE

    def test_another_file_does_not_go_on_where_the_first_ended(self, place: Place, tmp_path: Path) -> None:
        old, new = some(tmp_path, _SIZE, seed=1, name="x.wav"), tmp_path / "x.wav"
        self._interrupt(place, old)
        some(tmp_path, _SIZE, seed=2, name="x.wav")
        target = place.target()
        target.open()
        brought(target, new)
        target.close()
        assert place.files() == {KEY: new.read_bytes()}
        assert place.rubbish() == []

    def test_a_file_that_changed_after_it_was_interrupted_leaves_nothing(self, place: Place, tmp_path: Path) -> None:
        local = some(tmp_path, _SIZE)
        truth = sha256(local)
        self._interrupt(place, local)
        with local.open("r+b") as file:
            file.write(b"wrong")
        target = place.target()
        target.open()
        with pytest.raises(ExportError, match=local.name):
            target.put(local, KEY, sha256=truth)
        target.close()
        assert place.files() == {}
        assert place.rubbish() == []

    def test_what_was_half_brought_is_swept(self, place: Place, tmp_path: Path) -> None:
        self._interrupt(place, some(tmp_path, _SIZE))
        assert place.rubbish() != [] or not place.resumes
        target = place.target()
        target.open()
        brought(target, some(tmp_path, 1000), "whole.wav")
        half = len(place.rubbish())
        assert target.sweep(lambda key: key == KEY) == 0
        assert target.sweep() == half
        assert place.rubbish() == []
        assert target.sweep() == 0
        target.close()
        assert list(place.files()) == ["whole.wav"]

    def test_a_server_that_is_down_is_tried_again_later(self, place: Place, tmp_path: Path) -> None:
        local, target = some(tmp_path, 480_000), place.target(timeout=5)
        target.open()
        place.stop()
        try:
            with pytest.raises(TransientError):
                brought(target, local)
            with pytest.raises(TransientError):
                target.prove(KEY, sha256=sha256(local), size=480_000)
            target.close()
            with pytest.raises(TransientError):
                place.target(timeout=5).open()
        finally:
            place.start()
        target.open()
        brought(target, local)
        target.close()
        assert place.files() == {KEY: local.read_bytes()}

    def test_a_server_that_is_restarted_in_the_middle(self, place: Place, tmp_path: Path) -> None:
        local = some(tmp_path, _SIZE)
        with place.proxy() as proxy:
            target = place.target(port=proxy.port)
            target.open()
            proxy.at(_SIZE // 2, place.stop)
            try:
                with pytest.raises(TransientError):
                    target.put(local, KEY, sha256=sha256(local))
                target.close()
            finally:
                place.start()
            target.open()
            brought(target, local)
            target.close()
        assert place.files() == {KEY: local.read_bytes()}
        assert place.rubbish() == []

    def test_a_server_that_says_nothing_more_is_given_up(self, place: Place, tmp_path: Path) -> None:
        local = some(tmp_path, 6 * MB)
        with place.proxy() as proxy:
            target = place.target(port=proxy.port, timeout=1)
            target.open()
            proxy.at(3 * MB, proxy.stall)
            with gevent.Timeout(60), pytest.raises(TransientError):
                target.put(local, KEY, sha256=sha256(local))
            target.close()
            proxy.resume()
            target.open()
            brought(target, local)
            target.close()
        assert place.files() == {KEY: local.read_bytes()}

    def test_a_slow_server_is_waited_for(self, place: Place, tmp_path: Path) -> None:
        # It takes longer than the time-out, and longer than what fits into the system's buffers.
        local = some(tmp_path, 16 * MB)
        with place.proxy() as proxy:
            target = place.target(port=proxy.port, timeout=4)
            target.open()
            proxy.rate = 3 * MB
            brought(target, local)
            target.close()
        assert place.files() == {KEY: local.read_bytes()}

    def test_a_full_server_keeps_no_half(self, place: Place, tmp_path: Path) -> None:
        full = place.full()
        if full is None:
            return
        local = some(tmp_path, 20 * MB)
        with full as target:
            target.open()
            with pytest.raises(ExportError):
                target.put(local, KEY, sha256=sha256(local))
            with pytest.raises(NotArrived):
                target.prove(KEY, sha256=sha256(local), size=20 * MB)
            target.close()

    def test_memory_does_not_grow_with_the_file(self, place: Place, tmp_path: Path) -> None:
        local = tmp_path / "long.wav"
        with local.open("wb") as file:
            file.truncate(300 * MB)
        child = place.child(local, KEY)
        grown, _ = child.communicate(timeout=300)
        assert child.returncode == 0
        assert int(grown) < 100 * MB
        place.remove(KEY)

    def _interrupt(self, place: Place, local: Path) -> None:
        with place.proxy() as proxy:
            target = place.target(port=proxy.port)
            target.open()
            proxy.cut_at(_SIZE // 2)
            with pytest.raises(TransientError):
                target.put(local, KEY, sha256=sha256(local))
            target.close()
