"""What the order of a call looks like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, ValidationError, fields, validate

from fsivr.api.wire import Matching, about, text

_MOST_VARIABLES = 30
_NAME = r"^[A-Za-z_][A-Za-z0-9_.-]{0,127}$"
# Variables whose text the switch runs, as an application, an API command (which may be a program of its machine's) or a
# part of its dialplan: switch_types.h, SWITCH_CHANNEL_EXECUTE_ON_ANSWER_VARIABLE and those after it. No key gives that
# right. The switch finds some by how they begin, and all of them in any case of letters.
_RUN = re.compile(r"(^|_)(exec|execute|api|hook)(_|$)|^group_confirm|^transfer_", re.ASCII | re.IGNORECASE)


class Seconds(fields.Float):
    """A number of seconds, and no text that looks like one."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("a number of seconds is a number")
        return super()._validated(value)


class Variables(fields.Dict):
    """Text by the names of channel variables."""

    def __init__(self, **told: Any) -> None:
        super().__init__(
            keys=fields.String(validate=Matching(_NAME, error="a name has letters, digits and _ . -")),
            values=text(1000, "Its value."),
            validate=[self._few, self._harmless],
            **told,
        )

    @staticmethod
    def _harmless(value: Mapping[str, str]) -> None:
        if run := next(filter(_RUN.search, value), None):
            raise ValidationError(f"the switch would run what the variable {run} holds")

    @staticmethod
    def _few(value: Mapping[str, str]) -> None:
        if len(value) > _MOST_VARIABLES:
            raise ValidationError(f"there are at most {_MOST_VARIABLES} variables")


class OrderSchema(Schema):
    """Whom to call, and for which handler."""

    to = fields.String(
        required=True,
        validate=[
            validate.Length(max=500),
            Matching(
                r"^(?!.*:_:)[A-Za-z0-9_]+(/[A-Za-z0-9_.+*#@:~-]+)+$",
                error="it is one endpoint of letters, digits and / _ . + * # @ : ~ -, as 'user/1000'",
            ),
        ],
        metadata=about("The endpoint.", "sofia/gateway/carrier/4930123456"),
    )
    handler = fields.String(
        required=True,
        validate=[
            validate.Length(max=256),
            Matching(r"^[A-Za-z_][\w.]*(:[\w.]+)?$", error="it is a class, as apps.reminder.Reminder"),
        ],
        metadata=about("A class that stands in the dialplan, in an extension or its `outbound`.", "apps.Reminder"),
    )
    timeout = Seconds(load_default=30.0, validate=validate.Range(1, 600), metadata=about("Seconds that it rings.", 30))
    caller_id = fields.String(
        validate=Matching(r"^\+?[A-Za-z0-9*#._-]{1,64}$", error="it has letters, digits and + * # . _ -"),
        metadata=about("The number that is shown; the switch's own, where it is left out.", "4930123456"),
    )
    caller_name = text(128, "The name that is shown; what of it no telephone shows is left out.", "Example Ltd")
    variables = Variables(
        metadata=about(
            "Text for the handler, read as `call.variables['order']`; some 3000 bytes in all. Names that begin with "
            "`fsivr_`, and those that the order sets itself, are refused, and so are those whose text the switch "
            "would run, as `execute_on_answer` and `api_hangup_hook`.",
            {"order": "4711"},
        )
    )


def describe(plugin: MarshmallowPlugin) -> None:
    """Have the document tell what it has no words for by itself."""
    assert plugin.converter is not None  # the document has been begun
    plugin.converter.add_attribute_function(_names_of_variables)  # type: ignore[no-untyped-call]


def _names_of_variables(_: Any, field: fields.Field[Any], **__: Any) -> dict[str, Any]:
    if not isinstance(field, Variables):
        return {}
    return {"propertyNames": {"pattern": _NAME}, "maxProperties": _MOST_VARIABLES}
