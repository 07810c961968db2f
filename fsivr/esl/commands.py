"""The text of commands: the one place where words become wire text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fsivr.errors import LocalProtocolError

_BREAKS = "holds a line break or a NUL, which would end it"
_NAME = re.compile("[A-Za-z0-9_-]+")

# FreeSWITCH was seen to take 6,000 bytes in a header (capture 06g_content_body_args);
# what is longer goes as a body.
_LONGEST_HEADER = 4096

# From 10 MiB on FreeSWITCH takes the rest of a head for a new command, and it drops a
# connection whose body is over 16 MiB (mod_event_socket.c, read_packet).
_MOST_HEAD = 1 << 20
_MOST_BODY = 16 << 20


def command(line: str, headers: Iterable[tuple[str, str]] = (), body: str | None = None) -> bytes:
    """The bytes of one command, and of exactly one.

    :param line: the command itself, as ``api status``.
    :param headers: ``(name, value)`` pairs that follow it.
    :param body: text of any form but NUL, sent as a counted body.
    :raises LocalProtocolError: the line or a header holds CR, LF or NUL, which
        would end it early and start a second command; or the text is no Unicode.
    """
    if not line.strip():
        raise LocalProtocolError("an empty command")
    lines = [line]
    for name, value in headers:
        _check_header(name, value)
        lines.append(f"{name}: {value}")
    if body is None:
        return _wire("\n".join(lines), len(lines))
    return _with_body("\n".join(lines), len(lines), body)


def _with_body(text: str, lines: int, body: str) -> bytes:
    counted = _encoded(body)
    if len(counted) > _MOST_BODY:
        raise LocalProtocolError(f"a body takes {_MOST_BODY} bytes; this one has {len(counted)}")
    if b"\0" in counted:
        raise LocalProtocolError("the body holds a NUL, which would end it")
    head = f"{text}\ncontent-type: text/plain\ncontent-length: {len(counted)}"
    return _wire(head, lines + 2) + counted


def _wire(text: str, lines: int) -> bytes:
    """The one place where text becomes a command: it holds as many lines as were put in, and no more."""
    if text.count("\n") != lines - 1 or "\r" in text or "\0" in text:
        raise LocalProtocolError(_what_breaks(text))
    if len(text) > _MOST_HEAD:
        raise LocalProtocolError(f"a command takes {_MOST_HEAD} characters; this one has {len(text)}")
    return _encoded(f"{text}\n\n")


def _what_breaks(text: str) -> str:
    """Which part of a command cannot be sent; its value, which may be secret, is left out."""
    for line in text.split("\n")[1:]:
        name, colon, value = line.partition(": ")
        if colon and _NAME.fullmatch(name) and ("\r" in value or "\0" in value):
            return f"the header {name!r} {_BREAKS}"
    return f"the command {text.split()[0][:40]!r} {_BREAKS}"


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"text that is no Unicode: {error.reason}") from None


def _check_header(name: str, value: str) -> None:
    if not _NAME.fullmatch(name) or name.lower() == "content-length":
        raise LocalProtocolError(
            f"{name[:40]!r} cannot name a header of ours: it holds a line break, or is a word with a meaning"
        )
    if "\n" in value or "\r" in value or "\0" in value:
        raise LocalProtocolError(f"the header {name!r} {_BREAKS}")


def api(name: str, argument: str = "") -> bytes:
    """The bytes that run an API command of the switch.

    :raises LocalProtocolError: text that cannot be sent.
    """
    return command(f"api {name} {argument}" if argument else f"api {name}")


def execute(application: str, argument: str = "", *, event_uuid: str = "", lock: bool = False, loops: int = 1) -> bytes:
    """The bytes that run a dialplan application on the channel.

    An argument with line breaks, with a leading space (which FreeSWITCH strips
    from headers, capture ``06l_arg_edge_cases``) or of great length goes as a
    counted body (capture ``06g_content_body_args``).

    :param event_uuid: comes back as ``Application-UUID`` (capture ``06a_event_uuid``).
    :param loops: how often it is run, each round with the same id (capture ``06h_loops``); -1 for ever.
    :param lock: nothing queued later starts before this has ended (capture ``06c_overlap_event_lock``).
    :raises LocalProtocolError: text that cannot be sent.
    """
    text = f"sendmsg\ncall-command: execute\nexecute-app-name: {application}"
    lines = 3
    if event_uuid:
        text += f"\nEvent-UUID: {event_uuid}"
        lines += 1
    if lock:
        text += "\nevent-lock: true"
        lines += 1
    if loops != 1:
        text += f"\nloops: {loops}"
        lines += 1
    if not argument:
        return _wire(text, lines)
    # Of an argument in a header the switch strips leading blanks.
    if argument[0] == " " or len(argument) > _LONGEST_HEADER or "\n" in argument or "\r" in argument:
        return _with_body(text, lines, argument)
    return _wire(f"{text}\nexecute-app-arg: {argument}", lines + 1)


def quote(value: str) -> str:
    """A value as an API command's last argument, so that the switch reads back the same text.

    FreeSWITCH strips quotes and resolves backslashes in it (``switch_utils.c``,
    ``cleanup_separated_string``); a line break is sent as ``\\n``.

    :raises LocalProtocolError: the value holds a NUL.
    """
    if "\0" in value:
        raise LocalProtocolError("the value holds a NUL, which cannot be sent")
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"
