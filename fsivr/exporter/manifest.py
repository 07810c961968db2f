"""Manifest: what a run brought, written to the target last of all, so that a reader can tell a finished night.

It is composed on our own disk first and brought as it is, however often that takes: should this process be
killed between, the next run brings the very same manifest before it does anything else.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Any

from fsivr.exporter.carry import Parcel
from fsivr.exporter.ledger import Ledger
from fsivr.exporter.local import DiskError, on_disk, sha256_of, sync_folder
from fsivr.exporter.target import Target

#: What the keys of manifests begin with.
FOLDER = "manifests/"
#: The version of their form.
VERSION = 1


def manifest_key(run: str) -> str:
    """The key of a run's manifest, by the day it began in UTC: ``manifests/2026/11/24/RUN.json``."""
    return f"{FOLDER}{run[:4]}/{run[4:6]}/{run[6:8]}/{run}.json"


class Manifests:
    """The manifest of a ledger's arrivals, composed, brought and proved.

    :param folder: where it is composed; the files of one node and target.
    """

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self._ledger = ledger
        self._pending = folder / "manifest.json"

    @property
    def pending(self) -> bool:
        """Whether one is composed that is not proved to be there."""
        return self._pending.exists()

    def compose(self, run: str, told: dict[str, Any]) -> None:
        """Have the manifest of a run on our disk.

        :param told: what it begins with: the target, the node, times, whether the run was complete.
        :raises DiskError: it cannot be written.
        """
        temporary = self._pending.with_suffix(".tmp")

        def do() -> None:
            files = sum(1 for _ in self._ledger.entries())
            size = sum(line["size"] for line in self._ledger.entries())
            head = {"version": VERSION, "run": run, **told, "files": files, "bytes": size}
            with open(temporary, "w", encoding="ascii") as file:
                file.write(json.dumps(head, indent=1)[:-2] + ',\n "recordings": [')
                for number, line in enumerate(self._ledger.entries()):
                    file.write(("," if number else "") + "\n  " + json.dumps(line))
                file.write("\n ]\n}\n")
                file.flush()
                os.fsync(file.fileno())
            os.rename(temporary, self._pending)
            sync_folder(self._pending.parent)

        on_disk(do)

    def bring(self, target: Target) -> str:
        """The key of the manifest, which is proved to be there; the ledger is empty now.

        :raises ExportError: it is not there, and stays to be brought.
        """
        key = manifest_key(self._run())
        parcel = Parcel(str(self._pending), key, sha256_of(self._pending), self._pending.stat().st_size)
        target.put(self._pending, key, sha256=parcel.sha256)
        target.prove(key, sha256=parcel.sha256, size=parcel.size)
        # In this order: killed between, the same manifest is brought again, of which nothing comes.
        self._ledger.clear()

        def do() -> None:
            self._pending.unlink()
            sync_folder(self._pending.parent)

        on_disk(do)
        return key

    def clean(self) -> None:
        """Remove what a process that was killed while it composed left."""
        with contextlib.suppress(OSError):
            self._pending.with_suffix(".tmp").unlink(missing_ok=True)

    def _run(self) -> str:
        with open(self._pending, encoding="ascii") as file:
            found = re.search(r'"run": "([^"]+)"', file.read(4096))  # not all of it: it may be large
        if found is None:
            raise DiskError(f"{self._pending} is no manifest: remove it, and look at {FOLDER} of the target")
        return found[1]
