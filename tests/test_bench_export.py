"""scripts/bench export, with a few recordings: that it brings and measures what it says, not how fast anything is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.exporter.users import program as sshd
from tests.exporter.weed import installed

_RUN = Path(__file__).parent.parent / "scripts" / "benchmarks" / "export.py"


def _bench(folder: Path, *options: str) -> tuple[str, dict[str, Any]]:
    """What a tiny run printed, and its figures."""
    figures, size = folder / "figures.json", ("--recordings", "4", "--size", "1000", "--rounds", "1")
    command = [sys.executable, _RUN, *size, "--large", "1", *options, "--json", figures, "--folder", folder]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout, json.loads(figures.read_text())


def test_both_programs_bring_all_to_s3(tmp_path: Path) -> None:
    installed()
    printed, figures = _bench(tmp_path, "--to", "s3")
    assert "4 recordings of 1,000 bytes and their sidecars, 4 at a time, 1 rounds" in printed
    assert [each["place"] for each in figures["places"]] == ["S3"]
    assert figures["memory"]["S3"] > 0


def test_both_programs_bring_all_to_sftp(tmp_path: Path) -> None:
    sshd("sshd", "openssh-server")
    printed, figures = _bench(tmp_path, "--to", "sftp", "--markdown")
    assert "| SFTP, rclone proves nothing | " in printed
    places = [each["place"].removeprefix("SFTP, rclone proves ") for each in figures["places"]]
    assert places == ["nothing", "by a shell", "by reading"]
    assert figures["memory"]["SFTP"] > 0
