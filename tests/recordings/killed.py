"""A program that kills a server, switches and who reconciles, at random, while calls are recorded.

``python -m tests.recordings.killed FOLDER KILLS SEED`` prints what it did, and which sound files
were on disk at each kill; nobody of it runs any more when it ends, and all was reconciled.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent

from fsivr import Call, Dialplan, Extension, Handler
from fsivr.errors import ArchiveError
from fsivr.recordings import Archive, Folders, reconcile
from fsivr.recordings.keeper import Keeper
from fsivr.server import Server
from fsivr.simulator import Switch
from fsivr.store import Journal, Store
from tests.recordings.serving import settings_of

#: Seconds for which a file must be left alone; short, so that it is reached between two kills.
SETTLE = 0.5
#: The file with the ids of what the switch threw away: of no sound.
DISCARDED = "discarded"
#: Callers of each switch.
CALLERS = 2
#: Real seconds that a kill waits for something to be recorded.
PATIENCE = 2.0
ROLES = ("server", "switch 1", "switch 2", "reconciler")
#: Who is killed together, one time in as many.
HITS = (["server"], ["switch 1"], ["switch 2"], ["reconciler"], ["server", "switch 1"], [*ROLES])


class Recording(Handler):
    """Records a message, and for numbers that end in 1 the whole call with it."""

    def run(self, call: Call) -> None:
        call.answer()
        if call.destination.endswith("1"):
            with call.recording(stereo=True):
                call.record(beep=False)
        else:
            call.record(beep=False)


def serve(folder: Path, port: int) -> None:
    settings = settings_of(folder, listen=f"127.0.0.1:{port}")
    journal = Journal(settings.database)
    server = Server(Dialplan([Extension(".*", Recording)]), settings, store=journal, worker="w")
    keeping: Any = server._keeping
    keeping._keeper = Keeper(Folders(settings.recordings_path), journal, node="ivr-1", settle=SETTLE, every=0.2)
    keeping.start = keeping._keeper.start
    server.serve_forever()


def call(folder: Path, port: int) -> None:
    """Call without end, several at once; what the switch throws away itself is written down before."""
    unlink = os.unlink

    def discard(path: str) -> None:
        with open(folder / DISCARDED, "a") as file:
            print(Path(path).stem, file=file)
        unlink(path)

    os.unlink = discard  # type: ignore[assignment]
    gevent.joinall([gevent.spawn(_call, port) for _ in range(CALLERS)])


def _call(port: int) -> None:
    switch = Switch(("127.0.0.1", port))
    switch.patience, switch.grace = 1.0, 0.01
    gevent.spawn(_grow, switch)
    while True:
        with contextlib.suppress(Exception), switch.call(random.choice(("4300", "4301"))) as caller:
            caller.talks(1)
            gevent.sleep(random.uniform(0, 0.08))
            caller.talks(random.uniform(0, 2))
            if random.random() < 0.7:
                caller.dials("#")
            else:
                caller.hangs_up()
        gevent.sleep(random.uniform(0, 0.01))


def _grow(switch: Switch) -> None:
    """Write on, as a switch does whose time passes; what has no sound yet would be thrown away."""
    while True:
        for channel in list(switch.channels.values()):
            for taping in list(channel.tapes.values()):
                if taping.tape._place(switch.clock.now()) > 0.1:
                    taping.tape._open.write(b"\1\0" * random.randrange(2000))
        gevent.sleep(0.005)


def look_after(folder: Path, port: int) -> None:
    """Reconcile without end."""
    settings = settings_of(folder)
    store = Store(settings.database)
    store.migrate()
    while True:
        with contextlib.suppress(ArchiveError):  # the server is at it
            reconcile(Archive.of(settings, store), settle=SETTLE, patience=1.0)
        time.sleep(0.02)


def finish(folder: Path, port: int) -> None:
    """Reconcile until nothing is left to do."""
    settings = settings_of(folder)
    store = Store(settings.database)
    store.migrate()
    for _ in range(5):
        reconcile(Archive.of(settings, store), settle=0.0)
    store.close()
    os._exit(0)


def begin(role: Callable[[Path, int], None], folder: Path, port: int) -> int:
    """The process of a role."""
    child = os.fork()
    if not child:
        try:
            random.seed()
            logging.disable(logging.CRITICAL)
            os.fsync = lambda file: None  # no power is cut here
            role(folder, port)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        os._exit(1)
    return child


def sounds(folder: Path) -> dict[str, int]:
    """The sound files that are on disk, without the switch's trials."""
    found = {}
    for path in (folder / "recordings").rglob("[0-9]*.wav"):
        with contextlib.suppress(FileNotFoundError):
            found[path.stem] = path.stat().st_size
    return found


def _wait_for_more(folder: Path) -> None:
    """Wait until something is recorded that was not before, or is not within a while."""
    spool = folder / "recordings" / "spool"
    before, deadline = set(spool.glob("[0-9]*.wav")), time.monotonic() + PATIENCE
    while set(spool.glob("[0-9]*.wav")) <= before and time.monotonic() < deadline:
        time.sleep(0.002)


def main(folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    roles = dict(zip(ROLES, (serve, call, call, look_after), strict=True))
    running = {name: begin(role, folder, port) for name, role in roles.items()}
    for number in range(kills):
        _wait_for_more(folder)
        time.sleep(chance.uniform(0.0, 0.04))
        hit = chance.choice(HITS)
        for name in hit:
            os.kill(running[name], signal.SIGKILL)
        died = [os.waitstatus_to_exitcode(os.waitpid(running[name], 0)[1]) for name in hit]
        spool = sorted(path.suffix for path in (folder / "recordings" / "spool").glob("[0-9]*"))
        print(json.dumps({"kill": number, "hit": hit, "died": died, "sounds": sounds(folder), "spool": spool}))
        running |= {name: begin(roles[name], folder, port) for name in hit}
    for child in running.values():
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    print(json.dumps({"kill": kills, "hit": list(ROLES), "died": [], "sounds": sounds(folder), "spool": []}))
    assert os.waitpid(begin(finish, folder, port), 0)[1] == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
