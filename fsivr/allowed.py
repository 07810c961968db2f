"""What settings allow: the fields that check them."""

from __future__ import annotations

import ipaddress
import json
import re
import string
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate


def parse_address(text: str) -> tuple[str, int]:
    """The host and port of ``HOST:PORT``; an IPv6 host stands in brackets, as ``[::1]:8084``.

    :raises ValueError: it is not written so, or the port is above 65535.
    """
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)]|([\w.-]+)):([0-9]{1,5})", text, re.ASCII)
    if match is None or int(match[3]) > 65535:
        raise ValueError(f"{text!r} is not HOST:PORT")
    if match[1]:
        ipaddress.IPv6Address(match[1])
    return match[1] or match[2], int(match[3])


def address(text: str) -> None:
    """Check that a text is ``HOST:PORT``.

    :raises ValidationError: it is not.
    """
    try:
        parse_address(text)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def address_or_nothing(text: str) -> None:
    """Check that a text is ``HOST:PORT``, or empty.

    :raises ValidationError: it is neither.
    """
    if text:
        address(text)


def network(text: str) -> None:
    """Check that a text is an address or a network.

    :raises ValidationError: it is not.
    """
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def words(pattern: str) -> fields.Field[Any]:
    """Text that matches a pattern whole."""
    # \Z and not $: $ would let a line break through at the end.
    return fields.String(validate=validate.Regexp(rf"(?:{pattern})\Z", re.ASCII))


def one_of(*words: str) -> fields.Field[Any]:
    """One of these words."""
    return fields.String(validate=validate.OneOf(words))


def seconds(least: float, most: float = 604800) -> fields.Field[Any]:
    """Seconds within a range; a week is the most where nothing else is said."""
    return fields.Float(validate=validate.Range(least, most))


def truth() -> fields.Field[Any]:
    """True or false."""
    return fields.Boolean(truthy={True, "true"}, falsy={False, "false"})


def path_or_nothing() -> fields.Field[Any]:
    """A path of a file, or nothing."""
    return words(r"[^\x00-\x1f\x7f]{0,1000}")


def validate_retention(classes: list[str]) -> None:
    """Check that each class of recordings has one number of days, ``default`` among them.

    :raises ValidationError: it has not.
    """
    names = [text.partition("=")[0] for text in classes]
    if "default" not in names or len(set(names)) != len(names):
        raise ValidationError("each class once, and default among them")


class Table(Mapping[str, Any]):
    """A table of a settings file, which cannot be changed; the tables and lists in it cannot either."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = {name: _frozen(value) for name, value in content.items()}

    def __getitem__(self, name: str) -> Any:
        return self._content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __hash__(self) -> int:
        return hash(tuple(self._content))

    def __repr__(self) -> str:
        return f"Table({', '.join(self._content)})"  # its values may be secret


def _frozen(value: object) -> object:
    if isinstance(value, Mapping):
        return Table(value)
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


class Tables(fields.Field[Table]):
    """A table of tables, each by a name of its own; or the same as JSON.

    :param taken: names that none may have.
    """

    def __init__(self, *, taken: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._taken = taken

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Table:
        if isinstance(value, str):
            try:
                value = json.loads(value) if value.strip() else {}
            except ValueError:
                raise ValidationError("no JSON") from None
        if not isinstance(value, Mapping) or not all(isinstance(table, Mapping) for table in value.values()):
            raise ValidationError("no table of tables")
        for name in value:
            if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name, re.ASCII) or name in self._taken:
                raise ValidationError("a wrong name")
        return Table(value)


#: What a key at a target may be made of; nothing that a caller chose.
KEY_FIELDS = ("id", "year", "month", "day", "hour", "handler", "node", "retention")


def validate_key(template: str) -> None:
    """Check that a template makes a key of its own for each recording, whatever the recording is.

    :raises ValidationError: it does not.
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValidationError(str(error)) from None
    named = [field for _, field, _, _ in parts if field is not None]
    if "id" not in named or any(field not in KEY_FIELDS for field in named):
        raise ValidationError("it has {id}, and no other fields than those allowed")
    if any(form or conversion for _, field, form, conversion in parts if field is not None):
        raise ValidationError("a field has no format")
    whole = "".join(literal + ("x" if field is not None else "") for literal, field, _, _ in parts)
    segments = whole.split("/")
    if not re.fullmatch(r"[A-Za-z0-9._/-]{1,512}", whole, re.ASCII) or not whole.endswith(".wav"):
        raise ValidationError("letters, digits and . _ - / only, and .wav at the end")
    if any(segment.strip(".") == "" for segment in segments) or template.startswith("manifests"):
        raise ValidationError("no folder is empty, . or .., and manifests/ is taken")


def validate_time(text: str) -> None:
    """Check that a text is a time of day, as ``01:30``, or empty.

    :raises ValidationError: it is neither.
    """
    if text and not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text, re.ASCII):
        raise ValidationError("no time of day")
