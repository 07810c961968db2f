"""What settings allow: the fields that check them."""

from __future__ import annotations

import ipaddress
import re
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
