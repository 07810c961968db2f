"""Requests of SFTP that are sent before the earlier ones are answered: what a small file costs is its round trips.

draft-ietf-secsh-filexfer-02, section 3: answers may come in any order, and each has the number of its request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import paramiko
from paramiko.file import BufferedFile
from paramiko.message import Message
from paramiko.sftp import CMD_CLOSE, CMD_EXTENDED, CMD_FSETSTAT, CMD_FSTAT, CMD_READ, CMD_STATUS, CMD_WRITE, int64
from paramiko.sftp_attr import SFTPAttributes

#: How many bytes are on their way, at most, before an answer is waited for.
_AHEAD = 2 * 1024 * 1024


class Answers:
    """Requests of one client, and what was answered to them."""

    def __init__(self, client: paramiko.SFTPClient) -> None:
        self._client: Any = client
        self._come: dict[int, tuple[int, Message]] = {}

    def ask(self, kind: int, *request: object) -> int:
        """Send a request; its number."""
        number: int = self._client._async_request(self, kind, *request)
        return number

    def wait(self, number: int) -> Message | None:
        """What was answered to it; None where that is the end of the file.

        :raises Refused: it was refused.
        """
        while number not in self._come:
            self._client._read_response()
        kind, message = self._come.pop(number)
        if kind == CMD_STATUS:
            try:
                self._client._convert_status(message)
            except EOFError:
                return None
        return message

    def close(self, file: paramiko.SFTPFile) -> int:
        """Send the request to close a file, which is closed for paramiko then; its number."""
        BufferedFile.close(file)
        return self.ask(CMD_CLOSE, file.handle)

    # paramiko gives it here.
    def _async_response(self, kind: int, message: Message, number: int) -> None:
        self._come[number] = (kind, message)


class Writing:
    """What is written to an open file, and then its end.

    :param most: bytes of one request.
    :param sync: the request of OpenSSH that puts it onto the server's disk; None where that has none.
    """

    def __init__(self, client: paramiko.SFTPClient, file: paramiko.SFTPFile, most: int, *, sync: str | None) -> None:
        self._answers, self._file, self._most, self._sync = Answers(client), file, most, sync
        self._asked: deque[int] = deque()

    def write(self, data: bytes, at: int) -> None:
        """Have the bytes be written at a place.

        :raises Refused: earlier ones were refused.
        """
        for start in range(0, len(data), self._most):
            while len(self._asked) * self._most >= _AHEAD:
                self._answers.wait(self._asked.popleft())
            piece = data[start : start + self._most]
            self._asked.append(self._answers.ask(CMD_WRITE, self._file.handle, int64(at + start), piece))

    def end(self, *, modified: int) -> None:
        """Have it be synced where the server offers that, dated and closed, and wait until all is confirmed.

        :param modified: seconds since 1970.
        :raises Refused: something was refused.
        """
        dated = SFTPAttributes()
        dated._flags |= dated.FLAG_AMTIME  # type: ignore[attr-defined] # its stubs lack it
        dated.st_atime = dated.st_mtime = modified
        if self._sync is not None:
            self._asked.append(self._answers.ask(CMD_EXTENDED, self._sync, self._file.handle))
        self._asked.append(self._answers.ask(CMD_FSETSTAT, self._file.handle, dated))
        self._asked.append(self._answers.close(self._file))
        while self._asked:
            self._answers.wait(self._asked.popleft())


class Reading:
    """The first bytes of an open file, asked for ahead.

    :param size: how many.
    :param most: bytes of one request.
    """

    def __init__(self, client: paramiko.SFTPClient, file: paramiko.SFTPFile, size: int, most: int) -> None:
        self._answers, self._file, self._size, self._most = Answers(client), file, size, most
        self._stat = self._answers.ask(CMD_FSTAT, file.handle)
        self._asked: deque[tuple[int, int]] = deque()
        self._next = 0
        self._ask()

    def there(self) -> int:
        """The bytes that the file has; to be asked for once."""
        message = self._answers.wait(self._stat)
        assert message is not None
        attributes: Any = SFTPAttributes
        return int(attributes._from_msg(message).st_size)

    def pieces(self) -> Iterator[bytes]:
        """Its bytes, in order, to its end."""
        while self._asked:
            number, count = self._asked.popleft()
            message = self._answers.wait(number)
            data = b"" if message is None else message.get_string()
            if data:
                yield data
            if len(data) < count:
                return
            self._ask()

    def close(self) -> None:
        """Close the file; whether that went well says nothing."""
        if not self._file.closed:
            self._answers.close(self._file)

    def _ask(self) -> None:
        while self._next < self._size and len(self._asked) * self._most < _AHEAD:
            count = min(self._most, self._size - self._next)
            number = self._answers.ask(CMD_READ, self._file.handle, int64(self._next), count)
            self._asked.append((number, count))
            self._next += count
