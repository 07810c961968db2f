"""Certificates: until when they are good, and whether their keys are theirs and theirs alone."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, skipped, warning
from fsivr.doctor.site import Site, profiles, true

_SOON = timedelta(days=30)
_TIME = "%Y-%m-%d %H:%M UTC"
_MOST = 4 << 20
_OTHERS_READ = stat.S_IROTH | stat.S_IWOTH
# Files of FreeSWITCH in its folder of certificates (sofia.c, tls-cert-dir); each with its key inside.
_SWITCH_FILES = ("agent.pem", "wss.pem", "dtls-srtp.pem")


def _api(site: Site) -> Iterator[Told]:
    settings = site.settings
    if not settings.api_certificate:
        yield note("the API has none: it serves plain HTTP", "")
        return
    yield from looked_at(settings.api_certificate, settings.api_certificate_key or settings.api_certificate)


def _switch(site: Site) -> Iterator[Told]:
    with_tls = [(name, values) for name, values in profiles(site) if true(values.get("tls"))]
    if not with_tls:
        yield note("no SIP profile of the switch has TLS", "fsivr_tls=true in freeswitch/local/vars.xml")
        return
    if not site.switch_is_here:
        raise NotLookedAt("the switch's files are on another machine: run fsivr doctor there")
    folders = {name: values.get("tls-cert-dir") or site.ask("global_getvar", "certs_dir") for name, values in with_tls}
    for name, folder in folders.items():
        if not (Path(folder) / _SWITCH_FILES[0]).exists():
            yield error(
                f"profile {name} has TLS, and there is no {folder}/agent.pem", f"gentls_cert setup; see {folder}"
            )
    for folder in dict.fromkeys(folders.values()):
        for path in (Path(folder) / name for name in _SWITCH_FILES):
            if path.exists():
                yield from looked_at(path, path)


def _authorities(site: Site) -> Iterator[Told]:
    """The certificates by which the servers of targets are known."""
    files = {
        str(table[key])
        for table in site.settings.targets.values()
        for key in ("ca", "ca_bundle")
        if isinstance(table.get(key), str)
    }
    if not files:
        raise NotLookedAt("no target has a file of its own with certificates of authorities")
    for path in sorted(files):
        yield from looked_at(path)


def looked_at(path: str | Path, key: str | Path | None = None, *, now: datetime | None = None) -> Iterator[Told]:
    """What is to be told of a file with certificates, and of the file with the key of its first one.

    :param key: None where there is no key to be looked at.
    :param now: for which time; now, where None.
    """
    try:
        found = x509.load_pem_x509_certificates(_read(path))
    except OSError as failure:
        yield _unreadable(path, failure)
        return
    except ValueError:
        yield error(f"{path} holds no certificate in PEM", f"openssl x509 -in {path} -noout -text")
        return
    # A bundle of authorities has old ones, too, and is good for as long as one of them is.
    judged = found[0] if key is not None else max(found, key=lambda each: each.not_valid_after_utc)
    yield _dated(path, judged, now or datetime.now(UTC))
    if key is not None:
        yield from _key(path, Path(key), judged)


def _dated(path: str | Path, found: x509.Certificate, now: datetime) -> Told:
    begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
    renew = f"renew it (certbot renew), and see that {path} is the new one"
    if now >= ends:
        return error(f"{path} was good until {ends:{_TIME}}", renew)
    if now < begins:
        return error(f"{path} is good from {begins:{_TIME}} on only", f"is the clock right? else {renew}")
    if ends - now < _SOON:
        return warning(f"{path} is good for {(ends - now).days} days, until {ends:{_TIME}}", renew)
    return ok(f"{path} is good until {ends:{_TIME}}")


def _key(path: str | Path, key: Path, found: x509.Certificate) -> Iterator[Told]:
    try:
        mode = key.stat().st_mode
        theirs: Any = load_pem_private_key(_read(key), None)
    except OSError as failure:
        yield _unreadable(key, failure)
        return
    except TypeError:
        yield error(f"{key} is encrypted, and nobody is there to give its password", f"openssl pkey -in {key} -out NEW")
        return
    except ValueError:
        yield error(f"{key} holds no private key in PEM", f"openssl pkey -in {key} -noout")
        return
    if theirs.public_key() != found.public_key():
        yield error(f"{key} is not the key of {path}", "give the key that the certificate was made for")
    else:
        yield ok(f"{key} is the key of {path}")
    if mode & _OTHERS_READ:
        yield error(
            f"{key} can be read by everybody on this machine (mode {stat.S_IMODE(mode):04o})", f"chmod o= {key}"
        )


def _read(path: str | Path) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(_MOST)


def _unreadable(path: str | Path, failure: OSError) -> Told:
    if isinstance(failure, PermissionError):
        return skipped(f"{path} may not be read by this user: sudo fsivr doctor --only certificates")
    return error(f"{path} cannot be read: {failure.strerror}", f"ls -l {path}")


AREA = "certificates"
CHECKS = (
    Check(AREA, "api", _api, "clients refuse a certificate that is past its time, and so does the API itself"),
    Check(AREA, "switch", _switch, "carriers refuse calls over TLS once it is past its time"),
    Check(AREA, "authorities", _authorities, "an export cannot know its server by an authority that is past its time"),
)
