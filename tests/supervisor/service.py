"""``fsivr serve --workers`` as it is run, and telephones that call it."""

from __future__ import annotations

import os
import signal
import uuid
from pathlib import Path
from typing import Any

from gevent import socket

from fsivr.store import Store
from tests.cli.process import Process
from tests.cli.test_serve import address_in
from tests.esl.peer import OK, UUID, Peer, api_response, default, hangup
from tests.esl.switch_rules import Packet
from tests.leaks import until

LINES = """
import os, time
from gevent import monkey
from fsivr import Dialplan, Extension, Handler

really_sleep = monkey.get_original("time", "sleep")


class Patient(Handler):
    def run(self, call):
        if os.path.exists("stand-still"):
            os.unlink("stand-still")
            really_sleep(600)
        call.play(f"VERSION-{os.getpid()}-x")


dialplan = Dialplan([Extension(".*", Patient)])
"""


class Telephone(Peer):
    """A call that hears one prompt, which does not end; its uuid is its own."""

    def __init__(self, sock: Any) -> None:
        self.uuid = str(uuid.uuid4())
        self.cause = ""
        super().__init__(sock, _switch)

    def send(self, data: bytes) -> None:
        """Write the bytes, with the uuid of this call."""
        super().send(data.replace(UUID.encode(), self.uuid.encode()))

    @property
    def heard(self) -> list[str]:
        """The version of the code and the process that has the call; empty while there is none."""
        played = [one.get("execute-app-arg") or "" for one in self.executed]
        return played[0].removesuffix(".wav").split("-")[:2] if played else []

    @property
    def over(self) -> bool:
        """Whether the connection has ended."""
        return bool(self._reader.ready())

    def hang_up(self) -> None:
        """Have the caller leave."""
        self.send(hangup())
        self.close_soon()


def _switch(peer: Any, packet: Packet) -> Any:
    if packet.get("execute-app-name"):
        return OK
    killed = "uuid_kill" in packet.command
    if killed or packet.get("call-command") == "hangup":
        peer.cause = packet.command.rpartition(" ")[2] if killed else packet.get("hangup-cause") or ""
        peer.send((api_response("+OK\n") if killed else OK) + hangup(peer.cause))
        peer.close_soon()
        return None
    answer = default(packet)
    if packet.command == "exit":
        peer.send(answer)
        peer.close_soon()
        return None
    return answer


class Service(Process):
    """The service in a folder, with a dialplan in it that tells the version of its code."""

    def __init__(self, folder: Path, *, workers: int = 2, **settings: object) -> None:
        self.folder = folder
        self.phones: list[Telephone] = []
        self.write("v1")
        self._database = f"sqlite:///{folder}/kept.db"
        notify = {"NOTIFY_SOCKET": str(settings.pop("notify"))} if "notify" in settings else {}
        listen, dialplan = settings.pop("listen", "127.0.0.1:0"), settings.pop("dialplan", "lines:dialplan")
        variables = {f"FSIVR_{name.upper()}": str(value) for name, value in settings.items()}
        own = {"FSIVR_DATABASE": self._database, "PYTHONDONTWRITEBYTECODE": "1", **notify, **variables}
        arguments = ("--workers", str(workers), "--listen", str(listen), "--dialplan", str(dialplan))
        super().__init__("serve", *arguments, cwd=folder, variables=own)
        self.address = address_in(self.reads("from another terminal"))

    def __exit__(self, *what: Any) -> None:
        for phone in self.phones:
            phone.close()
        workers = self.workers()
        super().__exit__(*what)
        # They end by themselves, as their supervisor is gone, but not before a test that failed has said so.
        for pid in workers:
            if _is_worker(pid):
                os.kill(pid, signal.SIGKILL)

    def write(self, version: str, lines: str = LINES) -> None:
        """Have the code be of another version."""
        (self.folder / "lines.py").write_text(lines.replace("VERSION", version))

    def call(self, count: int = 1) -> list[Telephone]:
        """So many more calls, begun at once."""
        phones = [Telephone(socket.create_connection(self.address)) for _ in range(count)]
        self.phones += phones
        return phones

    def held(self, count: int = 1) -> list[Telephone]:
        """So many more calls, which handlers have."""
        phones = self.call(count)
        assert until(lambda: all(phone.heard for phone in phones), 20), self.more()
        return phones

    def workers(self) -> list[int]:
        """The processes that take calls, or let their last ones finish."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [pid for pid in map(int, children.read_text().split()) if _is_worker(pid)] if children.exists() else []

    def row(self, phone: Telephone) -> Any:
        """What is kept of a call."""
        store = Store(self._database)
        try:
            return store.call(phone.uuid)
        finally:
            store.close()


def _is_worker(pid: int) -> bool:
    try:
        return b"serve-worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def are_gone(pids: list[int]) -> bool:
    """Whether none of these workers runs."""
    return not any(map(_is_worker, pids))
