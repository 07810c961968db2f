"""The settings: right, and kept from others' eyes; the dialplan that they name."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from fsivr.config import SETTINGS
from fsivr.dialplan import load_dialplan
from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, warning
from fsivr.doctor.site import Site
from fsivr.errors import ConfigError
from fsivr.exporter.targets import recipes

_OTHERS = stat.S_IROTH | stat.S_IWOTH


def _valid(site: Site) -> Iterator[Told]:
    if site.wrong:
        for line in site.wrong.splitlines():
            yield error(line, "fsivr settings; docs/settings.md says what each allows")
        return
    where = f"in {site.file}" if site.file else "which are the defaults and those of the environment"
    yield ok(f"{len(SETTINGS)} settings, {where}")


def _permissions(site: Site) -> Iterator[Told]:
    if site.file is None:
        raise NotLookedAt("there is no settings file")
    try:
        mode = site.file.stat().st_mode
    except OSError as failure:
        raise NotLookedAt(f"{site.file} cannot be looked at: {failure.strerror}") from None
    shown = f"{site.file} has mode {stat.S_IMODE(mode):04o}"
    if mode & (stat.S_IWOTH | stat.S_IWGRP):
        yield error(f"{shown}: others can write it", f"chmod g-w,o= {site.file}")
    elif mode & _OTHERS and _has_secrets(site):
        yield error(f"{shown}, holds secrets, and can be read by everybody", f"chmod o= {site.file}")
    else:
        yield ok(shown)


def _has_secrets(site: Site) -> bool:
    settings = site.settings
    found = [each.name for each in SETTINGS if each.secret and getattr(settings, each.name)]
    if urlsplit(settings.database).password:
        found.append("database")
    return any(settings.source(name) == str(site.file) for name in found)


def _dialplan(site: Site) -> Iterator[Told]:
    name = site.settings.dialplan
    try:
        yield ok(f"{name} has {len(list(load_dialplan(name)))} extensions")
    except ConfigError as failure:
        yield error(str(failure), f"fsivr route; set dialplan; is {Path.cwd()} the folder of the applications?")


def _targets(site: Site) -> Iterator[Told]:
    settings = site.settings
    if not settings.targets:
        yield note("there is no target: recordings are on this disk alone", "docs/export.md")
        return
    try:
        found = recipes(settings.targets, allow_plaintext_ftp=settings.allow_plaintext_ftp)
    except ConfigError as failure:
        for line in str(failure).splitlines():
            yield error(line, "docs/export.md says what each kind of target needs")
        return
    yield ok(f"targets {', '.join(found)}")
    if not settings.export_at:
        yield note("export_at is empty: no server begins the export", "systemctl enable --now fsivr-export.timer")


def _retention(site: Site) -> Iterator[Told]:
    days = site.settings.retention_days
    said = ", ".join(f"{name} {count}" for name, count in days.items())
    if not site.settings.targets:
        yield warning(f"nothing is ever removed: it is kept until it is exported ({said} days)", "set a target")
    else:
        yield ok(f"days that recordings are kept here once exported: {said}")


AREA = "settings"
CHECKS = (
    Check(AREA, "valid", _valid, "no command of fsivr starts with a wrong setting"),
    Check(
        AREA, "permissions", _permissions, "who reads the file has the switch's password and the keys of the targets"
    ),
    Check(AREA, "dialplan", _dialplan, "without it no call is taken"),
    Check(AREA, "targets", _targets, "a disk that breaks takes with it what is nowhere else"),
    Check(AREA, "retention", _retention, "recordings that nothing removes fill the disk"),
)
