"""FTPSTarget: files brought to an FTP server under TLS, each proved by reading it back."""

from __future__ import annotations

import contextlib
import ftplib
import hashlib
import socket
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from fsivr.errors import ConfigError, NotArrived, PermanentError
from fsivr.exporter.ftp_session import FTPSession
from fsivr.exporter.limit import closed_where_broken
from fsivr.exporter.pace import Pace
from fsivr.exporter.partial import PART, LocalFile, checked
from fsivr.exporter.target import Entry, Progress
from fsivr.exporter.tree import Found, keys_below

_PIECE = 1 << 16
_BATCH = 1 << 18


class FTPSTarget:
    """A folder of an FTP server, as a ``fsivr.exporter.target.Target``.

    :param folder: where the keys begin, on the server; it has to be there. ``""`` is where the user logs in.
    :param ca: a PEM file of the authorities that the server's certificate may be of; None is the system's.
    :param allow_plaintext: whether to go on, with a warning, without TLS where the server has none.
    :param proof: what ``prove`` goes by: ``"content"``, read back and hashed, or ``"size"``.
    :param timeout: how long the server may give no answer, seconds.
    :param pace: the limit of bytes a second that it shares with other targets.
    :raises ConfigError: an option has what FTP cannot carry.
    """

    def __init__(
        self,
        name: str,
        *,
        host: str,
        user: str,
        password: str,
        port: int = 21,
        folder: str = "",
        ca: str | Path | None = None,
        allow_plaintext: bool = False,
        proof: str = "content",
        timeout: float = 30.0,
        pace: Pace | None = None,
    ) -> None:
        self.name = name
        for what, text in (("user", user), ("password", password), ("folder", folder)):
            if any(mark in text for mark in "\r\n\0"):
                raise ConfigError(f"the {what} of {name} has a line break or a NUL, which FTP cannot carry")
        if proof not in ("content", "size"):
            raise ConfigError(f"the proof of {name} is {proof!r}; allowed are 'content' and 'size'")
        #: What an arrival is proved by, for the report.
        self.proof = proof
        self._pace = pace
        self._session = FTPSession(
            host,
            port,
            user=user,
            password=password,
            folder=folder,
            ca=None if ca is None else Path(ca),
            plaintext=allow_plaintext,
            timeout=timeout,
        )

    def __repr__(self) -> str:
        return f"FTPSTarget({self.name!r}, {self._session.user}@{self._session}, folder={self._session.folder!r})"

    def open(self) -> None:
        """Connect under TLS to the server of that certificate, log in, and see that the folder is there.

        :raises PermanentError: its certificate is not good, it does not let us in, or there is no such folder.
        :raises TransientError: it cannot be reached, or does not answer in time.
        """
        self._session.open()

    def close(self) -> None:
        """Let go of the connection; raises nothing."""
        self._session.close()

    def put(self, local: Path, key: str, *, sha256: str, progress: Progress | None = None, hold: bool = False) -> None:
        """Bring a file there: beside its place first, going on where an earlier attempt broke off.

        :param hold: FTP has no means to keep a file from being removed.
        """
        checked(key)
        with closed_where_broken(self._session.close):
            part = self._session.path(key + PART)
            with LocalFile(local, sha256) as source:
                if not self._bring(source, part, progress, resume=True):
                    with LocalFile(local, sha256) as again:
                        self._bring(again, part, progress, resume=False)
            with self._session.asking("finish", key) as connection:
                if connection.offers("MFMT"):
                    changed = time.strftime("%Y%m%d%H%M%S", time.gmtime(source.modified))
                    with contextlib.suppress(ftplib.error_perm):  # a time that it does not keep is no loss
                        connection.voidcmd(f"MFMT {changed} {part}")
                connection.move(part, self._session.path(key))

    def prove(self, key: str, *, sha256: str, size: int) -> None:
        """Read the file back and hash it; with ``proof="size"`` go by its size.

        :raises NotArrived: it is not there, or not the same.
        """
        there = self.size(key)
        if there != size:
            what = "is not there" if there is None else f"has {there} bytes there, not {size}"
            raise NotArrived(f"{key} {what} on {self._session}")
        if self.proof == "size":
            return
        digest = hashlib.sha256()
        for piece in self.read(key):
            digest.update(piece)
        if digest.hexdigest() != sha256:
            raise NotArrived(f"{key} has SHA-256 {digest.hexdigest()} on {self._session}, not {sha256}")

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes of a file, in pieces.

        :raises PermanentError: there is none.
        """
        with closed_where_broken(self._session.close):
            yield from self._pieces(self._session.path(checked(key)))

    def size(self, key: str) -> int | None:
        """The bytes of a file; None where there is none."""
        checked(key)
        with self._session.asking("look for", key) as connection:
            return connection.bytes_of(self._session.path(key))

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """The whole files whose keys begin so, in the order of their keys."""
        return (found for found in keys_below(self._listed, prefix) if not found.key.endswith(PART))

    def delete(self, key: str) -> None:
        """Remove a file; one that is not there is no error."""
        self._remove(self._session.path(checked(key)))

    def sweep(self, keep: Callable[[str], bool] = lambda key: False) -> int:
        """How many half-brought files of ours were removed: those for whose key ``keep`` is not true."""
        parts = [found.key for found in keys_below(self._listed, "") if found.key.endswith(PART)]
        gone = [part for part in parts if not keep(part.removesuffix(PART))]
        for part in gone:
            self._remove(self._session.path(part))
        return len(gone)

    def _bring(self, source: LocalFile, part: str, progress: Progress | None, *, resume: bool) -> bool:
        """Whether it was brought; not where the server cannot go on in the middle of a file."""
        same = self._same(source, part) if resume else 0
        data = self._storing(part, same)
        if data is None:
            return False
        try:
            while piece := source.read(min(_BATCH, source.size - source.position)):
                if self._pace is not None:
                    self._pace.take(len(piece))
                with self._session.asking("write", part) as connection:
                    connection.send(data, piece, self._session.progressed)
                if progress is not None:
                    progress(len(piece))
            source.check()
            with self._session.asking("write", part) as connection:
                connection.finish(data)
        except BaseException as error:
            data.close()
            if isinstance(error, PermanentError) and source.is_wrong:
                self._session.close()  # with the transfer that is under way
                self._remove(part)
            raise
        return True

    def _same(self, source: LocalFile, part: str) -> int:
        """How much of the file an earlier attempt brought."""
        with self._session.asking("look for", part) as connection:
            there = connection.bytes_of(part)
            if there is not None and there > source.size:
                connection.delete(part)
                there = None
        if not there:
            return 0
        with contextlib.closing(self._pieces(part)) as pieces:
            return source.skip_same(pieces)

    def _storing(self, part: str, offset: int) -> socket.socket | None:
        with self._session.asking("write", part) as connection:
            try:
                return connection.transfercmd(f"STOR {part}", offset or None)
            except ftplib.error_perm as refused:
                if offset and str(refused)[:3] not in ("530", "552"):
                    return None
                # Servers have no code for a folder that is not there.
                connection.make_folder(part.rpartition("/")[0])
                return connection.transfercmd(f"STOR {part}")

    def _pieces(self, path: str) -> Generator[bytes]:
        with self._session.asking("read", path) as connection:
            data = connection.transfercmd(f"RETR {path}")
        whole = False
        try:
            while True:
                with self._session.asking("read", path):
                    piece = data.recv(_PIECE)
                if not piece:
                    break
                yield piece
            with self._session.asking("read", path) as connection:
                connection.finish(data)
            whole = True
        finally:
            data.close()
            if not whole:
                self._session.close()  # rather than find out what the server makes of a transfer that is given up

    def _listed(self, folder: str) -> Iterator[Found]:
        path = self._session.path(folder)
        with self._session.asking("list", path) as connection:
            for found in connection.names(path):
                self._session.progressed()
                yield found

    def _remove(self, path: str) -> None:
        with self._session.asking("remove", path) as connection:
            try:
                connection.delete(path)
            except ftplib.error_perm:
                if connection.bytes_of(path) is not None:
                    raise
