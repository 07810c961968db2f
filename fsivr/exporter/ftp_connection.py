"""FTPConnection: ftplib's over TLS, with the session reused, and with bounds on what a server can say."""

from __future__ import annotations

import contextlib
import ftplib
import select
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

from fsivr.errors import PermanentError
from fsivr.exporter.partial import plain
from fsivr.exporter.tree import Found

_MOST_LINES = 200
_MOST_NAMES = 1_000_000
_LONGEST_LINE = 8192
_PIECE = 1 << 16
# How long a server has to say goodbye on a data connection that is over; some never do.
_GOODBYE = 5.0
# How often it is looked whether the server has said something while it takes nothing, seconds.
_GLANCE = 1.0
# What may be on its way when all is sent: the answer comes after it, and is waited for no longer than any other.
_ON_THE_WAY = 1 << 19
#: What says that there is no such file or folder, or only that it cannot be had.
_ABSENT = ("450", "501", "550")


def trusting(ca: Path | None) -> ssl.SSLContext:
    """TLS 1.2 and later, with the server's certificate and name checked.

    :param ca: a PEM file of the authorities to trust; None is those of the system.
    :raises PermanentError: the file cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise PermanentError(f"{ca} is no PEM file of certificates that can be read: {plain(error)}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class FTPConnection(ftplib.FTP_TLS):
    """ftplib's client, whose data connections reuse the TLS session of its control connection.

    Servers that require that (vsftpd and ProFTPD do) refuse ftplib's own. A data connection goes to
    the address of the control connection, whatever a PASV answer says. Raises what ftplib raises.
    """

    def __init__(self, context: ssl.SSLContext, *, timeout: float) -> None:
        # As latin-1 any byte can be read; what is sent is put so that UTF-8 goes out.
        super().__init__(context=context, timeout=timeout, encoding="latin-1")
        #: Whether the data connections are under TLS.
        self.protected = False
        #: The data connection that was made last.
        self.data: socket.socket | None = None
        self._home = "/"
        self._features: set[str] = set()
        self._lines = 0

    def enter(self, user: str, password: str) -> None:
        """Log in, and learn what the server can do; over TLS, after ``auth``."""
        super().login(_wire(user), _wire(password), secure=False)
        if isinstance(self.sock, ssl.SSLSocket):
            self.prot_p()
            self.protected = True
        self.voidcmd("TYPE I")
        with contextlib.suppress(ftplib.error_perm):
            self._features = {line.split()[0].upper() for line in self.sendcmd("FEAT").splitlines() if line.split()}
        with contextlib.suppress(ftplib.error_perm):
            self._home = self.pwd() or "/"

    def path(self, folder: str, key: str = "") -> str:
        """The absolute path of a key in a folder; one that is relative begins where the user logged in."""
        parts = [_wire(folder).rstrip("/"), key]
        if not folder.startswith("/"):
            parts.insert(0, self._home.rstrip("/"))
        return "/".join(part for place, part in enumerate(parts) if part or place == 0) or "/"

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """A data connection for a command, and how many bytes are to come where it is told."""
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        self.data = connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ON_THE_WAY)
        if not self.protected:
            return connection, size
        assert isinstance(self.sock, ssl.SSLSocket)
        try:
            self.data = self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session)
            return self.data, size
        except BaseException:
            connection.close()
            raise

    def getmultiline(self) -> str:
        """One answer; ftplib's own goes on for as many lines as are sent."""
        self._lines = 0
        return super().getmultiline()

    def getline(self) -> str:
        """One line of an answer."""
        self._lines += 1
        if self._lines > _MOST_LINES:
            raise ftplib.error_proto(f"an answer of more than {_MOST_LINES} lines")
        return super().getline()

    def offers(self, feature: str) -> bool:
        """Whether the server said that it has it (RFC 2389)."""
        return feature in self._features

    def send(self, connection: socket.socket, data: bytes, progressed: Callable[[], None]) -> None:
        """Send on a data connection; where the server ends the transfer, raises what it says of that.

        Some servers take no more without ending the data connection: the reason is on the control connection, or
        comes there once we end it, for which there is the other half of the time that they have.
        """
        rest, most = memoryview(data), self.timeout or _GLANCE
        connection.settimeout(min(_GLANCE, most))
        glances = 0
        while rest:
            try:
                rest = rest[connection.send(rest[:_PIECE]) :]
            except TimeoutError:
                glances += 1
                # A server may wait for us to end it, before it says why it takes no more.
                self._hear(connection, wait=glances * _GLANCE >= most / 2)
            except OSError:
                self._hear(connection, wait=True)
                raise
            else:
                progressed()
                glances = 0

    def _hear(self, connection: socket.socket, *, wait: bool) -> None:
        """Raise what the server says of a transfer that stands still, if it says something."""
        assert self.sock is not None
        if wait or select.select([self.sock], [], [], 0)[0]:
            connection.close()
            raise ftplib.error_proto(f"the transfer was ended with {self.voidresp()}")

    def finish(self, connection: socket.socket) -> None:
        """End a data connection, and hear what became of the transfer."""
        if isinstance(connection, ssl.SSLSocket):
            connection.settimeout(min(_GOODBYE, (self.timeout or _GOODBYE) / 3))
            with contextlib.suppress(OSError, ValueError):
                connection.unwrap()
        connection.close()
        self.voidresp()

    def bytes_of(self, path: str) -> int | None:
        """The size of a file; None where there is none."""
        try:
            return self.size(path)
        except ftplib.error_perm as refused:
            if str(refused)[:3] not in _ABSENT:
                raise
            return None

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder that may be entered."""
        try:
            self.voidcmd(f"CWD {path}")
        except ftplib.error_perm as refused:
            if str(refused)[:3] not in _ABSENT:
                raise
            return False
        return True

    def make_folder(self, path: str) -> None:
        """Make a folder, and those above it; one that is there is no error."""
        try:
            self.voidcmd(f"MKD {path}")
        except ftplib.error_perm:
            if self.is_folder(path):
                return
            above = path.rpartition("/")[0]
            if not above:
                raise
            if not self.is_folder(above):
                self.make_folder(above)
            self._make_last(path)

    def _make_last(self, path: str) -> None:
        """Make a folder whose parent is there; others of ours make the same ones at the same time."""
        try:
            self.voidcmd(f"MKD {path}")
        except ftplib.error_perm:
            if not self.is_folder(path):
                raise

    def move(self, source: str, target: str) -> None:
        """Rename a file, onto another where there is one: in one step where the server does that."""
        try:
            self.rename(source, target)
        except ftplib.error_perm:
            if self.bytes_of(target) is None:
                raise
            self.delete(target)
            self.rename(source, target)

    def names(self, folder: str) -> Iterator[Found]:
        """What is in a folder, from MLSD (RFC 3659), or from NLST with a question for each name; none of no folder."""
        listing = "MLSD" if self.offers("MLST") or self.offers("MLSD") else "NLST"
        try:
            lines = self._listed(f"{listing} {folder}")
            # The control connection, which the questions go over, is in use until all lines are there.
            for line in lines if listing == "MLSD" else list(lines):
                named = line.rstrip("/").rpartition("/")[2]
                found = _of_facts(line) if listing == "MLSD" else self._asked(folder, named)
                if found is not None:
                    yield found
        except (ftplib.error_perm, ftplib.error_temp) as refused:
            if str(refused)[:3] not in _ABSENT or self.is_folder(folder):
                raise

    def _asked(self, folder: str, name: str) -> Found | None:
        if not name or name in (".", "..") or not name.isprintable():
            return None
        path = f"{folder.rstrip('/')}/{name}"
        size = self.bytes_of(path)
        if size is not None:
            return Found(name, False, True, size)
        return Found(name, True, False, 0) if self.is_folder(path) else None

    def _listed(self, command: str) -> Iterator[str]:
        connection, rest, count = self.transfercmd(command), b"", 0
        with contextlib.closing(connection):
            while data := connection.recv(_PIECE):
                *lines, rest = (rest + data).split(b"\n")
                count += len(lines)
                if len(rest) > _LONGEST_LINE or count > _MOST_NAMES:
                    raise ftplib.error_proto("a listing without an end")
                yield from (line.rstrip(b"\r").decode("latin-1") for line in lines)
            if rest:
                yield rest.decode("latin-1")
            self.finish(connection)


def _of_facts(line: str) -> Found | None:
    facts, _, name = line.partition(" ")
    told = dict(fact.lower().partition("=")[::2] for fact in facts.split(";") if fact)
    size = told.get("size", "0")
    if told.get("type") not in ("dir", "file") or not size.isdecimal():
        return None
    return Found(name, told["type"] == "dir", told["type"] == "file", int(size))


def _wire(text: str) -> str:
    return text.encode().decode("latin-1")
