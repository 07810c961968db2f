"""What the sample applications keep: entries in a file, one line of JSON each."""

import json
import os
from pathlib import Path

from gevent import get_hub
from gevent.lock import RLock

#: The folder of the files; ``APPS_DATA`` names another.
FOLDER = Path(os.environ.get("APPS_DATA", "apps/data"))


class Notebook:
    """The entries of one kind. Files are read and written in a thread: a slow disk holds up no other call."""

    def __init__(self, name):
        self.name = name
        self._lock = RLock()  # one greenlet at a time: a change is a reading and a writing

    def add(self, **entry):
        """Keep one more entry."""
        with self._lock:
            get_hub().threadpool.apply(self._append, [entry])

    def entries(self):
        """Every entry, the oldest first."""
        with self._lock:
            return get_hub().threadpool.apply(self._read)

    def change(self, change):
        """Put in the place of all entries what ``change`` makes of the list of them, and return that."""
        with self._lock:
            changed = change(self.entries())
            get_hub().threadpool.apply(self._write, [changed])
            return changed

    @property
    def _path(self):
        return FOLDER / f"{self.name}.jsonl"

    def _append(self, entry):
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def _read(self):
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def _write(self, entries):
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        fresh.replace(self._path)
