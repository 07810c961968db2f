"""The API over TLS, and the way to it from plain HTTP."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gevent import ssl

from fsivr.api.http import Limits
from fsivr.api.redirect import redirecting
from fsivr.api.serving import Serving
from fsivr.api.tls import Certificate
from fsivr.config import Settings, parse_address
from fsivr.errors import ConfigError
from tests.api.conftest import Client
from tests.api.served import Pair, answers, asked, certificate, connected, get
from tests.leaks import left, nothing_more_than, until

Serve = Callable[..., Serving]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return certificate(tmp_path)


@pytest.fixture
def serve(make: Client, pair: Pair) -> Iterator[Serve]:
    before, made = left(), []

    def start(limits: Limits | None = None, renewed_every: float = 60, **settings: Any) -> Serving:
        given = {"api_certificate": pair.certificate, "api_certificate_key": pair.key, **settings}
        checked = Settings.defaults(api_listen="127.0.0.1:0", **given)
        made.append(Serving(checked, make().application, limits=limits, renewed_every=renewed_every))
        return made[-1]

    yield start
    for serving in made:
        serving.stop(0)
    nothing_more_than(before)


def where(serving: Serving) -> tuple[str, int]:
    return "127.0.0.1", parse_address(serving.url.partition("//")[2])[1]


def test_it_is_served_over_tls(serve: Serve, pair: Pair) -> None:
    serving = serve()
    assert serving.url.startswith("https://localhost:")
    with connected(where(serving), pair.trusted) as sock:
        assert sock.version() in ("TLSv1.2", "TLSv1.3")
        sock.sendall(get("/health/live"))
        (said,) = answers(sock)
    assert said.json == {"status": "live"}


def test_older_tls_is_refused(serve: Serve, pair: Pair) -> None:
    assert Certificate(pair.certificate, pair.key).context.minimum_version == ssl.TLSVersion.TLSv1_2
    context = pair.trusted
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        connected(where(serve()), context)


def test_what_is_no_tls_ends_the_connection_and_nothing_else(
    serve: Serve, pair: Pair, capfd: pytest.CaptureFixture[str]
) -> None:
    serving = serve(Limits(head=0.2))
    for piece in (get("/health/live"), b"", b"\x16\x03\x01"):
        assert asked(where(serving), piece) == []
    (said,) = asked(where(serving), get("/health/live"), context=pair.trusted)
    assert said.status == 200
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_renewed_certificate_is_served_without_a_restart(serve: Serve, pair: Pair, tmp_path: Path) -> None:
    serving = serve(renewed_every=0.01)
    (tmp_path / "new").mkdir()
    new = certificate(tmp_path / "new")
    for ours, theirs in zip(pair, new, strict=True):
        os.replace(theirs, ours)
        os.utime(ours, (1, 1))

    def served() -> bool:
        try:
            return bool(asked(where(serving), get("/health/live"), context=pair.trusted))
        except ssl.SSLError:
            return False

    assert until(served, 30)


def test_a_renewal_that_is_wrong_leaves_the_one_before(
    pair: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    served = Certificate(pair.certificate, pair.key)
    assert not served.renew()
    (tmp_path / "new").mkdir()
    os.replace(certificate(tmp_path / "new").certificate, pair.certificate)
    os.utime(pair.certificate, (1, 1))
    assert not served.renew()
    assert "is not the key of the certificate" in caplog.text


def _wrong(kind: str, folder: Path) -> dict[str, str]:
    pair = certificate(folder, days=-1 if kind == "past" else 90, password=b"secret" if kind == "encrypted" else b"")
    other = certificate(folder, "other")
    (folder / "empty.pem").write_text("")
    found = {"api_certificate": pair.certificate, "api_certificate_key": pair.key}
    changes = {
        "missing": {"api_certificate": str(folder / "nowhere.pem")},
        "no key": {"api_certificate_key": str(folder / "nowhere.pem")},
        "key in the same file": {"api_certificate_key": ""},
        "not PEM": {"api_certificate": str(folder / "empty.pem")},
        "key not PEM": {"api_certificate_key": str(folder / "empty.pem")},
        "another's": {"api_certificate_key": other.key},
        "key alone": {"api_certificate": ""},
        "redirect alone": {"api_certificate": "", "api_certificate_key": "", "api_redirect_from": "127.0.0.1:0"},
    }
    return {**found, **changes.get(kind, {})}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("missing", "api_certificate: .* cannot be read: No such file"),
        ("no key", "api_certificate_key: .* cannot be read: No such file"),
        ("key in the same file", "api_certificate_key: .* no private key"),
        ("not PEM", "api_certificate: .* holds no certificate in PEM"),
        ("key not PEM", "api_certificate_key: .* holds no private key in PEM"),
        ("another's", "api_certificate_key: .* is not the key of the certificate"),
        ("encrypted", "api_certificate_key: .* password"),
        ("past", "api_certificate: .* was good until .* UTC: renew it"),
        ("key alone", "api_certificate_key is of use with a certificate alone"),
        ("redirect alone", "api_redirect_from is of use with a certificate alone"),
    ],
)
def test_a_wrong_certificate_is_told(serve: Serve, tmp_path: Path, kind: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        serve(**_wrong(kind, tmp_path))


def test_a_certificate_before_and_near_the_end_of_its_time(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    now = datetime.now(UTC)
    with pytest.raises(ConfigError, match="is good from"):
        Certificate(pair.certificate, pair.key, now=now - timedelta(days=200))
    Certificate(pair.certificate, pair.key, now=now + timedelta(days=80))
    assert "is good until" in caplog.text


def test_an_address_that_is_taken_is_told(serve: Serve) -> None:
    host, port = where(serve())
    with pytest.raises(ConfigError, match=rf"cannot listen on {host}:{port}: Address already in use.*FSIVR_API_LISTEN"):
        Serving(Settings.defaults(api_listen=f"{host}:{port}"), lambda environ, answer: [])


def test_plain_http_is_led_to_tls(serve: Serve) -> None:
    serving = serve(api_redirect_from="127.0.0.1:0")
    assert serving.redirects_from is not None
    (said,) = asked(serving.redirects_from, get("/api/v1/calls?limit=5", method="POST"))
    assert (said.status, said.headers["Location"]) == (308, f"{serving.url}/api/v1/calls?limit=5")


@pytest.mark.parametrize(
    ("host", "path", "query", "location"),
    [
        ("localhost", "/a", "", "https://localhost:8443/a"),
        ("LOCALHOST:80", "/a", "x=1", "https://localhost:8443/a?x=1"),
        ("ivr.example.net", "/", "", "https://ivr.example.net:8443/"),
        ("127.0.0.1", "/", "", "https://127.0.0.1:8443/"),
        ("[::1]:80", "/", "", "https://[::1]:8443/"),
        ("evil.example", "/", "", "https://localhost:8443/"),
        ("a.b.example.net", "/", "", "https://localhost:8443/"),
        (".example.net", "/", "", "https://localhost:8443/"),
        ("localhost@evil.example", "/", "", "https://localhost:8443/"),
        ("localhost\r\nX: y", "/", "", "https://localhost:8443/"),
        ("", "/", "", "https://localhost:8443/"),
        ("localhost", "//evil.example/", "", "https://localhost:8443/evil.example/"),
        ("localhost", "http://evil.example/", "", "https://localhost:8443/http://evil.example/"),
        ("localhost", "@evil.example", "", "https://localhost:8443/@evil.example"),
        ("localhost", "/a\r\nX: y", "", "https://localhost:8443/a%0D%0AX:%20y"),
        ("localhost", "/\\evil.example", "", "https://localhost:8443/%5Cevil.example"),
        ("localhost", "/a", "x\r\nX: y", "https://localhost:8443/a"),
    ],
)
def test_the_way_leads_to_us_alone(host: str, path: str, query: str, location: str) -> None:
    told: list[Any] = []
    names = ["localhost", "*.example.net", "127.0.0.1", "::1"]
    application = redirecting(names, 8443, "localhost")
    environ = {"HTTP_HOST": host, "PATH_INFO": path, "QUERY_STRING": query}
    assert application(environ, lambda status, headers: told.append((status, dict(headers)))) == []
    assert told[0][0].startswith("308 ")
    assert told[0][1]["Location"] == location


def test_the_usual_port_is_not_told() -> None:
    told: list[Any] = []
    redirecting(["a.example"], 443, "a.example")({"PATH_INFO": "/"}, lambda status, headers: told.append(dict(headers)))
    assert told[0]["Location"] == "https://a.example/"
