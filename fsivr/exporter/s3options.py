"""What can be set of a target on S3, checked."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fsivr.errors import ConfigError, PermanentError
from fsivr.exporter.target import checked_key

_MB = 1024 * 1024
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

_ALLOWED: dict[str, tuple[str | None, ...]] = {
    "encryption": (None, "AES256", "aws:kms"),
    "lock": (None, "legal-hold", "governance", "compliance"),
    "addressing": ("auto", "path", "virtual"),
    "proof": ("checksum", "read"),
}


@dataclass(frozen=True, kw_only=True)
class S3Options:
    """The options of a target on S3.

    :raises ConfigError: one of them cannot be right.
    """

    bucket: str
    #: Of the service, ``https://HOST[:PORT]``; None is Amazon's of the region.
    endpoint: str | None = None
    #: What all keys begin with, as "recordings".
    prefix: str = ""
    region: str | None = None
    #: None is what boto3 finds by itself: environment, profile, role of the machine.
    key_id: str | None = None
    secret: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    storage_class: str | None = None
    #: At the service: ``AES256`` (SSE-S3), or ``aws:kms`` with ``kms_key`` or the account's own key.
    encryption: str | None = None
    kms_key: str | None = None
    #: How a recording on hold is kept from removal: ``legal-hold``, or ``governance`` or ``compliance`` for
    #: ``lock_days``. The bucket has to be made with object lock.
    lock: str | None = None
    lock_days: int = 0
    #: ``path``: https://HOST/BUCKET; ``virtual``: https://BUCKET.HOST; ``auto``: as boto3 sees fit.
    addressing: str = "auto"
    #: A PEM file of the authorities that are trusted, instead of the well-known ones.
    ca_bundle: str | Path | None = None
    #: Whether an endpoint without TLS may be on another machine.
    allow_plaintext: bool = False
    #: Seconds.
    connect_timeout: float = 10.0
    #: Seconds in which nothing comes or goes.
    read_timeout: float = 60.0
    #: Parts of one file that are on their way at once.
    concurrency: int = 4
    #: Bytes; a file of up to two parts goes whole. Most services take no parts of less than 5 MB.
    part_size: int = 8 * _MB
    #: Bytes a second; see ``Pace`` for several targets.
    rate: float | None = None
    #: A folder for what is known of uploads that run; None: a hidden file beside each local one.
    state: str | Path | None = None
    #: ``checksum``: by the SHA-256 that the service checked on arrival and keeps, else by reading; ``read``: always
    #: by reading, which also finds what its disks lost since.
    proof: str = "checksum"
    #: Whether the service knows SHA-256; if not: MD5 on arrival, and proof by reading.
    checksums: bool = True

    @classmethod
    def of(cls, given: dict[str, Any]) -> S3Options:
        """The options that a file or a caller names.

        :raises ConfigError: there is no such option, or ``bucket`` is missing.
        """
        names = [each.name for each in fields(cls)]
        for name in given:
            if name not in names:
                raise ConfigError(f"{name!r} is no option of a target on S3; there are {', '.join(names)}")
        if "bucket" not in given:
            raise ConfigError("a target on S3 has no `bucket`")
        return cls(**given)

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                texts = ", ".join("none" if each is None else each for each in allowed)
                raise ConfigError(f"{name} = {getattr(self, name)!r}: allowed are {texts}")
        if _BUCKET.fullmatch(self.bucket) is None:
            raise ConfigError(f"bucket = {self.bucket!r}: 3 to 63 of a-z 0-9 . - are allowed, the ends of a-z 0-9")
        if (self.key_id is None) != (self.secret is None):
            raise ConfigError("key_id and secret: both are given, or neither")
        if self.lock in ("governance", "compliance") and self.lock_days < 1:
            raise ConfigError(f"lock_days = {self.lock_days} with lock = {self.lock!r}: 1 or more is allowed")
        for name in ("concurrency", "part_size", "connect_timeout", "read_timeout"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} = {getattr(self, name)!r}: more than 0 is allowed")
        if self.prefix.strip("/"):
            try:
                checked_key(self.prefix.strip("/"))
            except PermanentError as error:
                raise ConfigError(f"prefix: {error}") from None
        if self.ca_bundle is not None and not Path(self.ca_bundle).is_file():
            raise ConfigError(f"ca_bundle = {str(self.ca_bundle)!r}: no such file")
        if self.endpoint is not None:
            self._check_endpoint(self.endpoint)

    def wishes(self, *, hold: bool) -> dict[str, Any]:
        """What the service is asked for each file, as arguments of ``put_object``."""
        wishes: dict[str, Any] = {
            "StorageClass": self.storage_class,
            "ServerSideEncryption": self.encryption,
            "SSEKMSKeyId": self.kms_key if self.encryption == "aws:kms" else None,
        }
        if hold and self.lock == "legal-hold":
            wishes["ObjectLockLegalHoldStatus"] = "ON"
        elif hold and self.lock is not None:
            wishes["ObjectLockMode"] = self.lock.upper()
            wishes["ObjectLockRetainUntilDate"] = datetime.now(UTC) + timedelta(days=self.lock_days)
        return {name: value for name, value in wishes.items() if value is not None}

    def _check_endpoint(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        if parts.username is not None or parts.password is not None:
            raise ConfigError("an endpoint may hold no key: give `key_id` and `secret`")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ConfigError(f"endpoint = {endpoint!r}: https://HOST[:PORT] is allowed")
        if parts.scheme == "http" and not self.allow_plaintext and not _is_here(parts.hostname):
            raise ConfigError(
                f"endpoint = {endpoint!r} is without TLS, so that all on the way could read the recordings: "
                "use https://, or set `allow_plaintext`"
            )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
