"""The table of settings: name, default, what each does and what it allows."""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import socket
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from marshmallow import Schema, ValidationError

from fsivr.allowed import parse_address
from fsivr.errors import ConfigError
from fsivr.settings.api import ApiSettings
from fsivr.settings.calls import CallSettings
from fsivr.settings.exporting import ExportSettings
from fsivr.settings.keeping import KeepingSettings
from fsivr.settings.setting import Setting
from fsivr.settings.sound import SoundSettings

#: What is shown of a setting that is secret.
HIDDEN = "********"
_SECRET_KEYS = ("secret", "password", "passphrase", "session_token")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclasses.dataclass(frozen=True)
class Settings(ExportSettings, ApiSettings, KeepingSettings, SoundSettings, CallSettings):
    """The value of every setting, one attribute each; ``load`` and ``defaults`` validate them."""

    #: Where each setting's value came from: "default", a file, a variable, an option.
    sources: Mapping[str, str] = dataclasses.field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )

    @property
    def listen_address(self) -> tuple[str, int]:
        """The host and port of ``listen``."""
        return parse_address(self.listen)

    @property
    def allow_networks(self) -> tuple[Network, ...]:
        """The networks of ``allow``; an address is a network of one."""
        return tuple(ipaddress.ip_network(text) for text in self.allow)

    @property
    def node_name(self) -> str:
        """The value of ``node``, or where that is empty the name of this machine."""
        return self.node or socket.gethostname()

    @property
    def secret_values(self) -> frozenset[str]:
        """The passwords that are set, so that they can be kept out of what is written."""
        values = [getattr(self, each.name) for each in SETTINGS if each.secret]
        found = {each for value in values for each in _secrets(value)}
        password = urlsplit(self.database).password if self.database.startswith("postgresql:") else None
        return frozenset((found | {password or "", unquote(password or "")}) - {""})

    @property
    def retention_days(self) -> Mapping[str, int]:
        """The days of each class of ``retention``."""
        return {name: int(days) for name, _, days in (text.partition("=") for text in self.retention)}

    def source(self, name: str) -> str:
        """Where the setting's value came from: ``default``, a file, a variable or an option."""
        return self.sources.get(name, "default")

    @classmethod
    def defaults(cls, **overrides: object) -> Settings:
        """The defaults, but for the settings given here; no file or variable is looked at.

        :raises ConfigError: an override is wrong.
        """
        return validated([(name, value, "argument") for name, value in overrides.items()])


def _secrets(value: object, name: str = "secret") -> Iterator[str]:
    """What is secret in a setting that is: in tables of targets, what their keys say is."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _secrets(each, key)
    elif isinstance(value, str) and name in _SECRET_KEYS:
        yield value


#: Every setting, in the order of the documents.
SETTINGS = tuple(Setting(f.name, f.default, **f.metadata) for f in dataclasses.fields(Settings) if f.metadata)
_BY_NAME = {setting.name: setting for setting in SETTINGS}
_SCHEMA = Schema.from_dict({setting.name: setting.field for setting in SETTINGS})()


def validated(given: Iterable[tuple[str, object, str]]) -> Settings:
    """The settings of what was given: a name, a value and where it came from; the last of a name is in force.

    :raises ConfigError: a setting is unknown or wrong; one line for each.
    """
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    wrong: list[str] = []
    for name, value, source in given:
        if name not in _BY_NAME:
            wrong.append(_unknown(name, source))
            continue
        values[name], sources[name] = value, source
    try:
        checked = _SCHEMA.load(values)
    except ValidationError as error:
        wrong += [_refusal(_BY_NAME[name], values[name], sources[name]) for name in error.messages_dict]
    if wrong:
        raise ConfigError("\n".join(wrong))
    lists = {name: tuple(value) for name, value in checked.items() if isinstance(value, list)}
    return Settings(**{**checked, **lists}, sources=MappingProxyType(sources))


def _refusal(setting: Setting, value: object, source: str) -> str:
    shown = HIDDEN if setting.secret else repr(setting.shown(value))
    if len(shown) > 100:
        shown = shown[:97] + "..."
    return f"setting {setting.name} from {source} is {shown}: allowed is {setting.allowed}"


def _unknown(name: str, source: str) -> str:
    near = difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0.5)
    advice = f"did you mean {near[0]}?" if near else "'fsivr settings' lists them all"
    return f"there is no setting {name} (from {source}): {advice}"
