"""The recordings' folder: written by the switch, and read by fsivr."""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, warning
from fsivr.doctor.site import Site
from fsivr.errors import CommandRefused, ESLError

# Shorter recordings are thrown away by the switch itself, so that the trial leaves nothing (FACTS 7.12).
_NEVER_KEPT = 3600
# Seconds after which the trial's call is over, if nobody ends it.
_LONGEST = 10
_OWNERS = "chown -R freeswitch:fsivr {folder} && chmod -R g+rwX,g+s {folder}"
_LAG = 60


def _folder(site: Site) -> Iterator[Told]:
    folder = _spool(site)
    lacks = [what for what, mode in (("read", os.R_OK), ("write", os.W_OK | os.X_OK)) if not os.access(folder, mode)]
    if lacks:
        yield error(f"this user cannot {' or '.join(lacks)} {folder}", _mend(folder))
    else:
        yield ok(f"this user can read and write {folder}")


def _private(site: Site) -> Iterator[Told]:
    folder = _spool(site)
    if folder.stat().st_mode & stat.S_IRWXO:
        yield warning(f"{folder} is open to every user of this machine", f"chmod o= {folder}")
    else:
        yield ok(f"{folder} is closed to other users")


def _spool(site: Site) -> Path:
    """Where the switch writes: the spool, or the folder that it will be in."""
    folder = Path(site.settings.recordings_path).absolute()
    found = next((each for each in (folder / "spool", folder) if each.is_dir()), None)
    if found is None:
        raise NotLookedAt(f"there is no folder {folder} yet: 'fsivr serve' makes it")
    return found


def _switch(site: Site) -> Iterator[Told]:
    """A trial recording, as of a call; the switch's own ``null`` endpoint (mod_dptools.c) answers it."""
    path = site.on_disk(_spool, site) / f".{secrets.token_hex(8)}.wav"
    uuid = f"fsivr-doctor-{secrets.token_hex(8)}"
    variables = (
        f"{{origination_uuid={uuid},originate_timeout=5,RECORD_MIN_SEC={_NEVER_KEPT},"
        f"origination_caller_id_name=fsivr-doctor,execute_on_answer='sched_hangup +{_LONGEST}'}}"
    )
    if "+OK" not in site.ask("originate", f"{variables}null/fsivr &park()"):
        raise NotLookedAt("the switch did not place the call of the trial")
    try:
        yield from _tried(site, uuid, path)
    finally:
        _end(site, uuid, path)


def _tried(site: Site, uuid: str, path: Path) -> Iterator[Told]:
    folder = path.parent
    try:
        site.switch.api("uuid_record", f"{uuid} start {path}")
    except CommandRefused:
        yield error(f"the switch cannot write into {folder}", _mend(folder))
        return
    except ESLError:
        raise NotLookedAt("the switch cannot be asked: see switch.reachable") from None
    if not site.on_disk(path.exists):
        yield error(
            f"what the switch writes into {folder} is not seen here",
            "mount one folder on both machines, under the same name, and set recordings_path to it",
        )
    elif not site.on_disk(os.access, path, os.R_OK):
        yield error(f"what the switch writes into {folder} cannot be read by this user", _mend(folder))
    else:
        yield ok(f"the switch writes into {folder}, and it is read here")


def _end(site: Site, uuid: str, path: Path) -> None:
    for command, argument in (("uuid_record", f"{uuid} stop {path}"), ("uuid_kill", uuid)):
        with suppress(ESLError):  # the call ends by itself
            site.switch.api(command, argument)
    with suppress(OSError):
        site.on_disk(path.unlink, True)


def _waiting(site: Site) -> Iterator[Told]:
    """What lies in the spool although nobody records it any more."""
    now = time.time()
    names = [each for each in os.scandir(_spool(site)) if each.is_file() and each.name.endswith(".wav")]
    old = [each for each in names if now - each.stat().st_mtime > _LAG]
    if old:
        yield note(f"{len(old)} files of the spool are not written any more", "fsivr serve, which seals them; its log")
    else:
        yield ok(f"{len(names)} files are in the spool")


def _mend(folder: Path) -> str:
    return f"usermod -aG fsivr freeswitch; {_OWNERS.format(folder=folder)}; restart both"


AREA = "recordings"
CHECKS = (
    Check(
        AREA, "folder", _folder, "a recording that cannot be moved is never sealed, and never exported", threaded=True
    ),
    Check(AREA, "private", _private, "recordings are what customers said, for nobody else to hear", threaded=True),
    Check(AREA, "switch", _switch, "a call that is to be recorded fails where the switch cannot write", deadline=20.0),
    Check(AREA, "spool", _waiting, "what stays in the spool is not in the archive", threaded=True),
)
