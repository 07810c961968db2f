"""The table of settings: name, default, what each does and what it allows."""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from marshmallow import Schema, ValidationError, fields, validate

from fsivr.allowed import address, address_or_nothing, network, one_of, parse_address, seconds, words
from fsivr.errors import ConfigError

#: What the name of an environment variable that holds a setting starts with.
PREFIX = "FSIVR_"
#: What is shown of a setting that is secret.
HIDDEN = "********"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_T = TypeVar("_T")
_DATABASE = (
    r"sqlite:///[^\x00-\x1f\x7f?#]+|"
    r"postgresql://[\w.~%+-]+(:[^\s:/@?#\[\]]*)?@([\w.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/[\w.~%-]+"
)
_LANGUAGE = r"[A-Za-z]{2,3}([_-][A-Za-z]{2,8})?"


def _setting(default: _T, help: str, allowed: str, field: fields.Field[Any], *, secret: bool = False) -> _T:
    metadata = {"help": help, "allowed": allowed, "field": field, "secret": secret}
    # The dataclass sees its own kind of default, the type checker the setting's type.
    found: _T = dataclasses.field(default=default, metadata=metadata, repr=not secret)
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The value of every setting, one attribute each; ``load`` and ``defaults`` validate them."""

    dialplan: str = _setting(
        "apps:dialplan",
        "Where the dialplan is: the module and the name in it.",
        "MODULE:NAME, as 'apps:dialplan'",
        words(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*"),
    )
    listen: str = _setting(
        "127.0.0.1:8084",
        "The address the switch connects to; port 0 takes a free one.",
        "HOST:PORT, as '127.0.0.1:8084' or '[::1]:8084'",
        fields.String(validate=address),
    )
    allow: tuple[str, ...] = _setting(
        ("127.0.0.0/8", "::1"),
        "The addresses and networks that may connect; any other is refused.",
        "a list of addresses and networks, as ['10.0.0.5', '10.1.0.0/16']",
        fields.List(fields.String(validate=network), validate=validate.Length(min=1)),
    )
    switch_address: str = _setting(
        "127.0.0.1:8021",
        "The switch's own event socket, by which calls are placed.",
        "HOST:PORT, as '127.0.0.1:8021' or '[::1]:8021'",
        fields.String(validate=address),
    )
    switch_password: str = _setting(
        "ClueCon",
        "The password of the switch's event socket; it is shown nowhere.",
        "1 to 200 printable characters",
        words(r"[ -~]{1,200}"),
        secret=True,
    )
    socket_address: str = _setting(
        "",
        "Where calls that were placed find this server; empty takes listen, and for a listen on every address "
        "the one that the switch is reached from.",
        "HOST:PORT, as '10.0.0.5:8084', or nothing",
        fields.String(validate=address_or_nothing),
    )
    ports: int = _setting(
        120,
        "How many calls may be up at the same time.",
        "a whole number from 1 to 100000",
        fields.Integer(strict=True, validate=validate.Range(1, 100000)),
    )
    when_full: Literal["hangup", "continue"] = _setting(
        "hangup",
        "What a call gets when every port is in use: a hangup with SWITCH_CONGESTION (SIP 503), "
        "or back to the switch's dialplan.",
        "'hangup' or 'continue'",
        one_of("hangup", "continue"),
    )
    reply_timeout: float = _setting(
        5.0,
        "How long the switch may take to answer a command, in seconds.",
        "seconds from 0.1 to 600",
        seconds(0.1, 600),
    )
    probe_interval: float = _setting(
        30.0,
        "How often the switch is asked whether a quiet call is still there, in seconds.",
        "seconds from 1 to 3600",
        seconds(1, 3600),
    )
    verb_limit: float = _setting(
        3600.0,
        "The longest one verb may last, in seconds.",
        "seconds from 1 to 604800",
        seconds(1),
    )
    call_limit: float = _setting(
        14400.0,
        "The longest a call may last, in seconds.",
        "seconds from 1 to 604800",
        seconds(1),
    )
    hangup_grace: float = _setting(
        10.0,
        "How long a handler may run on after the hangup before it is stopped, in seconds.",
        "seconds from 0 to 3600",
        seconds(0, 3600),
    )
    drain_timeout: float = _setting(
        30.0,
        "How long a stopping server waits for its calls to end, in seconds.",
        "seconds from 0 to 604800",
        seconds(0),
    )
    prompts_path: str = _setting(
        "",
        "The folder that prompts' names start from; empty leaves it to the switch's sound_prefix.",
        "a path of letters, digits and / . _ - + = @ ~",
        words(r"[\w/.+=@~-]*"),
    )
    prompts_extension: str = _setting(
        ".wav",
        "What a prompt's name without an extension gets.",
        "a dot and letters or digits, as '.wav', or nothing",
        words(r"(\.[A-Za-z0-9]+)?"),
    )
    recordings_path: str = _setting(
        "recordings",
        "The folder that the switch writes recordings into; a relative one is of the folder that serves.",
        "a path of letters, digits and / . _ - + = @",
        words(r"[\w/.+=@-]+"),
    )
    language: str = _setting(
        "en",
        "The language that values are said in, and the folder of prompts_path that a prompt is looked for in.",
        "a language of the switch, as 'en' or 'pt_BR'",
        words(_LANGUAGE),
    )
    fallback_languages: tuple[str, ...] = _setting(
        (),
        "The languages whose folders a prompt is looked for in next, in order.",
        "a list of languages, as ['en']",
        fields.List(words(_LANGUAGE)),
    )
    database: str = _setting(
        "sqlite:///fsivr.db",
        "Where what happened is kept: a file, or a database of PostgreSQL's.",
        "sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME",
        words(_DATABASE),
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info",
        "The least important messages that are logged.",
        "'debug', 'info', 'warning' or 'error'",
        one_of("debug", "info", "warning", "error"),
    )
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

    def source(self, name: str) -> str:
        """Where the setting's value came from: ``default``, a file, a variable or an option."""
        return self.sources.get(name, "default")

    @classmethod
    def defaults(cls, **overrides: object) -> Settings:
        """The defaults, but for the settings given here; no file or variable is looked at.

        :raises ConfigError: an override is wrong.
        """
        return validated([(name, value, "argument") for name, value in overrides.items()])


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name, default, what it does, what is allowed, the field that checks it, and if it is secret."""

    name: str
    default: Any
    help: str
    allowed: str
    field: fields.Field[Any]
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name.upper()

    def shown(self, value: object) -> object:
        """The value as it may be shown: without the password that it holds, whether or not it is written rightly."""
        if self.name != "database" or not isinstance(value, str) or value.startswith("sqlite:"):
            return value
        known = re.fullmatch(r"(postgresql://[^:/@]+)(:[^:/@]*)?(@[^@]*)", value)
        if known is not None:
            return known[1] + (":***" if known[2] else "") + known[3]
        return re.sub(r"(?<=://).+|.*@.*", "***", value, flags=re.DOTALL)

    def read(self, text: str) -> object:
        """The value written in an environment variable; what is no such value stays text."""
        if isinstance(self.field, fields.List):
            return [word.strip() for word in text.split(",") if word.strip()]
        if isinstance(self.field, fields.Integer) and re.fullmatch(r"\s*[+-]?[0-9]+\s*", text):
            return int(text)
        return text


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
