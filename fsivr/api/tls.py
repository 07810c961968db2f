"""TLS of the API: its certificate, checked before it is served."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from gevent import ssl

from fsivr.errors import ConfigError

log = logging.getLogger(__name__)

#: How long before its end a certificate is complained of.
_SOON = timedelta(days=14)
_TIME = "%Y-%m-%d %H:%M"


class Certificate:
    """A certificate with its key, as TLS serves it.

    :param path: PEM: the certificate, and those between it and the root.
    :param key: PEM: its private key; "" where that is in the same file.
    :param now: for which time it is to be good; now, where None.
    :raises ConfigError: a file cannot be read, they do not belong together, or it is past its time.
    """

    def __init__(self, path: str, key: str = "", *, now: datetime | None = None) -> None:
        self._path, self._key = path, key or path
        leaf = self._read()
        self._check_time(leaf, now or datetime.now(UTC))
        #: The names it is for, in its order.
        self.names: Sequence[str] = _names(leaf)
        #: To be served.
        self.context = self._load()
        self._version = self._written()

    def renew(self) -> bool:
        """Whether the files have changed, and are served from now on; what is wrong with them is logged."""
        version = self._written()
        if version == self._version:
            return False
        self._version = version
        try:
            leaf = self._read()
            self._check_time(leaf, datetime.now(UTC))
            self._load()  # on trial: a context that fails to load a pair has lost the one it had
        except ConfigError as error:
            log.error("the API's certificate has changed, and the one before is served still: %s", error)
            return False
        self.context.load_cert_chain(self._path, self._key)
        self.names = _names(leaf)
        log.info("the API's certificate was renewed")
        return True

    def _written(self) -> list[float]:
        return [Path(path).stat().st_mtime if Path(path).exists() else 0.0 for path in (self._path, self._key)]

    def _read(self) -> x509.Certificate:
        try:
            found = x509.load_pem_x509_certificates(Path(self._path).read_bytes())
        except OSError as error:
            raise ConfigError(f"setting api_certificate: {self._path} cannot be read: {error.strerror}") from None
        except ValueError:
            raise ConfigError(f"setting api_certificate: {self._path} holds no certificate in PEM") from None
        return found[0]

    def _check_time(self, leaf: x509.Certificate, now: datetime) -> None:
        begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
        if now >= ends:
            raise ConfigError(
                f"setting api_certificate: {self._path} was good until {ends:%Y-%m-%d %H:%M} UTC: renew it"
            )
        if now < begins:
            raise ConfigError(f"setting api_certificate: {self._path} is good from {begins:%Y-%m-%d %H:%M} UTC on only")
        if ends - now < _SOON:
            log.warning("the API's certificate %s is good until %s UTC only", self._path, f"{ends:{_TIME}}")

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        try:
            # A password is not asked for: there is nobody at the keyboard.
            context.load_cert_chain(self._path, self._key, password=lambda: b"")
        except OSError as error:
            raise ConfigError(f"setting api_certificate_key: {self._key} {_why(error)}") from None
        except ValueError:
            raise ConfigError(f"setting api_certificate_key: {self._key} is encrypted: give one that is not") from None
        return context


def _why(error: OSError) -> str:
    said = getattr(error, "reason", None) or ""
    if "MISMATCH" in said:
        return "is not the key of the certificate"
    if isinstance(error, ssl.SSLError):
        return "holds no private key in PEM that can be read without a password"
    return f"cannot be read: {error.strerror}"


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]
