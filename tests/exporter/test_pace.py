"""So many bytes a second, and no more, however many send."""

from __future__ import annotations

import pytest

from fsivr.errors import ConfigError
from fsivr.exporter.pace import Pace
from fsivr.exporter.sending import Piece, Sending


class _Clock:
    """A time of the test's own."""

    def __init__(self) -> None:
        self.now = 1000.0

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


def _pace(clock: _Clock, rate: float | None) -> Pace:
    return Pace(rate, clock=clock.read, sleep=clock.sleep)


@pytest.mark.parametrize("piece", [700, 16_384, 100_000])
def test_so_many_bytes_take_their_time(clock: _Clock, piece: int) -> None:
    pace = _pace(clock, 10_000)
    for _ in range(1_000_000 // piece):
        pace.take(piece)
    # The last piece is allowed, and has not gone out yet.
    assert clock.now - 1000 == pytest.approx(100 - piece / 10_000, abs=0.3)


def test_a_rest_is_not_saved_up(clock: _Clock) -> None:
    pace = _pace(clock, 1000)
    pace.take(100)
    clock.now += 3600
    before = clock.now
    for _ in range(100):
        pace.take(100)
    assert clock.now - before == pytest.approx(10, abs=0.5)


def test_without_a_rate_nobody_waits(clock: _Clock) -> None:
    pace = _pace(clock, None)
    pace.take(10**12)
    assert clock.now == 1000


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ConfigError, match="more than 0"):
        Pace(rate)


def test_a_piece_counts_what_goes_out_once(clock: _Clock) -> None:
    told: list[int] = []
    piece = Piece(b"0123456789", Sending(_pace(clock, 5), told.append))
    assert piece.read() == b"0123456789"
    assert told == [] and clock.now == 1000
    piece.seek(0)
    piece.goes_out = True
    assert (piece.read(4), piece.tell(), piece.read(100), piece.read(1)) == (b"0123", 4, b"456789", b"")
    # Sent again, after a redirect.
    piece.seek(0)
    piece.read()
    assert told == [4, 6]
    assert clock.now > 1000
    assert (piece.seek(-3, 2), piece.read(), piece.seek(-100, 1), len(piece)) == (7, b"789", 0, 10)
