"""Recordings that are kept: their files, what is told of each beside it, and what may be done with them."""

from fsivr.recordings.arrivals import Arrivals
from fsivr.recordings.folders import Folders
from fsivr.recordings.sidecar import Arrival, Exported, Hold, Sidecar

__all__ = ["Arrival", "Arrivals", "Exported", "Folders", "Hold", "Sidecar"]
