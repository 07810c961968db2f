"""The memory that one large file takes: a process that brings it and proves it, and tells its peak.

Without arguments; on its standard input, JSON: the table of the target, and the bytes of the file.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from fsivr.exporter.targets import recipes


def main() -> None:
    """Bring a file of zeros, prove it, print the peak of this process in bytes."""
    told = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        local, digest = Path(folder) / "large.wav", hashlib.sha256()
        with local.open("wb") as file:
            file.truncate(told["size"])
        with local.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        before = peak()
        target = recipes({"large": told["target"]})["large"].keeping(Path(folder) / "uploads")()
        target.open()
        target.put(local, "large.wav", sha256=digest.hexdigest())
        target.prove("large.wav", sha256=digest.hexdigest(), size=told["size"])
        target.close()
        print(json.dumps({"before": before, "peak": peak()}))


def peak() -> int:
    """The most bytes of memory that this process had at once."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main()
