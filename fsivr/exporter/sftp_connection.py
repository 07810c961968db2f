"""Connection: pysftp's, over a transport that is verified, with what pysftp and paramiko leave out."""

from __future__ import annotations

import errno
import functools
import stat
import struct
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import paramiko
from paramiko.message import Message
from paramiko.sftp import CMD_EXTENDED, CMD_INIT, CMD_VERSION

from fsivr.exporter.sftp_pipeline import Reading, Writing
from fsivr.exporter.tree import Found

if not hasattr(paramiko, "DSSKey"):
    # pysftp 0.2.9 imports this name, which paramiko no longer has since it dropped DSS keys. It uses it in
    # one place, to read a DSS private key, which Connection has no way to. It has to be there before the import.
    paramiko.DSSKey = type(  # type: ignore[attr-defined]
        "DSSKey", (), {"__doc__": "A kind of key that is no longer used."}
    )

import pysftp  # noqa: E402

#: The bytes of one request; every server takes that many.
REQUEST = 32768
# What a write has, so that with what is around it it fits into one packet of SSH, and not into one and a bit.
_WRITE = REQUEST - 128
# Of a server that takes more. Still more saves no time: paramiko copies what is left of it for each packet.
_MOST = 4 * REQUEST
_FSYNC, _RENAME, _STATVFS = "fsync@openssh.com", "posix-rename@openssh.com", "statvfs@openssh.com"
_LIMITS = "limits@openssh.com"

(NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, BAD_MESSAGE, NO_CONNECTION, CONNECTION_LOST, UNSUPPORTED) = range(2, 9)


class Refused(OSError):
    """What the server answered instead of doing as asked: an SSH_FXP_STATUS and its text."""

    def __init__(self, code: int, text: str) -> None:
        # pysftp and paramiko look for an OSError.
        super().__init__({NO_SUCH_FILE: errno.ENOENT, PERMISSION_DENIED: errno.EACCES}.get(code, errno.EIO), text)
        #: The SSH_FX_… of draft-ietf-secsh-filexfer-02, section 7.
        self.code = code
        #: What it said.
        self.text = text


class Room(NamedTuple):
    """What a file system of the server has: bytes and files free for us, and whether it is read-only."""

    bytes: int
    files: int
    read_only: bool


class _Client(paramiko.SFTPClient):
    """paramiko's, which neither tells what the server offers nor keeps the code of a refusal."""

    def __init__(self, channel: paramiko.Channel, progressed: Callable[[], None]) -> None:
        self.offers: dict[str, bytes] = {}
        self._progressed = progressed
        super().__init__(channel)

    def _send_version(self) -> int:
        version = Message()
        version.add_int(3)
        self._send_packet(CMD_INIT, version)
        kind, data = self._read_packet()
        if kind != CMD_VERSION:
            raise paramiko.SFTPError("no SFTP: no version came")
        answer = Message(data)
        number = answer.get_int()
        while len(answer.get_remainder()) >= 8 and len(self.offers) < 100:
            name = answer.get_string().decode("ascii", "replace")
            self.offers[name] = answer.get_string()
        return number

    def _send_packet(self, kind: int, packet: Message) -> None:
        packets: Any = super()
        packets._send_packet(kind, packet)
        self._progressed()

    def _read_packet(self) -> tuple[int, bytes]:
        packets: Any = super()
        packet: tuple[int, bytes] = packets._read_packet()
        self._progressed()
        return packet

    def _convert_status(self, msg: Message) -> None:
        code, text = msg.get_int(), msg.get_string().decode("utf-8", "replace")
        if code == 1:
            raise EOFError(text)  # which paramiko's own loops end by
        if code:
            raise Refused(code, text)

    def extended(self, *request: object) -> Message:
        packets: Any = self
        answer: Message = packets._request(CMD_EXTENDED, *request)[1]
        return answer


class Connection(pysftp.Connection):  # type: ignore[misc] # it has no annotations
    """pysftp's Connection, over a transport whose host key was proved and that let us in.

    pysftp by itself knows RSA and DSS keys alone, looks a host up without its port, and goes on without a
    known_hosts file. Its constructor does all that, and is not run; what it would have set is set here.
    Every method raises Refused where the server refuses; else what paramiko raises.

    :param timeout: seconds without an answer.
    :param progressed: called for each packet that came or went.
    """

    def __init__(self, transport: paramiko.Transport, *, timeout: float, progressed: Callable[[], None]) -> None:
        self._progressed = progressed
        self._transport = transport
        self._sftp: _Client | None = None
        self._sftp_live = False
        self._default_path = None
        self._cnopts = types.SimpleNamespace(log=False)
        self._timeout = timeout

    def _sftp_connect(self) -> None:
        if self._sftp_live:
            return
        channel = self._transport.open_session(max_packet_size=2 * REQUEST, timeout=self._timeout)
        channel.settimeout(self._timeout)
        channel.invoke_subsystem("sftp")
        self._sftp = _Client(channel, self._progressed)
        self._sftp_live = True

    @property
    def client(self) -> _Client:
        """The client under it, connected."""
        self._sftp_connect()
        assert self._sftp is not None
        return self._sftp

    @property
    def replaces(self) -> bool:
        """Whether the server can rename a file onto another in one step."""
        return _RENAME in self.client.offers

    def replace(self, source: str, target: str) -> None:
        """Rename a file, onto another where there is one: in one step where the server offers that."""
        if self.replaces:
            self.client.posix_rename(source, target)
            return
        try:
            self.rename(source, target)
        except Refused as refused:
            if refused.code in (NO_SUCH_FILE, PERMISSION_DENIED) or not self.lexists(target):
                raise
            self.remove(target)
            self.rename(source, target)

    def lexists(self, remotepath: str) -> bool:
        """Whether there is something of that name; pysftp's own says no to every error."""
        try:
            self.lstat(remotepath)
        except Refused as refused:
            if refused.code == NO_SUCH_FILE:
                return False
            raise
        return True

    def room(self, path: str) -> Room | None:
        """What the file system of a path has left; None where the server does not tell."""
        if _STATVFS not in self.client.offers:
            return None
        answer = self.client.extended(_STATVFS, path)
        fields = struct.unpack(">11Q", answer.get_remainder()[:88])
        return Room(fields[1] * fields[4], fields[7], bool(fields[9] & 1))

    def reading(self, file: paramiko.SFTPFile, size: int) -> Reading:
        """The first bytes of an open file, so many asked for at a time that no round trip is waited for."""
        return Reading(self.client, file, size, self._longest[0])

    def writing(self, file: paramiko.SFTPFile) -> Writing:
        """What is written to an open file without waiting for each confirmation."""
        sync = _FSYNC if _FSYNC in self.client.offers else None
        return Writing(self.client, file, self._longest[1], sync=sync)

    @functools.cached_property
    def _longest(self) -> tuple[int, int]:
        """The bytes of a request to read, and of one to write."""
        if _LIMITS not in self.client.offers:
            return REQUEST, _WRITE
        # openssh-portable, PROTOCOL, 4.8: of a packet, to read, to write; 0 is no limit that it tells.
        _, read, write = struct.unpack(">3Q", self.client.extended(_LIMITS).get_remainder()[:24])
        return min(read or REQUEST, _MOST), min(write or _WRITE, _MOST)

    def make_folder(self, path: str, *, mode: int = 750) -> None:
        """Make a folder, and those above it, with this octal mode; one that is there is no error."""
        try:
            self.mkdir(path, mode)
        except Refused as refused:
            above = path.rpartition("/")[0]
            if refused.code == NO_SUCH_FILE and above:
                self.make_folder(above, mode=mode)
                self._make_last(path, mode)
            elif not self.isdir(path):
                raise

    def _make_last(self, path: str, mode: int) -> None:
        """Make a folder whose parent is there; others of ours make the same ones at the same time."""
        try:
            self.mkdir(path, mode)
        except Refused:
            if not self.isdir(path):
                raise

    def names(self, path: str) -> Iterator[Found]:
        """What is in a folder, in no order, as it comes; to be read to its end."""
        for one in self.client.listdir_iter(path):
            mode = one.st_mode or 0
            yield Found(one.filename, stat.S_ISDIR(mode), stat.S_ISREG(mode), one.st_size or 0)

    def close(self) -> None:
        """Close it, waiting for nothing."""
        # The transport first: a channel's own goodbye waits where the server does not read.
        if self._transport is not None:
            self._transport.close()
        super().close()
