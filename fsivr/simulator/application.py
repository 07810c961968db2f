"""One dialplan application of the simulated switch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsivr.simulator.thread import Thread


@dataclass(frozen=True, slots=True)
class Application:
    """What ``execute`` runs.

    :param needs_media: whether an unanswered channel is pre-answered first (FACTS 3.14).
    """

    run: Callable[[Thread, str], None]
    needs_media: bool = False
