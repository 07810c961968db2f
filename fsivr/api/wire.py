"""What stands in requests and answers everywhere: times, numbers, pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields, validate

from fsivr.api.errors import ErrorSchema
from fsivr.store import Cursor, Page

_F = TypeVar("_F", bound=Callable[..., Any])

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


class Moment(fields.DateTime):
    """A time with a zone, as RFC 3339 writes it; answers have it in UTC, to the microsecond."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else written(value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        try:
            if not isinstance(value, str) or not _MOMENT.fullmatch(value.upper()):
                raise ValueError
            return datetime.fromisoformat(value.upper())
        except ValueError:
            raise ValidationError("a time has a date and a zone, as 2026-11-24T13:55:51Z") from None


class Whole(fields.Integer):
    """A whole number that a query has, in digits alone."""

    def _validated(self, value: Any) -> Any:
        if not isinstance(value, str) or not _NUMBER.fullmatch(value):
            raise ValidationError("a whole number has digits alone")
        return int(value)


def written(at: datetime) -> str:
    """The text of a time in UTC."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def truth(**told: Any) -> fields.Boolean:
    """A field of a query that is ``true`` or ``false``."""
    return fields.Boolean(truthy={"true"}, falsy={"false"}, **told)


class Matching(validate.Regexp):
    """Text that matches a pattern from its first letter to its last; a line's end at the end counts."""

    def __init__(self, pattern: str, *, error: str) -> None:
        super().__init__(pattern, error=error)
        self._pattern = re.compile(pattern)

    def __call__(self, value: Any) -> Any:
        """The text.

        :raises ValidationError: it does not match.
        """
        if not isinstance(value, str) or self._pattern.fullmatch(value) is None:
            raise ValidationError(self.error)
        return value


def text(most: int, description: str, example: str | None = None, **told: Any) -> fields.String:
    """A field of any text but one with a NUL, of so many letters."""
    checks = [validate.Length(max=most), Matching(r"^[^\x00]*$", error="it holds a NUL")]
    return fields.String(validate=checks, metadata=about(description, example), **told)


def path_parameter(name: str, pattern: str, description: str) -> dict[str, Any]:
    """A part of an address, as the document tells of it."""
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def may_fail(blueprint: Blueprint, **told: str) -> Callable[[_F], _F]:
    """Documents with which errors an operation may end: ``may_fail(blueprint, e404="there is none")``."""

    def mark(function: _F) -> _F:
        for status, why in told.items():
            function = blueprint.alt_response(int(status.removeprefix("e")), schema=ErrorSchema, description=why)(
                function
            )
        return function

    return mark


def about(description: str, example: Any = None) -> dict[str, Any]:
    """What the document tells of a field."""
    return {"description": description, **({} if example is None else {"example": example})}


class PageArguments(Schema):
    """Which page of a list is asked for."""

    limit = Whole(
        load_default=100,
        validate=validate.Range(1, 1000),
        metadata=about("How many there are in a page, at most.", 100),
    )
    since = Moment(metadata=about("The first start that counts, with a zone.", "2026-11-24T00:00:00Z"))
    until = Moment(metadata=about("The first start that no longer counts, with a zone.", "2026-11-25T00:00:00Z"))


def after_field(key: str, example: str) -> fields.String:
    """Where the page before ended, for a list whose keys match a pattern."""
    return fields.String(
        validate=Matching(f"^[0-9]{{1,18}}\\.{key}$", error="it is not the next of a page"),
        metadata=about("The `next` of the page before; the first page, where it is left out.", example),
    )


def next_field() -> fields.String:
    """Where the page ended, in an answer."""
    return fields.String(
        required=True,
        allow_none=True,
        metadata=about("What `after` is for the next page; null where this is the last one."),
    )


def page(ask: Callable[..., Page[Any]], arguments: Mapping[str, Any], item: Callable[[Any], Any]) -> dict[str, Any]:
    """A page of a list as it is answered.

    :param ask: a list of the store.
    :param arguments: what was asked for, with ``limit`` and ``after``.
    :param item: what a row becomes.
    """
    filters = dict(arguments)
    after = filters.pop("after", None)
    found = ask(after=None if after is None else Cursor.parse(after), **filters)
    return {"items": [item(row) for row in found.items], "next": None if found.after is None else str(found.after)}
