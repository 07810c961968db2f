"""A user that only a server of the tests has: with a password, in the server's own mount namespace."""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.lacking import lacking

NAME = "fsivr-of-tests"
PASSWORD = "S3cret-word-of-tests"
_UID = 64321


@functools.cache
def own_users() -> bool:
    """Whether a server can be given users of its own: as root, in a mount namespace."""
    if os.geteuid() != 0 or not shutil.which("openssl"):
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


def name() -> str:
    """The user that the server lets in."""
    return NAME if own_users() else pwd.getpwuid(os.geteuid()).pw_name


def owned(path: Path) -> Path:
    """A path, given to that user."""
    if own_users():
        os.chown(path, _UID, _UID)
    return path


def program(name: str, package: str) -> str:
    """The path of a server's program; a test that needs it is skipped where there is none."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return found or lacking(f"{package} is not installed; on Debian and Ubuntu: apt install {package}")


def among_them(folder: Path, home: Path, command: list[str]) -> list[str]:
    """A server's command, in a mount namespace where the user is there, and ``folder/small`` is a disk of 1 MB."""
    if not own_users():
        return command
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True
    ).stdout.strip()
    users, shadow, small = folder / "passwd", folder / "shadow", folder / "small"
    users.write_text(Path("/etc/passwd").read_text() + f"{NAME}:x:{_UID}:{_UID}::{home}:/bin/sh\n")
    shadow.touch(0o600)
    shadow.write_text(f"root:*:19000::::::\n{NAME}:{hashed}:19000:0:99999:7:::\n")
    small.mkdir(exist_ok=True)
    prepared = (
        f"mount --bind {users} /etc/passwd && mount --bind {shadow} /etc/shadow "
        f"&& mount -t tmpfs -o size=1m,uid={_UID} small {small} "
        '&& mount -t tmpfs run /run && mkdir -m 755 /run/sshd && exec "$@"'
    )
    return ["unshare", "-m", "sh", "-c", prepared, "sh", *command]


def listening(command: list[str], port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start a server; returns when it listens."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    for _ in range(1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        assert process.poll() is None, log.read_text(errors="replace")
        time.sleep(0.01)
    process.kill()
    raise AssertionError(log.read_text(errors="replace"))


def killed(process: subprocess.Popen[bytes]) -> None:
    """Kill a server and what serves its clients, at once."""
    for pid in [process.pid, *_below(process.pid)]:
        with contextlib.suppress(ProcessLookupError):  # it served a client who has left meanwhile
            os.kill(pid, signal.SIGKILL)
    process.wait(10)


def _below(pid: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [one for child in children for one in (child, *_below(child))]
