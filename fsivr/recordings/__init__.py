"""Recordings that are kept: their files, what is told of each beside it, and what may be done with them."""

from fsivr.recordings.archive import Archive, Usage
from fsivr.recordings.arrivals import Arrivals
from fsivr.recordings.folders import Folders
from fsivr.recordings.keeper import Keeper
from fsivr.recordings.reconcile import Reconciled, reconcile
from fsivr.recordings.reindexing import Counts
from fsivr.recordings.retention import Purged
from fsivr.recordings.sidecar import Arrival, Exported, Hold, Sidecar
from fsivr.recordings.verifying import Verified

__all__ = [
    "Archive",
    "Arrival",
    "Arrivals",
    "Counts",
    "Exported",
    "Folders",
    "Hold",
    "Keeper",
    "Purged",
    "Reconciled",
    "Sidecar",
    "Usage",
    "Verified",
    "reconcile",
]
