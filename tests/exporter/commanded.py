"""``fsivr export`` with pauses that are short, here or in a process: ``python -m tests.exporter.commanded``.

It takes what ``fsivr`` takes. Nothing else of the command is other than it is.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from fsivr.cli import run
from fsivr.exporter import exporting
from fsivr.exporter.retry import Patience
from fsivr.exporter.run import Order
from tests.exporter.exporting import NAME, ROOT

#: A target may be gone for no longer than one look at it takes.
HURRIED = functools.partial(Order, patience=Patience(tries=3, gone=0.3, first=0.02, longest=0.1))


def settings(folder: Path, kind: str, arguments: dict[str, Any], **more: object) -> Path:
    """A file of settings beside the recordings of ``archive_of(folder)``, with one target."""
    lines = {
        "recordings_path": str(folder / "recordings"),
        "database": f"sqlite:///{folder}/fsivr.db",
        "node": "ivr-1",
        "export_concurrency": 2,
        **more,
    }
    target = {"kind": kind, **{name: value for name, value in arguments.items() if name != "name"}}
    # JSON's texts, numbers, truths and lists are TOML's too.
    written = [f"{name} = {json.dumps(value)}" for name, value in lines.items()]
    written += [f"[targets.{NAME}]", *(f"{name} = {json.dumps(value)}" for name, value in target.items())]
    (file := folder / "fsivr.toml").write_text("\n".join(written) + "\n")
    return file


def commanded(config: Path, *command: str) -> subprocess.Popen[str]:
    """``fsivr export`` with settings, begun; both of its outputs are one."""
    arguments = [sys.executable, "-m", "tests.exporter.commanded", "export", *command, "--config", str(config)]
    return subprocess.Popen(
        arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def main() -> None:
    """Be ``fsivr``."""
    exporting.Order = HURRIED  # type: ignore[misc,assignment]
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
