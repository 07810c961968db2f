"""FTP servers of the tests' own, on free ports: pyftpdlib's, which is always there, and vsftpd."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.exporter import users
from tests.exporter.certificates import Authority
from tests.exporter.place import ROOT

#: Where a proxy before the server listens: data connections go to the address of the control connection, so that
#: a proxy there has them too, on the ports that the server tells.
PROXIED = "127.0.0.2"
_PASSIVE = 30


def _free(count: int) -> list[int]:
    """So many ports in a row that are free."""
    for _ in range(1000):
        first = random.randrange(20000, 32000)
        with contextlib.ExitStack() as taken, contextlib.suppress(OSError):
            for port in range(first, first + count):
                for host in ("127.0.0.1", PROXIED):
                    taken.enter_context(socket.create_server((host, port)))
            return list(range(first, first + count))
    raise AssertionError("no free ports")


class Ftpd:
    """pyftpdlib's server in a process of its own; it can be stopped, and started again in another way."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fsivr-ftpd-"))
        self.folder.chmod(0o755)
        self.home = self.folder / "home"
        self.home.mkdir()
        self.authority = Authority(self.folder)
        self.user = users.NAME
        self._certificate = self.authority.server("127.0.0.1", PROXIED)
        self.port, *self.passive = _free(1 + _PASSIVE)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self, *, certificate: tuple[Path, Path] | None = None, tls: bool = True, **options: Any) -> None:
        """Start it; returns when it listens."""
        files = certificate or self._certificate
        task = {
            "port": self.port,
            "user": self.user,
            "password": users.PASSWORD,
            "home": str(self.home),
            "passive": self.passive,
            "certificate": [str(file) for file in files] if tls else None,
            **options,
        }
        command = [sys.executable, "-m", "tests.exporter.ftpd_child", json.dumps(task)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"listening\n"

    def stop(self) -> None:
        """Kill it and what serves its clients, at once."""
        if self._process is not None:
            users.killed(self._process)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def close(self) -> None:
        """Stop and remove it."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Vsftpd(Ftpd):
    """vsftpd, with a user of its own, and with its own demand that data connections reuse the TLS session."""

    def start(self, *, certificate: tuple[Path, Path] | None = None, tls: bool = True, **options: Any) -> None:
        """Start it; returns when it listens."""
        program = users.program("vsftpd", "vsftpd")
        users.owned(self.home)
        (empty := self.folder / "empty").mkdir(exist_ok=True)
        chain, key = certificate or self._certificate
        lines = {
            "listen": "YES",
            "listen_address": "127.0.0.1",
            "listen_port": self.port,
            "background": "NO",
            "anonymous_enable": "NO",
            "local_enable": "YES",
            "write_enable": "YES",
            "pam_service_name": "vsftpd",
            "secure_chroot_dir": empty,
            "seccomp_sandbox": "NO",  # it ends vsftpd 3.0.3 on newer kernels
            "ssl_enable": "YES" if tls else "NO",
            "rsa_cert_file": chain,
            "rsa_private_key_file": key,
            "require_ssl_reuse": "YES",
            "force_local_data_ssl": "YES",
            "force_local_logins_ssl": "YES",
            "ssl_ciphers": "HIGH",
            "xferlog_enable": "NO",
            "pasv_min_port": self.passive[0],
            "pasv_max_port": self.passive[-1],
        }
        (conf := self.folder / "vsftpd.conf").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        command = users.among_them(self.folder, self.home, [program, str(conf)])
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(1000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.01)
        raise AssertionError((self.folder / "log").read_text())
