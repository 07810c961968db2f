"""SFTPTarget: files brought to an SFTP server, each proved by reading it back."""

from __future__ import annotations

import contextlib
import hashlib
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import paramiko

from fsivr.errors import ExportError, NotArrived, PermanentError, TransientError
from fsivr.exporter.limit import Limit, closed_where_broken
from fsivr.exporter.login import Login
from fsivr.exporter.pace import Pace
from fsivr.exporter.partial import PART, LocalFile, checked, plain
from fsivr.exporter.sftp_connection import NO_SUCH_FILE, Connection, Refused
from fsivr.exporter.sftp_pipeline import Reading
from fsivr.exporter.sftp_refused import sorted_out
from fsivr.exporter.ssh import Server, connect
from fsivr.exporter.target import Entry, Progress
from fsivr.exporter.tree import Found, keys_below

_BATCH = 1 << 18


class SFTPTarget:
    """A folder of an SFTP server, as a ``fsivr.exporter.target.Target``.

    :param folder: where the keys begin, on the server; it has to be there. ``""`` is where the user logs in.
    :param key: a file with a private key: RSA, ECDSA or ed25519, with ``passphrase`` where it is encrypted.
    :param agent: whether to ask the SSH agent at ``SSH_AUTH_SOCK`` for keys.
    :param known_hosts: a file of host keys, as ssh has it; or ``fingerprints`` of them, each ``SHA256:…``.
    :param timeout: how long the server may give no answer, seconds.
    :param pace: the limit of bytes a second that it shares with other targets.
    """

    def __init__(
        self,
        name: str,
        *,
        host: str,
        user: str,
        port: int = 22,
        folder: str = "",
        password: str | None = None,
        key: str | Path | None = None,
        passphrase: str | None = None,
        agent: bool = False,
        known_hosts: str | Path | None = None,
        fingerprints: Sequence[str] = (),
        timeout: float = 30.0,
        pace: Pace | None = None,
    ) -> None:
        self.name = name
        self._server = Server(
            host=host,
            port=port,
            known_hosts=None if known_hosts is None else Path(known_hosts),
            fingerprints=tuple(fingerprints),
            timeout=min(timeout, 15.0),
        )
        self._login = Login(
            user, password=password, key=None if key is None else Path(key), passphrase=passphrase, agent=agent
        )
        self._folder = folder.rstrip("/") or ("/" if folder else ".")
        self._timeout = timeout
        self._pace = pace
        self._connection: Connection | None = None
        self._limit: Limit | None = None

    def __repr__(self) -> str:
        return f"SFTPTarget({self.name!r}, {self._server}, folder={self._folder!r})"

    def open(self) -> None:
        """Connect to the server that has the known host key, and see that the folder is there.

        :raises PermanentError: it has another host key, it does not let us in, or there is no such folder.
        :raises TransientError: it cannot be reached, or does not answer in time.
        """
        if self._connection is not None:
            return
        self._login.load()
        transport = connect(self._server, self._login)
        self._limit = Limit(self._timeout, transport.close)
        self._connection = Connection(transport, timeout=self._timeout, progressed=self._limit.touch)
        try:
            with self._asking("look for the folder", self._folder) as connection:
                there = stat.S_ISDIR(connection.stat(self._folder).st_mode or 0)
            if not there:
                raise PermanentError(f"{self._folder} is no folder on {self._server}: make it, or change the setting")
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

    def put(self, local: Path, key: str, *, sha256: str, progress: Progress | None = None, hold: bool = False) -> None:
        """Bring a file there: beside its place first, going on where an earlier attempt broke off.

        :param hold: SFTP has no means to keep a file from being removed.
        """
        path = self._path(checked(key))
        with LocalFile(local, sha256) as source, closed_where_broken(self.close):
            file, size = self._part(path + PART)
            try:
                self._send(file, size, source, path + PART, progress)
            except BaseException:
                self._let_go(file)
                raise
            with self._asking("finish", path) as connection:
                connection.replace(path + PART, path)

    def prove(self, key: str, *, sha256: str, size: int) -> None:
        """Read the file back and hash it.

        :raises NotArrived: it is not there, or not the same.
        """
        path, digest = self._path(checked(key)), hashlib.sha256()
        with closed_where_broken(self.close):
            reading = self._reading(path, size)
            if reading is None:
                raise NotArrived(f"{key} is not there on {self._server}")
            with self._asking("read", path):
                there = reading.there()
            for piece in self._pieces(reading, path):
                digest.update(piece)
            self._let_go(reading)
        if there != size:
            raise NotArrived(f"{key} has {there} bytes on {self._server}, not {size}")
        if digest.hexdigest() != sha256:
            raise NotArrived(f"{key} has SHA-256 {digest.hexdigest()} on {self._server}, not {sha256}")

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes of a file, in pieces.

        :raises PermanentError: there is none.
        """
        path = self._path(checked(key))
        with closed_where_broken(self.close):
            reading = self._reading(path, self.size(key) or 0)
            if reading is None:
                raise PermanentError(f"there is no file {path} on {self._server}")
            yield from self._pieces(reading, path)
            self._let_go(reading)

    def size(self, key: str) -> int | None:
        """The bytes of a file; None where there is none."""
        path = self._path(checked(key))
        with self._asking("look for", path) as connection:
            try:
                status = connection.stat(path)
            except Refused as refused:
                if refused.code == NO_SUCH_FILE:
                    return None
                raise
            return int(status.st_size) if stat.S_ISREG(status.st_mode) else None

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """The whole files whose keys begin so, in the order of their keys."""
        return (found for found in keys_below(self._listed, prefix) if not found.key.endswith(PART))

    def delete(self, key: str) -> None:
        """Remove a file; one that is not there is no error."""
        self._remove(self._path(checked(key)))

    def sweep(self, keep: Callable[[str], bool] = lambda key: False) -> int:
        """How many half-brought files of ours were removed: those for whose key ``keep`` is not true."""
        parts = [found.key for found in keys_below(self._listed, "") if found.key.endswith(PART)]
        gone = [part for part in parts if not keep(part.removesuffix(PART))]
        for part in gone:
            self._remove(self._path(part))
        return len(gone)

    def _path(self, key: str) -> str:
        return key if self._folder == "." else f"{self._folder.rstrip('/')}/{key}"

    def _reading(self, path: str, size: int) -> Reading | None:
        """The first bytes of a file, asked for already; None where there is none."""
        with self._asking("read", path) as connection:
            try:
                return connection.reading(connection.open(path, "r"), size)
            except Refused as refused:
                if refused.code == NO_SUCH_FILE:
                    return None
                raise

    def _part(self, part: str) -> tuple[paramiko.SFTPFile, int]:
        """The half-brought file, open for writing, and the bytes that an earlier attempt brought."""
        with self._asking("write", part) as connection:
            try:
                return connection.open(part, "wx"), 0
            except Refused as refused:
                if refused.code == NO_SUCH_FILE:
                    connection.make_folder(part.rpartition("/")[0])
                    return connection.open(part, "wx"), 0
                if not connection.lexists(part):
                    raise
            file = connection.open(part, "r+")
            return file, int(file.stat().st_size)

    def _send(
        self, file: paramiko.SFTPFile, there: int, source: LocalFile, part: str, progress: Progress | None
    ) -> None:
        if there:
            with self._asking("read", part) as connection:
                reading = connection.reading(file, min(there, source.size))
            source.skip_same(self._pieces(reading, part))
            if there > source.size:
                with self._asking("write", part):
                    file.truncate(source.size)
        with self._asking("write", part) as connection:
            writing = connection.writing(file)
        while data := source.read(min(_BATCH, source.size - source.position)):
            if self._pace is not None:
                self._pace.take(len(data))
            with self._asking("write", part):
                writing.write(data, source.position - len(data))
            if progress is not None:
                progress(len(data))
        try:
            source.check()
        except PermanentError:
            self._let_go(file)
            self._remove(part)
            raise
        with self._asking("write", part):
            writing.end(modified=source.modified)

    def _pieces(self, reading: Reading, path: str) -> Iterator[bytes]:
        pieces = reading.pieces()
        while True:
            with self._asking("read", path):
                piece = next(pieces, b"")
            if not piece:
                return
            yield piece

    def _listed(self, folder: str) -> Iterator[Found]:
        path = self._path(folder) if folder else self._folder
        with self._asking("list", path) as connection:
            try:
                yield from connection.names(path)
            except Refused as refused:
                if refused.code != NO_SUCH_FILE:
                    raise

    def _remove(self, path: str) -> None:
        with self._asking("remove", path) as connection:
            try:
                connection.remove(path)
            except Refused as refused:
                if refused.code != NO_SUCH_FILE:
                    raise

    def _let_go(self, file: paramiko.SFTPFile | Reading) -> None:
        if self._connection is not None and self._limit is not None:
            with contextlib.suppress(Exception), self._limit:
                file.close()

    @contextlib.contextmanager
    def _asking(self, doing: str, path: str) -> Iterator[Connection]:
        """The connection, and for what goes wrong with it the error that says what to do."""
        self.open()
        assert self._connection is not None and self._limit is not None
        connection, limit = self._connection, self._limit
        try:
            with limit:
                yield connection
        except ExportError:
            raise
        except Refused as refused:
            with limit:
                raise sorted_out(refused, connection, doing=doing, path=path, server=self._server) from None
        except Exception as error:
            late = limit.reached or isinstance(error, TimeoutError)
            self.close()
            said = f"gave no answer for {self._timeout:g} s" if late else f"broke off: {plain(error) or 'no reason'}"
            raise TransientError(f"{self._server}, asked to {doing} {path}, {said}") from None
