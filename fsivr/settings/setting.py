"""Setting: one row of the table of settings."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, TypeVar

from marshmallow import fields

#: What the name of an environment variable that holds a setting starts with.
PREFIX = "FSIVR_"

_T = TypeVar("_T")


def setting(default: _T, help: str, allowed: str, field: fields.Field[Any], *, secret: bool = False) -> _T:
    """A field of a class of settings.

    :param help: what it does, for whoever sets it.
    :param allowed: its values, in words.
    :param field: checks a value.
    :param secret: whether its value is shown nowhere.
    """
    metadata = {"help": help, "allowed": allowed, "field": field, "secret": secret}
    # The dataclass sees its own kind of default, the type checker the setting's type.
    found: _T = dataclasses.field(default=default, metadata=metadata, repr=not secret)
    return found


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
