"""The service: how systemd runs the server, and whether it was started again and again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress

from gevent import subprocess

from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, warning
from fsivr.doctor.site import Site

_UNIT, _TIMER = "fsivr.service", "fsivr-export.timer"
_SHOWN = ("LoadState", "ActiveState", "SubState", "NRestarts", "WatchdogUSec", "Type", "User", "UnitFileState")
_PATIENCE = 5.0


def _unit(site: Site) -> Iterator[Told]:
    shown = _show(site, _UNIT)
    state = f"{shown.get('ActiveState')} ({shown.get('SubState')})"
    if shown.get("ActiveState") in ("active", "reloading"):
        yield ok(f"{_UNIT} is {state}")
    else:
        yield error(f"{_UNIT} is {state}", f"journalctl -u {_UNIT} -n 50; systemctl start {_UNIT}")
    if shown.get("UnitFileState") != "enabled":
        yield warning(f"{_UNIT} does not start with the machine", f"systemctl enable {_UNIT}")
    if shown.get("User") in ("", "root"):
        yield warning(f"{_UNIT} runs as root", f"systemctl edit {_UNIT}: [Service] User=fsivr")
    restarts = shown.get("NRestarts", "0")
    if restarts not in ("", "0"):
        yield warning(f"{_UNIT} was started again {restarts} times", f"journalctl -u {_UNIT} --grep 'exited|Failed'")


def _watchdog(site: Site) -> Iterator[Told]:
    shown = _show(site, _UNIT)
    limit = shown.get("WatchdogUSec", "")
    if limit in ("", "0", "infinity"):
        yield note(f"{_UNIT} has no watchdog", f"systemctl edit {_UNIT}: [Service] WatchdogSec=30")
    else:
        yield ok(f"{_UNIT} is started again when it has not answered for {limit}")


def _export(site: Site) -> Iterator[Told]:
    if not site.settings.targets:
        raise NotLookedAt("there is no target to export to")
    if site.settings.export_at:
        yield ok(f"the server begins the export at {site.settings.export_at} UTC")
        return
    shown = _show(site, _TIMER)
    if shown.get("ActiveState") == "active":
        yield ok(f"{_TIMER} begins the export")
    else:
        yield warning(
            f"nothing begins the export: {_TIMER} is {shown.get('ActiveState')}", f"systemctl enable --now {_TIMER}"
        )


def _show(site: Site, unit: str) -> dict[str, str]:
    """What systemd says of a unit."""
    program = shutil.which("systemctl")
    if program is None or not (site.root / "run/systemd/system").is_dir():
        raise NotLookedAt("systemd does not run this machine")
    command = [program, "show", unit, *(f"--property={each}" for each in _SHOWN)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        printed, _ = process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        raise NotLookedAt("systemctl did not answer") from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    shown = dict(line.split("=", 1) for line in printed.decode(errors="replace").splitlines() if "=" in line)
    if shown.get("LoadState") != "loaded":
        raise NotLookedAt(f"there is no unit {unit}")
    return shown


AREA = "service"
CHECKS = (
    Check(AREA, "unit", _unit, "a server that nothing starts is away after a power cut"),
    Check(AREA, "watchdog", _watchdog, "a server that hangs takes no calls until somebody notices"),
    Check(AREA, "export", _export, "recordings stay on this disk until an export is begun"),
)
