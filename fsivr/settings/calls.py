"""Settings of calls: where they come from, how many, how long."""

from __future__ import annotations

import dataclasses
from typing import Literal

from marshmallow import fields, validate

from fsivr.allowed import address, address_or_nothing, network, one_of, seconds, words
from fsivr.settings.setting import setting


@dataclasses.dataclass(frozen=True)
class CallSettings:
    """Where calls come from, how many there may be, and how long they may last."""

    dialplan: str = setting(
        "apps:dialplan",
        "Where the dialplan is: the module and the name in it.",
        "MODULE:NAME, as 'apps:dialplan'",
        words(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*"),
    )
    listen: str = setting(
        "127.0.0.1:8084",
        "The address the switch connects to; port 0 takes a free one.",
        "HOST:PORT, as '127.0.0.1:8084' or '[::1]:8084'",
        fields.String(validate=address),
    )
    allow: tuple[str, ...] = setting(
        ("127.0.0.0/8", "::1"),
        "The addresses and networks that may connect; any other is refused.",
        "a list of addresses and networks, as ['10.0.0.5', '10.1.0.0/16']",
        fields.List(fields.String(validate=network), validate=validate.Length(min=1)),
    )
    switch_address: str = setting(
        "127.0.0.1:8021",
        "The switch's own event socket, by which calls are placed.",
        "HOST:PORT, as '127.0.0.1:8021' or '[::1]:8021'",
        fields.String(validate=address),
    )
    switch_password: str = setting(
        "ClueCon",
        "The password of the switch's event socket; it is shown nowhere.",
        "1 to 200 printable characters",
        words(r"[ -~]{1,200}"),
        secret=True,
    )
    socket_address: str = setting(
        "",
        "Where calls that were placed find this server; empty takes listen, and for a listen on every address "
        "the one that the switch is reached from.",
        "HOST:PORT, as '10.0.0.5:8084', or nothing",
        fields.String(validate=address_or_nothing),
    )
    workers: int = setting(
        0,
        "How many processes take calls, kept up by one more; 0 takes them in the one that is started.",
        "a whole number from 0 to 64",
        fields.Integer(strict=True, validate=validate.Range(0, 64)),
    )
    ports: int = setting(
        120,
        "How many calls may be up at the same time, in all workers together.",
        "a whole number from 1 to 100000",
        fields.Integer(strict=True, validate=validate.Range(1, 100000)),
    )
    when_full: Literal["hangup", "continue"] = setting(
        "hangup",
        "What a call gets when every port is in use: a hangup with SWITCH_CONGESTION (SIP 503), "
        "or back to the switch's dialplan.",
        "'hangup' or 'continue'",
        one_of("hangup", "continue"),
    )
    reply_timeout: float = setting(
        5.0,
        "How long the switch may take to answer a command, in seconds.",
        "seconds from 0.1 to 600",
        seconds(0.1, 600),
    )
    probe_interval: float = setting(
        30.0,
        "How often the switch is asked whether a quiet call is still there, in seconds.",
        "seconds from 1 to 3600",
        seconds(1, 3600),
    )
    verb_limit: float = setting(
        3600.0,
        "The longest one verb may last, in seconds.",
        "seconds from 1 to 604800",
        seconds(1),
    )
    call_limit: float = setting(
        14400.0,
        "The longest a call may last, in seconds.",
        "seconds from 1 to 604800",
        seconds(1),
    )
    hangup_grace: float = setting(
        10.0,
        "How long a handler may run on after the hangup before it is stopped, in seconds.",
        "seconds from 0 to 3600",
        seconds(0, 3600),
    )
    blocking_limit: float = setting(
        0.5,
        "How long a handler may keep all calls waiting before it is named in the log, in seconds; 0 never names one.",
        "seconds from 0 to 3600",
        seconds(0, 3600),
    )
    lag_limit: float = setting(
        1.0,
        "How late the event loop may be again and again before new calls are refused as when every port is in use, "
        "in seconds; 0 for any.",
        "seconds from 0 to 3600",
        seconds(0, 3600),
    )
    drain_timeout: float = setting(
        30.0,
        "How long a stopping server waits for its calls to end, in seconds.",
        "seconds from 0 to 604800",
        seconds(0),
    )
    reload_timeout: float = setting(
        14400.0,
        "How long old workers may go on with their calls after a reload, in seconds.",
        "seconds from 0 to 604800",
        seconds(0),
    )
    worker_patience: float = setting(
        30.0,
        "How long a worker may do nothing at all before another one takes its place, in seconds.",
        "seconds from 1 to 3600",
        seconds(1, 3600),
    )
