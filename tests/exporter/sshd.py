"""OpenSSH's sshd of the tests' own: on a free port, with users, passwords and host keys that only it knows."""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from fsivr.exporter.known_hosts import HostKey
from tests.exporter import users

PASSPHRASE = "S3cret-phrase-of-tests"
KINDS = ("ed25519", "ecdsa", "rsa")


def made_key(path: Path, kind: str, *, passphrase: str = "", options: tuple[str, ...] = ()) -> Path:
    """A private key at a path, and its public one beside it."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "tests", "-f", str(path), *options]
    subprocess.run(command, check=True, timeout=60)
    return path


class Sshd:
    """A server that can be stopped and started again; ``close`` removes it."""

    def __init__(self) -> None:
        self._program = users.program("sshd", "openssh-server")
        self.folder = Path(tempfile.mkdtemp(prefix="fsivr-sshd-"))
        self.folder.chmod(0o755)
        self.home = self.folder / "home"
        self.home.mkdir()
        self.user = users.name()
        self.host_keys = {kind: made_key(self.folder / f"host_{kind}", kind) for kind in KINDS}
        self.keys = {kind: made_key(self.folder / f"user_{kind}", kind) for kind in KINDS}
        authorized = "".join(key.with_name(key.name + ".pub").read_text() for key in self.keys.values())
        (self.folder / "authorized_keys").write_text(authorized)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        users.owned(self.home)
        self.start()

    def start(self, *, kinds: tuple[str, ...] = KINDS, subsystem: str = "internal-sftp") -> None:
        """Start it, with host keys of these kinds; returns when it listens."""
        self._write(kinds, subsystem)
        command = [self._program, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        command = users.among_them(self.folder, self.home, command)
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
            users.killed(self._process)
            self._process = None

    def close(self) -> None:
        """Stop and remove it."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "log").read_text(errors="replace")

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

    def _write(self, kinds: tuple[str, ...], subsystem: str) -> None:
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
            f"PasswordAuthentication {'yes' if users.own_users() else 'no'}",
            f"Subsystem sftp {subsystem}",
        ]
        (self.folder / "sshd_config").write_text("\n".join(lines) + "\n")
