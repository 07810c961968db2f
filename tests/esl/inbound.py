"""A switch's inbound event socket that answers out of a transcript of a real one."""

from __future__ import annotations

from collections.abc import Callable

from gevent import socket
from gevent.server import StreamServer

from fsivr.esl.client import Client
from fsivr.esl.messages import Event
from tests.esl.peer import OK, Peer
from tests.esl.switch_rules import Packet, read_packets
from tests.esl.transcript import FROM_SWITCH, load, messages, stream

GREETING = b"Content-Type: auth/request\n\n"
ACCEPTED = b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n"

#: Answers one command: bytes; None for silence; NotImplemented to have it answered as usual.
Answer = Callable[[Peer, Packet], object]


def exchanges(name: str) -> list[tuple[str, bytes]]:
    """Each command of a transcript with all the switch wrote up to the next; first its greeting, to ``""``."""
    found, said = [("", b"")], b""
    for line in load(name):
        if line.direction == FROM_SWITCH:
            said += line.data
            continue
        found[-1] = (found[-1][0], said)
        said = b""
        found += [(packet.command, b"") for packet in read_packets(line.data)[0]]
    found[-1] = (found[-1][0], said)
    return found


def captured_job(index: int, job_uuid: str) -> bytes:
    """One of the BACKGROUND_JOB events of ``10b_bgapi``, as the end of another job."""
    jobs = [one for one in messages([stream("10b_bgapi")]) if isinstance(one, Event) and one.name == "BACKGROUND_JOB"]
    old = jobs[index].raw(b"Job-UUID")
    assert old is not None
    inner = jobs[index].payload.replace(b"Job-UUID: " + old, b"Job-UUID: " + job_uuid.encode())
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(inner) + inner


class InboundServer:
    """Listens like a switch's event socket.

    :param transcript: what it answers out of; ``""`` for the greeting, accepted logins and ``+OK`` alone.
    :param answer: asked first about each command.
    """

    #: Seconds that a connection is served, at most.
    patience = 60.0

    def __init__(self, transcript: str = "", answer: Answer | None = None) -> None:
        said = exchanges(transcript) if transcript else [("", GREETING)]
        self.greeting = said[0][1]
        self.said = dict(reversed(said[1:]))  # where a command was given twice, the first answer
        self.answer = answer
        self.peers: list[Peer] = []
        #: Connections to close without a word, before the next one is served.
        self.turn_away = 0
        self.turned_away = 0
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.port: int = self._server.socket.getsockname()[1]

    @property
    def commands(self) -> list[str]:
        """Every command that came, over all connections."""
        return [packet.command for peer in self.peers for packet in peer.commands]

    def drop(self) -> None:
        """End the connections that are open."""
        for peer in self.peers:
            peer.close()

    def close(self) -> None:
        """Stop listening, and end the connections."""
        self._server.stop()
        self.drop()

    def _serve(self, sock: socket.socket, _: object) -> None:
        if self.turned_away < self.turn_away:
            self.turned_away += 1
            sock.close()
            return
        peer = Peer(sock, self._script)
        self.peers.append(peer)
        peer.send(self.greeting)
        if b"text/disconnect-notice" in self.greeting:
            peer.close()
            return
        peer.wait_end(self.patience)

    def _script(self, peer: Peer, packet: Packet) -> bytes | None:
        answer = self.answer(peer, packet) if self.answer else NotImplemented
        if answer is NotImplemented:
            answer = self.said.get(packet.command, ACCEPTED if packet.command.startswith("auth ") else OK)
        if answer is None:
            return None
        assert isinstance(answer, bytes)
        peer.send(answer)
        if b"text/disconnect-notice" in answer:
            # Not from inside its reader, which would end with it.
            peer.sock.shutdown(socket.SHUT_RDWR)
        return None


def job_of(packet: Packet) -> str:
    found = packet.get("Job-UUID")
    assert found, "bgapi was sent without a Job-UUID of our own"
    return found


def accepted(packet: Packet) -> bytes:
    job = job_of(packet)
    return f"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {job}\nJob-UUID: {job}\n\n".encode()


def closing_on(word: str, last: bytes = b"") -> Answer:
    def answer(peer: Peer, packet: Packet) -> object:
        if not packet.command.startswith(word):
            return NotImplemented
        if last:
            peer.send(last)
        peer.sock.shutdown(socket.SHUT_RDWR)
        return None

    return answer


Listen = Callable[..., InboundServer]
Connect = Callable[..., Client]
