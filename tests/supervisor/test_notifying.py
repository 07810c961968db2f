"""What systemd is told, over the socket it would have."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from fsivr.supervisor import Notifier


def test_it_is_told_in_lines(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        notifier = Notifier({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())})
        assert notifier.interval == 15
        notifier.ready("3 calls\nREADY=0")
        assert systemd.recv(4096) == b"READY=1\nSTATUS=3 calls READY=0"
        notifier.alive()
        notifier.alive()  # not again so soon
        notifier.stopping("", 60)
        assert systemd.recv(4096) == b"WATCHDOG=1"
        assert systemd.recv(4096) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=60000000\nSTATUS="


def test_a_watchdog_of_another_process_is_not_ours() -> None:
    assert Notifier({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}).interval is None
    assert Notifier({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "many"}).interval is None


def test_one_that_does_not_listen_is_no_error(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready("")
    Notifier({}).ready("")
