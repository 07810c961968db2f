"""The targets of the export: a probe is written to each, read back, and deleted."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent

from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, skipped, warning
from fsivr.doctor.site import Site
from fsivr.errors import ConfigError, ExportError
from fsivr.exporter.target import Target
from fsivr.exporter.targets import Recipe, recipes

# Seconds for one target, and then for what was written there to be removed.
_LIMIT, _CLEARING = 25.0, 5.0
# In all: deleting and closing come after the limit.
_LONGEST = _LIMIT + 2 * _CLEARING
_TEXT = b"Written by 'fsivr doctor', to be deleted at once.\n"


class _Slow(Exception):
    """It took too long."""


def _probe(site: Site) -> Iterator[Told]:
    settings = site.settings
    try:
        found = recipes(settings.targets, allow_plaintext_ftp=settings.allow_plaintext_ftp)
    except ConfigError:
        raise NotLookedAt("a target is wrong: see settings.targets") from None
    if not found:
        raise NotLookedAt("there is no target")
    probing = {name: _spawned(recipe) for name, recipe in found.items()}
    until = time.monotonic() + _LONGEST
    for name, each in probing.items():
        try:
            yield from each.get(timeout=max(0.0, until - time.monotonic()))
        except gevent.Timeout:
            # It hangs where nothing can end it, as in a folder of a network share that is gone.
            yield error(f"target {name} had not ended after {_LONGEST:g} s", _see(found[name]))


def _spawned(recipe: Recipe) -> Any:
    if recipe.kind == "folder":
        return gevent.get_hub().threadpool.spawn(probe, recipe)
    return gevent.spawn(probe, recipe)


def probe(recipe: Recipe, *, limit: float = _LIMIT) -> list[Told]:
    """What came of writing a file of chance's name to a target, reading it back and deleting it.

    :param limit: seconds that it may take; deleting what was written gets a few more.
    """
    name = recipe.name
    if recipe.kind == "s3" and recipe.arguments.get("lock") in ("governance", "compliance"):
        return [
            *_only_opened(recipe, limit),
            skipped(f"target {name}: what is locked there cannot be deleted: no probe"),
        ]
    key = f"fsivr-doctor-{secrets.token_hex(12)}.txt"
    target = recipe()
    try:
        with tempfile.TemporaryDirectory(prefix="fsivr-doctor-") as folder:
            return _probed(target, recipe, key, Path(folder) / key, limit)
    finally:
        with suppress(gevent.Timeout), gevent.Timeout(_CLEARING):
            target.close()


def _only_opened(recipe: Recipe, limit: float) -> list[Told]:
    target = recipe()
    try:
        with gevent.Timeout(limit, _Slow):
            target.open()
    except Exception as failure:
        return [_wrong(recipe, "reached", failure, limit)]
    finally:
        target.close()
    return [ok(f"target {recipe.name} ({recipe.kind}) is reached")]


def _probed(target: Target, recipe: Recipe, key: str, local: Path, limit: float) -> list[Told]:
    local.write_bytes(_TEXT)
    sha256 = hashlib.sha256(_TEXT).hexdigest()
    step, written, told = "reached", False, list[Told]()
    try:
        with gevent.Timeout(limit, _Slow):
            target.open()
            step = "asked whether it has the probe"
            if target.size(key) is not None:
                return [skipped(f"target {recipe.name}: it has a file of the probe's name")]
            step, written = "written to", True
            target.put(local, key, sha256=sha256)
            step = "read back from"
            target.prove(key, sha256=sha256, size=len(_TEXT))
            if b"".join(target.read(key)) != _TEXT:
                told.append(error(f"target {recipe.name}: what was read is not what was written", _see(recipe)))
    except Exception as failure:
        told.append(_wrong(recipe, step, failure, limit))
    finally:
        # A check that was ended from outside deletes what it wrote, too.
        if written:
            told += _deleted(target, recipe, key, failed=step == "written to")
    return told or [ok(f"target {recipe.name} ({recipe.kind}): a probe was written, read back and deleted")]


def _deleted(target: Target, recipe: Recipe, key: str, *, failed: bool) -> list[Told]:
    try:
        with gevent.Timeout(_CLEARING, _Slow):
            target.open()
            target.delete(key)
            if failed:  # half of it may be there
                target.sweep(lambda other: other != key)
            if target.size(key) is None:
                return []
            said = "it is still there"
    except Exception as failure:
        said = _said(failure, _CLEARING)
    if failed:
        return [
            note(f"target {recipe.name}: whether a part of the probe is there is not known: {said}", f"delete {key}")
        ]
    return [
        warning(
            f"target {recipe.name}: the probe {key} could not be deleted: {said}",
            f"delete {key} there; where nothing may be deleted by this user, that is as it should be",
        )
    ]


def _wrong(recipe: Recipe, step: str, failure: Exception, limit: float) -> Told:
    return error(f"target {recipe.name} cannot be {step}: {_said(failure, limit)}", _see(recipe))


def _said(failure: Exception, limit: float) -> str:
    """What an error says; of one that is not the exporter's the class alone, for its text may hold anything."""
    if isinstance(failure, _Slow):
        return f"nothing came within {limit:g} s"
    return str(failure) if isinstance(failure, ExportError) else type(failure).__name__


def _see(recipe: Recipe) -> str:
    return f"see [targets.{recipe.name}] and docs/export.md; then fsivr doctor --only targets"


AREA = "targets"
CHECKS = (
    Check(
        AREA,
        "probe",
        _probe,
        "recordings that cannot be brought away fill this disk, and are lost with it",
        deadline=_LONGEST + 3.0,
    ),
)
