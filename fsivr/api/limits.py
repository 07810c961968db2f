"""How often somebody may do something: buckets of tokens, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable


class Buckets:
    """A bucket of tokens for each of those who ask.

    Past ``most`` of them the one that was quiet the longest is forgotten.

    :param rate: tokens a second.
    :param burst: how many a full bucket holds; one at least.
    :param clock: seconds of a clock that never goes back.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float], *, most: int = 10_000) -> None:
        self._rate = rate
        self._burst = max(burst, 1.0)
        self._clock = clock
        self._most = most
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, who: Hashable) -> float:
        """0 where there was a token, which is taken; else the seconds until there is one."""
        level, now = self._level(who)
        enough = level >= 1.0
        self._levels[who] = (level - 1.0 if enough else level, now)
        self._levels.move_to_end(who)
        while len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return 0.0 if enough else (1.0 - level) / self._rate

    def wait(self, who: Hashable) -> float:
        """The seconds until there is a token; 0 where there is one, and it is not taken."""
        level, _ = self._level(who)
        return 0.0 if level >= 1.0 else (1.0 - level) / self._rate

    def _level(self, who: Hashable) -> tuple[float, float]:
        now = self._clock()
        level, at = self._levels.get(who, (self._burst, now))
        return min(self._burst, level + (now - at) * self._rate), now
