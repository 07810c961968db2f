"""Settings of what is kept of calls."""

from __future__ import annotations

import dataclasses
from typing import Literal

from marshmallow import fields

from fsivr.allowed import one_of, validate_retention, words
from fsivr.settings.setting import setting

_DATABASE = (
    r"sqlite:///[^\x00-\x1f\x7f?#]+|"
    r"postgresql://[\w.~%+-]+(:[^\s:/@?#\[\]]*)?@([\w.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/[\w.~%-]+"
)


@dataclasses.dataclass(frozen=True)
class KeepingSettings:
    """What is kept of calls, where and for how long."""

    recordings_path: str = setting(
        "recordings",
        "The folder that the switch writes recordings into; a relative one is of the folder that serves.",
        "a path of letters, digits and / . _ - + = @",
        words(r"[\w/.+=@-]+"),
    )
    retention: tuple[str, ...] = setting(
        ("default=365",),
        "How many days a recording of each class is kept on this disk once its export is proved.",
        "a list of CLASS=DAYS that has 'default', as ['default=365', 'complaints=3650']",
        fields.List(words(r"[a-z][a-z0-9_-]{0,63}=[0-9]{1,5}"), validate=validate_retention),
    )
    database: str = setting(
        "sqlite:///fsivr.db",
        "Where what happened is kept: a file, or a database of PostgreSQL's.",
        "sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME",
        words(_DATABASE),
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info",
        "The least important messages that are logged.",
        "'debug', 'info', 'warning' or 'error'",
        one_of("debug", "info", "warning", "error"),
    )
    log_format: Literal["text", "json"] = setting(
        "text",
        "How the log is written: as lines for people, or as one JSON object a line.",
        "'text' or 'json'",
        one_of("text", "json"),
    )
    node: str = setting(
        "",
        "What this machine is called in what is kept; empty takes its host name.",
        "up to 64 letters, digits and . _ -, or nothing",
        words(r"[\w.-]{0,64}"),
    )
