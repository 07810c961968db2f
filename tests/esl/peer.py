"""The switch's end of an outbound event socket, said by hand: a script of bytes and no more.

The simulated switch is for calls; this is for bytes that no simulated switch
would send. Needs gevent sockets.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

import gevent
from gevent import socket

from tests.esl.switch_rules import Packet, read_packets
from tests.esl.transcript import stream

#: What a real switch answered to ``connect``, of a call over SIP.
CONNECT_REPLY = stream("01b_basic_sip").partition(b"\n\n")[0] + b"\n\n"
UUID = "5c09725d-aea0-4751-94f2-dc97ca011426"  # the channel it describes
OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
GOODBYE = stream("12b_inbound_auth_bad").partition(b"-ERR invalid\n\n")[2]

Headers = Mapping[str, str | bytes]

#: What the peer does on a command: the bytes to answer with; None for no answer.
Script = Callable[["Peer", Packet], bytes | None]


def event(name: str, headers: Headers | None = None, body: bytes = b"") -> bytes:
    """The bytes of an event; the headers' values go as they are, so encode what needs it."""
    fields = {"Event-Name": name, "Unique-ID": UUID, "Answer-State": "answered", **(headers or {})}
    lines = [
        key.encode() + b": " + (value if isinstance(value, bytes) else value.encode()) for key, value in fields.items()
    ]
    inner = b"\n".join(lines) + b"\n\n" + body
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(inner) + inner


def api_response(text: str | bytes) -> bytes:
    """The bytes of the answer to an ``api`` command."""
    body = text if isinstance(text, bytes) else text.encode()
    return b"Content-Type: api/response\nContent-Length: %d\n\n" % len(body) + body


def complete(packet: Packet, response: str = "FILE%20PLAYED", headers: Headers | None = None) -> bytes:
    """The end of the application that a command ran, as the switch tells it."""
    application = packet.get("execute-app-name") or ""
    told = {
        # Both: the id is what fsivr asked to have back, the variable what greenswitch looks at.
        "variable_current_application": application,
        "Application": application,
        "Application-UUID": packet.get("Event-UUID") or "4b2cb8be-ad8f-4767-9a0b-cb4f4f1b8de9",
        "Application-Response": response,
    }
    return event("CHANNEL_EXECUTE_COMPLETE", {**told, **(headers or {})})


def hangup(cause: str = "NORMAL_CLEARING") -> bytes:
    """The tail of a call: both hangup events and the goodbye; the end of the stream is yours to add."""
    told = {"Answer-State": "hangup", "Hangup-Cause": cause}
    return event("CHANNEL_HANGUP", told) + event("CHANNEL_HANGUP_COMPLETE", told) + GOODBYE


class Peer:
    """One connection's far end, which answers as scripted and remembers what it was sent.

    :param sock: a connected gevent socket.
    :param script: asked first about each command; ``NotImplemented`` leaves it to the default answers.
    """

    def __init__(self, sock: socket.socket, script: Script | None = None) -> None:
        self.sock = sock
        self.script = script
        self.commands: list[Packet] = []
        self.received = b""
        self._reader = gevent.spawn(self._read)

    @property
    def executed(self) -> list[Packet]:
        """The applications that were asked for, in order."""
        return [one for one in self.commands if one.get("execute-app-name")]

    def send(self, data: bytes) -> None:
        """Write the bytes."""
        self.sock.sendall(data)

    def close(self) -> None:
        """End the connection, cleanly for TCP."""
        self._reader.kill()
        self.sock.close()

    def close_soon(self) -> None:
        """End the connection when what was written has been read; for a script, which runs in the reader."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Break the connection: the other side sees RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def wait_end(self, seconds: float = 5.0) -> bool:
        """Whether the other side closed the connection within so many seconds."""
        self._reader.join(seconds)
        return bool(self._reader.ready())

    def _read(self) -> None:
        data = b""
        try:
            while chunk := self.sock.recv(65536):
                self.received += chunk
                packets, data = read_packets(data + chunk)
                for packet in packets:
                    self.commands.append(packet)
                    self._answer(packet)
        except OSError:
            pass

    def _answer(self, packet: Packet) -> None:
        answer = self.script(self, packet) if self.script else default(packet)
        if answer is NotImplemented:
            answer = default(packet)
        if answer:
            self.send(answer)


def default(packet: Packet) -> bytes:
    """What a switch whose call is up answers."""
    word, _, rest = packet.command.partition(" ")
    if word == "connect":
        return CONNECT_REPLY
    if word == "api":
        return api_response({"uuid_exists": "true", "uuid_getvar": "_undef_"}.get(rest.split(" ")[0], "+OK\n"))
    if word == "exit":
        return b"Content-Type: command/reply\nReply-Text: +OK bye\n\n" + GOODBYE
    return OK
