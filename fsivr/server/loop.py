"""The event loop of a server, watched: how late it is, and what stops it."""

from __future__ import annotations

import logging
from collections import deque

from fsivr.config import Settings
from fsivr.server.conversation import TALKING
from fsivr.server.counts import Counts
from fsivr.server.lag import Lag
from fsivr.server.watchdog import Block, Watchdog

log = logging.getLogger(__name__)

_MOST_BLOCKS = 100


class LoopWatch:
    """Watches this thread's event loop between ``start`` and ``stop``.

    :param settings: ``lag_limit`` and ``blocking_limit`` of them.
    :param counts: where what stops the loop is counted.
    """

    def __init__(self, settings: Settings, counts: Counts) -> None:
        self._settings = settings
        self._counts = counts
        #: What kept all calls waiting, the latest last; as many as are worth keeping.
        self.blocks: deque[Block] = deque(maxlen=_MOST_BLOCKS)
        self.lag: Lag | None = None
        self._watchdog: Watchdog | None = None

    @property
    def behind(self) -> bool:
        """Whether the loop is late again and again."""
        return self.lag is not None and self.lag.behind

    def start(self) -> None:
        """Watch from now on."""
        self.lag = Lag(self._settings.lag_limit)
        if self._settings.blocking_limit:
            self._watchdog = Watchdog(self._settings.blocking_limit, self._on_block, within=TALKING)

    def stop(self) -> None:
        """Watch no more."""
        for each in (self.lag, self._watchdog):
            if each is not None:
                each.stop()
        self.lag = self._watchdog = None

    def told(self) -> dict[str, float]:
        """How late the loop was since this was last asked, and ever, in seconds."""
        if self.lag is None:
            return {}
        return {"lag": round(self.lag.lately(), 6), "lag_most": round(self.lag.most, 6)}

    def _on_block(self, block: Block) -> None:
        self.blocks.append(block)
        self._counts.blocked(block)
        what = "a handler kept all calls waiting" if block.within else "all calls had to wait"
        log.warning("%s for %.2f s: %s", what, block.seconds, block.where)
