"""Liar: an SFTP server that says yes to everything, and keeps nothing."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from types import TracebackType

import gevent
import paramiko


class _Handle(paramiko.SFTPHandle):
    def __init__(self, size: int = 0) -> None:
        super().__init__(0)
        self._size = size

    def write(self, offset: int, data: bytes) -> int:
        self._size = max(self._size, offset + len(data))
        return paramiko.SFTP_OK

    def read(self, offset: int, length: int) -> bytes | int:
        return bytes(max(0, min(length, self._size - offset))) or paramiko.SFTP_EOF

    def chattr(self, attr: paramiko.SFTPAttributes) -> int:
        return paramiko.SFTP_OK

    def stat(self) -> paramiko.SFTPAttributes:
        return attributes(0o100640, self._size)


class Files(paramiko.SFTPServerInterface):
    """What it says yes to; each byte that is read back is 0."""

    def __init__(self, server: paramiko.ServerInterface) -> None:
        super().__init__(server)
        self._sizes: dict[str, _Handle] = {}

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        if path in (".", "/"):
            return attributes(0o40750, 0)
        return self._sizes[path].stat() if path in self._sizes else paramiko.SFTP_NO_SUCH_FILE

    lstat = stat

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:
        return self._sizes.setdefault(path, _Handle())

    def rename(self, oldpath: str, newpath: str) -> int:
        self._sizes[newpath] = self._sizes.pop(oldpath)
        return paramiko.SFTP_OK

    posix_rename = rename

    def mkdir(self, path: str, attr: paramiko.SFTPAttributes) -> int:
        return paramiko.SFTP_OK


class _Welcoming(paramiko.ServerInterface):
    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class Liar:
    """Listens on ``port``, with a given host key: the sizes are right, and each byte that is read back is 0."""

    def __init__(self, host_key: Path, files: type[Files] = Files) -> None:
        self._files = files
        self._key = paramiko.PKey.from_path(host_key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        self._accepting = gevent.spawn(self._accept)

    def __enter__(self) -> Liar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._accepting.kill()
        self._listener.close()
        for transport in self._transports:
            transport.close()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            transport = paramiko.Transport(client)
            transport.add_server_key(self._key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, self._files)
            self._transports.append(transport)
            with contextlib.suppress(paramiko.SSHException, EOFError):
                transport.start_server(server=_Welcoming())


def attributes(mode: int, size: int, name: str = "") -> paramiko.SFTPAttributes:
    """What it tells of a file."""
    told = paramiko.SFTPAttributes()
    told.st_mode, told.st_size, told.filename = mode, size, name
    return told
