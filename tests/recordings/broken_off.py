"""A program that ends itself at each step of recording and of reconciling, as a power cut of the process would.

``python -m tests.recordings.broken_off FOLDER KIND`` leaves a folder for each step that there is;
it prints for each which sound files were there when it ended.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fsivr.recordings import Archive, Folders, Keeper, Sidecar, reconcile
from fsivr.recordings.wav import header
from fsivr.store import Journal, Store, journal
from tests.recordings.serving import settings_of

ID = "20261124T135551.123Z-0123456789ab"
#: Its seconds.
LENGTH = 0.5
_ENDED = 9
_SOUND = b"\1\2" * round(LENGTH * 8000)
#: What the switch left, by the kind of scenario.
FILES = {
    "open": header(0, 1) + _SOUND,
    "headerless": _SOUND,
    "left": header(0, 1) + _SOUND,
    "empty": b"",
    "none": None,
}
#: Those whose mending is broken off too.
THROUGH = ("open", "left")
_STEPS = ("fchmod", "rename", "fsync", "unlink", "mkdir", "truncate", "pwrite")


def ends_at(step: int) -> None:
    """Have this process end before so many steps are done."""
    left, one = [step], threading.Lock()

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            with one:
                left[0] -= 1
                if left[0] < 0:
                    os._exit(_ENDED)
            return function(*arguments, **options)

        return run

    os.fsync = lambda file: None  # it is a step, and no power is cut here
    for name in _STEPS:
        setattr(os, name, counted(getattr(os, name)))
    journal.write = counted(journal.write)  # type: ignore[attr-defined]
    Store.write = counted(Store.write)  # type: ignore[method-assign]


def record(folder: Path, kind: str) -> None:
    """Have one recording, from its ticket to its row."""
    given = settings_of(folder)
    keeping = Journal(given.database)
    keeping.start()
    keeper = Keeper(Folders(given.recordings_path), keeping, node="ivr-1")
    keeper.start()
    started = datetime(2026, 11, 24, 13, 55, 51, tzinfo=UTC)
    ticket = Sidecar(id=ID, call="c", started=started, state="recording", node="ivr-1", channels=1)
    keeper.begin(ID, lambda owner: replace(ticket, owner=owner))
    content = FILES[kind]
    if content is not None:
        keeper.folders.spooled(ID).write_bytes(content)
        keeper.began(ticket)
    if kind == "none":
        keeper.drop(ID, lambda owner: ticket)
    elif kind == "left":
        keeper.leave(ID, lambda owner: ticket)
    else:
        seconds = 0.0 if kind == "empty" else LENGTH
        ended = replace(ticket, stopped=started + timedelta(seconds=seconds), duration=seconds)
        keeper.end(ID, lambda owner: ended, lambda here: None)
    keeper.close(10)
    keeping.close(10)


def mend(folder: Path) -> None:
    """Reconcile once."""
    given = settings_of(folder)
    store = Store(given.database)
    store.migrate()
    reconcile(Archive.of(given, store), settle=0.0)
    store.close()


def ended(step: int, function: Callable[..., None], *arguments: Any) -> bool:
    """Whether a process that does this ended itself before a step; it did all of it where not."""
    child = os.fork()
    if not child:
        try:
            ends_at(step)
            function(*arguments)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, _ENDED):
        raise SystemExit(f"step {step} of {function.__name__}: {code}")
    return code == _ENDED


def main(root: Path, kind: str) -> None:
    step, more = 0, True
    database = root / "fsivr.db"
    assert not ended(sys.maxsize, mend, root)  # which makes the database
    while more:
        folder = root / f"{step:03}"
        folder.mkdir()
        shutil.copyfile(database, folder / database.name)
        more = ended(step, record, folder, kind)
        there = [path.name for path in folder.rglob("*.wav")]
        # Each time further, until nothing is left to do.
        further = 0 if kind in THROUGH else sys.maxsize
        while ended(further, mend, folder):
            further += 1
        print(json.dumps({"step": step, "files": there, "ended": more}))
        step += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
