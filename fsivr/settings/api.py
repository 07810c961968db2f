"""Settings of the API."""

from __future__ import annotations

import dataclasses

from marshmallow import fields, validate

from fsivr.allowed import address_or_nothing, path_or_nothing, truth
from fsivr.settings.setting import setting


@dataclasses.dataclass(frozen=True)
class ApiSettings:
    """Where the API is, and who may use it how much."""

    api_listen: str = setting(
        "127.0.0.1:8080",
        "The address of the API, which is a process of its own; empty for none.",
        "HOST:PORT, as '127.0.0.1:8080', or nothing",
        fields.String(validate=address_or_nothing),
    )
    api_certificate: str = setting(
        "",
        "The file of the API's TLS certificate, with those between it and the root; empty serves plain HTTP.",
        "a path, or nothing",
        path_or_nothing(),
    )
    api_certificate_key: str = setting(
        "",
        "The file of the certificate's private key; empty where it is in the certificate's file.",
        "a path, or nothing",
        path_or_nothing(),
    )
    api_redirect_from: str = setting(
        "",
        "An address where plain HTTP is answered with the way to the API's TLS; empty for none.",
        "HOST:PORT, as '0.0.0.0:80', or nothing",
        fields.String(validate=address_or_nothing),
    )
    api_open_on_loopback: bool = setting(
        False,
        "Whether those who connect from this machine need no key, and may do all; for trying it out.",
        "true or false",
        truth(),
    )
    api_rate: float = setting(
        50.0,
        "How many requests a second each key may make, on average; more get 429.",
        "a number from 0.1 to 100000",
        fields.Float(validate=validate.Range(0.1, 100000)),
    )
