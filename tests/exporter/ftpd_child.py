"""An FTP server in a process of its own, from pyftpdlib: ``python -m tests.exporter.ftpd_child JSON``."""

from __future__ import annotations

import errno
import io
import json
import logging
import sys
from typing import Any

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.filesystems import AbstractedFS
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer


class _Forgetting(AbstractedFS):  # type: ignore[misc]
    """Keeps the size of what is written, and none of its bytes."""

    def open(self, filename: str, mode: str) -> Any:
        return _Zeros(super().open(filename, mode))


class _Zeros(io.FileIO):
    def __init__(self, file: Any) -> None:
        super().__init__(file.name, file.mode if isinstance(file.mode, str) else "wb")
        file.close()

    def write(self, data: Any) -> int:
        return super().write(bytes(len(data)))


class _Small(AbstractedFS):  # type: ignore[misc]
    """Has no room for more than 1 MB in a file."""

    def open(self, filename: str, mode: str) -> Any:
        file = super().open(filename, mode)
        return file if "r" in mode and "+" not in mode else _Limited(file)


class _Limited(io.FileIO):
    def __init__(self, file: Any) -> None:
        super().__init__(file.name, "r+b")
        file.close()

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > 1_000_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def main() -> None:
    """Serve as the argument says, until killed."""
    task = json.loads(sys.argv[1])
    handler = type("Handler", (TLS_FTPHandler if task["certificate"] else FTPHandler,), {})
    handler.authorizer = DummyAuthorizer()
    handler.authorizer.add_user(task["user"], task["password"], task["home"], perm=task.get("perm", "elradfmwMT"))
    handler.auth_failed_timeout = 0
    if task["certificate"]:
        handler.certfile, handler.keyfile = task["certificate"]
        handler.tls_control_required = handler.tls_data_required = True
    for command in task.get("without", ()):
        handler.proto_cmds = {name: what for name, what in handler.proto_cmds.items() if name != command}
    handler.abstracted_fs = {"liar": _Forgetting, "small": _Small}.get(task.get("disk", ""), AbstractedFS)
    handler.passive_ports = task["passive"]
    if task.get("elsewhere"):
        handler.masquerade_address = task["elsewhere"]
    logging.disable(logging.CRITICAL)
    server = FTPServer(("127.0.0.1", task["port"]), handler)
    print("listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
