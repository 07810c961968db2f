"""Targets: of the tables of the setting ``targets``, checked before anything is brought."""

from __future__ import annotations

import dataclasses
import functools
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from fsivr.errors import ConfigError
from fsivr.exporter.pace import Pace
from fsivr.exporter.secret import with_secrets
from fsivr.exporter.target import Target


def _text(most: int = 1000, *, required: bool = False) -> fields.Field[Any]:
    return fields.String(required=required, validate=validate.Regexp(rf"[^\x00-\x1f\x7f]{{1,{most}}}\Z"))


def _number(least: int, most: int) -> fields.Field[Any]:
    return fields.Integer(strict=True, validate=validate.Range(least, most))


def _seconds() -> fields.Field[Any]:
    return fields.Float(validate=validate.Range(0.1, 3600))


def _truth() -> fields.Field[Any]:
    return fields.Boolean(truthy={True}, falsy={False})


def _word(*words: str) -> fields.Field[Any]:
    return fields.String(validate=validate.OneOf(words))


_FOLDER: dict[str, fields.Field[Any]] = {"path": _text(required=True), "mounted": _truth()}
_S3: dict[str, fields.Field[Any]] = {
    "bucket": _text(63, required=True),
    **{name: _text() for name in ("endpoint", "prefix", "region", "key_id", "secret", "session_token")},
    **{name: _text() for name in ("storage_class", "kms_key", "ca_bundle", "state")},
    "encryption": _word("AES256", "aws:kms"),
    "lock": _word("legal-hold", "governance", "compliance"),
    "lock_days": _number(1, 36_500),
    "addressing": _word("auto", "path", "virtual"),
    "allow_plaintext": _truth(),
    "connect_timeout": _seconds(),
    "read_timeout": _seconds(),
    "concurrency": _number(1, 64),
    "part_size": _number(5 << 20, 5 << 30),
    "proof": _word("checksum", "read"),
    "checksums": _truth(),
}
_SFTP: dict[str, fields.Field[Any]] = {
    "host": _text(255, required=True),
    "user": _text(255, required=True),
    "port": _number(1, 65535),
    **{name: _text() for name in ("folder", "password", "key", "passphrase", "known_hosts")},
    "agent": _truth(),
    "fingerprints": fields.List(_text(200), validate=validate.Length(1, 20)),
    "timeout": _seconds(),
}
_FTPS: dict[str, fields.Field[Any]] = {
    "host": _text(255, required=True),
    "user": _text(255, required=True),
    "password": _text(required=True),
    "port": _number(1, 65535),
    **{name: _text() for name in ("folder", "ca")},
    "proof": _word("content", "size"),
    "timeout": _seconds(),
}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What makes objects of one target; a value, which another process can make them by too.

    :param kind: one of ``KINDS``.
    :param arguments: those of its class; secrets are among them.
    :param bandwidth: bytes a second that all it makes share; 0 for no limit.
    """

    name: str
    kind: str
    arguments: Mapping[str, Any] = dataclasses.field(repr=False)
    bandwidth: int = 0

    def __call__(self) -> Target:
        """An object of it, that is not connected."""
        return KINDS[self.kind].load()(self.name, **self.arguments, pace=self._pace)

    @functools.cached_property
    def _pace(self) -> Pace:
        return Pace(float(self.bandwidth) if self.bandwidth else None)

    def keeping(self, folder: Path) -> Recipe:
        """The recipe with a folder for what its targets have to know between two runs, unless it names one."""
        if self.kind != "s3" or "state" in self.arguments:
            return self
        return dataclasses.replace(self, arguments={**self.arguments, "state": str(folder)})

    def share(self, count: int) -> Recipe:
        """The recipe for one of so many processes, each with its part of the bandwidth."""
        return dataclasses.replace(self, bandwidth=-(-self.bandwidth // count))


@dataclasses.dataclass(frozen=True)
class _Kind:
    """A kind of target: its class, the keys of its table, and those that are secret."""

    place: str
    keys: Mapping[str, fields.Field[Any]]
    secrets: tuple[str, ...] = ()

    def load(self) -> Callable[..., Target]:
        """The class; its libraries are imported only now."""
        module, _, name = self.place.partition(":")
        found: Callable[..., Target] = getattr(importlib.import_module(module), name)
        return found


KINDS: Mapping[str, _Kind] = {
    "folder": _Kind("fsivr.exporter.folder:FolderTarget", _FOLDER),
    "s3": _Kind("fsivr.exporter.s3:S3Target", _S3, ("secret", "session_token")),
    "sftp": _Kind("fsivr.exporter.sftp:SFTPTarget", _SFTP, ("password", "passphrase")),
    "ftps": _Kind("fsivr.exporter.ftps:FTPSTarget", _FTPS, ("password",)),
}


def recipes(
    tables: Mapping[str, Mapping[str, Any]], *, bandwidth: int = 0, allow_plaintext_ftp: bool = False
) -> dict[str, Recipe]:
    """For each target's name what makes objects of it; all checked, none connected.

    :param tables: the setting ``targets``.
    :param bandwidth: bytes a second that all objects of one target share; 0 for no limit.
    :raises ConfigError: one is wrong; a line for each says which, which key, and what is allowed.
    """
    found: dict[str, Recipe] = {}
    wrong: list[str] = []
    for name, table in tables.items():
        try:
            found[name] = _recipe(name, table, bandwidth, allow_plaintext_ftp)
        except ConfigError as error:
            wrong.append(str(error))
    if wrong:
        raise ConfigError("\n".join(wrong))
    return found


def _recipe(name: str, table: Mapping[str, Any], bandwidth: int, allow_plaintext_ftp: bool) -> Recipe:
    kind = KINDS.get(str(table.get("kind")))
    if kind is None:
        given = f"is {table['kind']!r:.80}" if "kind" in table else "is not given"
        raise ConfigError(f"target {name}: kind {given}: allowed is {', '.join(KINDS)}")
    arguments = _checked(name, kind, with_secrets(name, table, kind.secrets))
    if table["kind"] == "ftps":
        arguments["allow_plaintext"] = allow_plaintext_ftp
    found = Recipe(name, table["kind"], arguments, bandwidth)
    try:
        found()
    except ImportError as error:
        raise ConfigError(f"target {name}: its kind needs what is not installed: {error.name}") from None
    except ConfigError as error:
        raise ConfigError(f"target {name}: {error}") from None
    return found


def _checked(name: str, kind: _Kind, table: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in table.items() if key != "kind"}
    try:
        checked = Schema.from_dict(dict(kind.keys))().load(given)
    except ValidationError as error:
        lines = [_refusal(name, kind, key, given, messages) for key, messages in error.messages_dict.items()]
        raise ConfigError("\n".join(lines)) from None
    return dict(checked)


def _refusal(name: str, kind: _Kind, key: str, given: Mapping[str, Any], messages: Any) -> str:
    if key not in kind.keys:
        return f"target {name}: there is no key {key[:80]}: there are {', '.join(kind.keys)}"
    if key not in given:
        return f"target {name}: {key} is missing"
    said = " ".join(str(each) for each in messages) if isinstance(messages, list) else "a wrong item"
    shown = "" if key in kind.secrets else f" is {given[key]!r:.100}"
    return f"target {name}: {key}{shown}: {said}"
