"""A process that brings one file to a target, for tests that kill or measure it: ``python -m tests.exporter.child``."""

from gevent import monkey

monkey.patch_all()

import json
import sys
from pathlib import Path

from tests.exporter.place import made


def _peak() -> int:
    """The most bytes of memory that this process has had; the kernel's figure begins anew with an exec."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def main() -> None:
    """Put the file that the argument tells of."""
    task = json.loads(sys.argv[1])
    target = made(task["factory"], task["arguments"])
    target.open()
    before = _peak()
    target.put(Path(task["local"]), task["key"], sha256=task["sha256"])
    target.prove(task["key"], sha256=task["sha256"], size=Path(task["local"]).stat().st_size)
    target.close()
    print(_peak() - before)


if __name__ == "__main__":
    main()
