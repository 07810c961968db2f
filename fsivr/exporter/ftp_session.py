"""FTPSession: a connection that is made when it is needed, and for each of its failures an error."""

from __future__ import annotations

import contextlib
import ftplib
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

from fsivr.errors import ExportError, PermanentError, TransientError
from fsivr.exporter.ftp_connection import FTPConnection, trusting
from fsivr.exporter.ftp_refused import broken, sorted_out
from fsivr.exporter.limit import Limit
from fsivr.exporter.partial import plain

log = logging.getLogger(__name__)


class FTPSession:
    """The connection to a folder of an FTP server, made again after it was lost."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str,
        password: str,
        folder: str,
        ca: Path | None,
        plaintext: bool,
        timeout: float,
    ) -> None:
        self._host, self._port = host, port
        self.user, self._password = user, password
        self.folder = folder
        self._ca = ca
        self._allow_plaintext = plaintext
        self._timeout = timeout
        self._connection: FTPConnection | None = None
        self._limit: Limit | None = None

    def __str__(self) -> str:
        return f"{self._host}:{self._port}"

    def open(self) -> None:
        """Connect under TLS to the server of that certificate, log in, and see that the folder is there.

        :raises PermanentError: its certificate is not good, it does not let us in, or there is no such folder.
        :raises TransientError: it cannot be reached, or does not answer in time.
        """
        if self._connection is not None:
            return
        connection = FTPConnection(trusting(self._ca), timeout=self._timeout)
        self._connection, self._limit = connection, Limit(self._timeout, lambda: _cut(connection))
        try:
            with self.asking("let in", self.user):
                self._reach(connection)
                self._secure(connection)
                connection.enter(self.user, self._password)
                there = connection.is_folder(connection.path(self.folder))
            if not there:
                raise PermanentError(
                    f"there is no folder {self.folder} on {self} that {self.user} may enter: "
                    "make it, or change the setting"
                )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection; raises nothing."""
        connection, limit = self._connection, self._limit
        self._connection = self._limit = None
        if limit is not None:
            limit.close()
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()

    def path(self, key: str) -> str:
        """The absolute path of a key."""
        self.open()
        assert self._connection is not None
        return self._connection.path(self.folder, key)

    def progressed(self) -> None:
        """The server has answered: its time begins again."""
        if self._limit is not None:
            self._limit.touch()

    def _reach(self, connection: FTPConnection) -> None:
        try:
            connection.connect(self._host, self._port)
        except (ConnectionRefusedError, socket.gaierror) as error:
            raise TransientError(f"{self} cannot be reached: {error.strerror}") from None

    def _secure(self, connection: FTPConnection) -> None:
        try:
            connection.auth()
        except ftplib.error_perm as refused:
            if not self._allow_plaintext:
                raise PermanentError(
                    f"{self} has no TLS ({self._cleaned(refused)}): have it set up there; without it the "
                    "password and the recordings can be read and changed on the way"
                ) from None
            log.warning("%s has no TLS: the password and all recordings go to it in the clear", self)

    @contextlib.contextmanager
    def asking(self, doing: str, path: str) -> Iterator[FTPConnection]:
        """The connection, and for what goes wrong with it the error that says what to do."""
        self.open()
        assert self._connection is not None and self._limit is not None
        connection, limit = self._connection, self._limit
        try:
            with limit:
                yield connection
        except ExportError:
            raise
        except (ftplib.error_perm, ftplib.error_temp) as refused:
            if str(refused).startswith("421"):
                self.close()
            what = f"{self}, asked to {doing} {path}, refuses"
            raise sorted_out(self._cleaned(refused), what) from None
        except Exception as error:
            self.close()
            late = limit.reached or isinstance(error, TimeoutError)
            said = f"gave no answer for {self._timeout:g} s" if late else self._cleaned(error)
            raise broken(error, f"{self}, asked to {doing} {path}", said) from None

    def _cleaned(self, error: Exception) -> str:
        # A server could say the password back.
        return plain(str(error).replace(self._password, "***") if self._password else error)


def _cut(connection: FTPConnection) -> None:
    for one in (connection.data, connection.sock):
        if one is not None:
            with contextlib.suppress(OSError):
                # Not the method of TLS, which takes the session from under whoever reads.
                socket.socket.shutdown(one, socket.SHUT_RDWR)
