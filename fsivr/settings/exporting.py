"""Settings of the export: where recordings are brought, when, and how fast."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from fsivr.allowed import Table, Tables, truth, validate_key, validate_time, words
from fsivr.settings.setting import setting


@dataclasses.dataclass(frozen=True)
class ExportSettings:
    """Where recordings are brought, when, and how fast."""

    targets: Mapping[str, Mapping[str, Any]] = setting(
        Table({}),
        "The places that recordings are brought to, each with a kind and what that needs; shown nowhere.",
        "tables as [targets.archive], with names of a-z 0-9 _ - other than run, verify and restore; "
        "in a variable the same as JSON",
        Tables(taken=("run", "verify", "restore")),
        secret=True,
    )
    export_key: str = setting(
        "{year}/{month}/{day}/{id}.wav",
        "What a recording is called at a target; the day and hour are those of its start, in UTC.",
        "a path that ends in .wav and has {id}; also year, month, day, hour, handler, node, retention in braces",
        fields.String(validate=validate_key),
    )
    export_at: str = setting(
        "",
        "When a server begins the nightly export, in UTC; empty for never.",
        "HH:MM, as '01:30', or nothing",
        fields.String(validate=validate_time),
    )
    export_until: str = setting(
        "",
        "When an export ends, in UTC, with whatever is left for the next one; empty lets it finish.",
        "HH:MM, as '05:00', or nothing",
        fields.String(validate=validate_time),
    )
    export_concurrency: int = setting(
        4,
        "How many recordings are brought to a target at the same time.",
        "a whole number from 1 to 64",
        fields.Integer(strict=True, validate=validate.Range(1, 64)),
    )
    export_bandwidth: int = setting(
        0,
        "The most bytes that go out to a target each second; 0 for no limit.",
        "a whole number from 0 to 100000000000",
        fields.Integer(strict=True, validate=validate.Range(0, 100_000_000_000)),
    )
    export_webhook: str = setting(
        "",
        "An address that is told of each finished export by a POST of its report; empty for none.",
        "http:// or https:// and the rest of an address, or nothing",
        words(r"(https?://[!-~]{1,1000})?"),
    )
    export_webhook_secret: str = setting(
        "",
        "What the webhook's report is signed with; it is shown nowhere.",
        "up to 200 printable characters",
        words(r"[ -~]{0,200}"),
        secret=True,
    )
    allow_plaintext_ftp: bool = setting(
        False,
        "Whether recordings may be brought by FTP without TLS, where all on the way can read them.",
        "true or false",
        truth(),
    )
