"""OpenSSH's sshd of the tests' own: on a free port, with users, passwords and host keys that only it knows."""

from __future__ import annotations

import base64
import functools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from fsivr.exporter.known_hosts import HostKey

USER = "fsivr-of-tests"
PASSWORD = "S3cret-word-of-tests"
PASSPHRASE = "S3cret-phrase-of-tests"
_UID = 64321
KINDS = ("ed25519", "ecdsa", "rsa")


def program() -> str:
    """The path of sshd; a test that needs it is skipped where there is none."""
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        lacks = "sshd is not installed; on Debian and Ubuntu: apt install openssh-server"
        if os.environ.get("CI"):
            pytest.fail(lacks)
        pytest.skip(lacks)
    return found


@functools.cache
def own_users() -> bool:
    """Whether a server can be given users of its own: as root, in a mount namespace."""
    if os.geteuid() != 0 or not shutil.which("openssl"):
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


def made_key(path: Path, kind: str, *, passphrase: str = "", options: tuple[str, ...] = ()) -> Path:
    """A private key at a path, and its public one beside it."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "tests", "-f", str(path), *options]
    subprocess.run(command, check=True, timeout=60)
    return path


class Sshd:
    """A server that can be stopped and started again; ``close`` removes it."""

    def __init__(self) -> None:
        self._program = program()
        self.folder = Path(tempfile.mkdtemp(prefix="fsivr-sshd-"))
        self.folder.chmod(0o755)
        self.home = self.folder / "home"
        self.home.mkdir()
        self.user = USER if own_users() else pwd.getpwuid(os.geteuid()).pw_name
        self.host_keys = {kind: made_key(self.folder / f"host_{kind}", kind) for kind in KINDS}
        self.keys = {kind: made_key(self.folder / f"user_{kind}", kind) for kind in KINDS}
        authorized = "".join(key.with_name(key.name + ".pub").read_text() for key in self.keys.values())
        (self.folder / "authorized_keys").write_text(authorized)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.owned(self.home)
        self.start()

    def owned(self, path: Path) -> Path:
        """A path of the server's, given to its user."""
        if own_users():
            os.chown(path, _UID, _UID)
        return path

    def start(self, *, kinds: tuple[str, ...] = KINDS, options: str = "") -> None:
        """Start it, with host keys of these kinds; returns when it listens."""
        self._write(kinds, options)
        command = [self._program, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        if own_users():
            command = ["unshare", "-m", "sh", "-c", self._private(), "sh", *command]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(1000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.poll() is None, self.log()
            time.sleep(0.01)
        raise AssertionError(self.log())

    def stop(self) -> None:
        """Kill it and what serves its clients, at once."""
        if self._process is not None:
            for pid in [self._process.pid, *_below(self._process.pid)]:
                os.kill(pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def close(self) -> None:
        """Stop and remove it."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "log").read_text(errors="replace")

    def seen(self, path: Path) -> Path:
        """A path as the server sees it: with the file systems that are mounted for it alone."""
        assert self._process is not None
        return Path(f"/proc/{self._process.pid}/root{path}")

    def host_key(self, kind: str) -> HostKey:
        """A host key of the server."""
        name, blob, *_ = (self.folder / f"host_{kind}.pub").read_text().split()
        return HostKey(name, base64.b64decode(blob))

    def known_hosts(self, path: Path, *, kinds: tuple[str, ...] = KINDS, hashed: bool = True) -> Path:
        """A known_hosts file with its keys, as ssh would write it."""
        names = [(self.host_key(kind).type, base64.b64encode(self.host_key(kind).blob).decode()) for kind in kinds]
        path.write_text("".join(f"[127.0.0.1]:{self.port} {kind} {blob}\n" for kind, blob in names))
        if hashed:
            subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True, capture_output=True, timeout=60)
            assert "127.0.0.1" not in path.read_text()
        return path

    def _write(self, kinds: tuple[str, ...], options: str) -> None:
        lines = [
            "ListenAddress 127.0.0.1",
            f"Port {self.port}",
            *(f"HostKey {self.host_keys[kind]}" for kind in kinds),
            f"AuthorizedKeysFile {self.folder}/authorized_keys",
            "StrictModes no",
            "UsePAM no",
            "PidFile none",
            "PermitRootLogin yes",
            "MaxStartups 100",
            f"PasswordAuthentication {'yes' if own_users() else 'no'}",
            "Subsystem sftp internal-sftp",
            options,
        ]
        (self.folder / "sshd_config").write_text("\n".join(lines) + "\n")

    def _private(self) -> str:
        """What is done in the server's own mount namespace before it starts: its users, its small disk."""
        hashed = subprocess.run(
            ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True
        ).stdout.strip()
        shell = "/bin/sh"
        users = Path("/etc/passwd").read_text() + f"{USER}:x:{_UID}:{_UID}::{self.home}:{shell}\n"
        (self.folder / "passwd").write_text(users)
        shadow = self.folder / "shadow"
        shadow.touch(0o600)
        shadow.write_text(f"root:*:19000::::::\nsshd:*:19000::::::\n{USER}:{hashed}:19000:0:99999:7:::\n")
        small = self.folder / "small"
        small.mkdir(exist_ok=True)
        return (
            f"mount --bind {self.folder}/passwd /etc/passwd && mount --bind {shadow} /etc/shadow "
            f"&& mount -t tmpfs -o size=1m,uid={_UID} small {small} "
            '&& mount -t tmpfs run /run && mkdir -m 755 /run/sshd && exec "$@"'
        )


def _below(pid: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [one for child in children for one in (child, *_below(child))]
