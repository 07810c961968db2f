"""The table of settings: what each allows, and what is said of a wrong one."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsivr.errors import ConfigError
from fsivr.settings import SETTINGS, Settings, parse_address

RIGHT: dict[str, list[object]] = {
    "dialplan": ["apps:dialplan", "my_company.phone.calls:dialplan_2"],
    "listen": ["127.0.0.1:8084", "[::1]:8084", "ivr-1.example.net:0", "0.0.0.0:65535"],
    "allow": [["10.0.0.5"], ["10.1.0.0/16", "::1", "fe80::/10"]],
    "switch_address": ["127.0.0.1:8021", "[::1]:8021", "switch.example.net:8021"],
    "switch_password": ["ClueCon", "x" * 200, "with blanks & '"],
    "socket_address": ["", "10.0.0.5:8084", "[::1]:8084"],
    "workers": [0, 2, 64],
    "ports": [1, 120, 100000],
    "when_full": ["hangup", "continue"],
    "reply_timeout": [0.1, 5, 600.0],
    "probe_interval": [1, 3600],
    "verb_limit": [1, 604800],
    "call_limit": [1, 604800],
    "hangup_grace": [0, 3600],
    "blocking_limit": [0, 0.5, 3600],
    "lag_limit": [0, 0.5, 3600],
    "drain_timeout": [0, 604800],
    "reload_timeout": [0, 604800],
    "worker_patience": [1, 3600],
    "prompts_path": ["", "/usr/share/sounds", "prompts/en"],
    "prompts_extension": ["", ".wav", ".r8"],
    "recordings_path": ["recordings", "/var/spool/messages", "a+b=c/d@e"],
    "language": ["en", "de", "pt_BR", "zh-Hans"],
    "fallback_languages": [[], ["en"], ["pt", "en"]],
    "database": [
        "sqlite:///fsivr.db",
        "sqlite:////var/lib/fsivr/what happened.db",
        "postgresql://ivr@db/ivr",
        "postgresql://ivr:p%40ss!word@[::1]:5433/ivr-1",
    ],
    "retention": [["default=1"], ["default=365", "complaints=3650", "short_1=0"]],
    "log_format": ["text", "json"],
    "node": ["", "ivr-1.example.net"],
    "api_listen": ["", "127.0.0.1:8080", "[::]:443"],
    "api_certificate": ["", "/etc/fsivr/tls.pem", "with a blank.pem"],
    "api_certificate_key": ["", "/etc/fsivr/tls.key"],
    "api_redirect_from": ["", "0.0.0.0:80"],
    "api_open_on_loopback": [True, False],
    "api_rate": [0.1, 50, 100000],
    "log_level": ["debug", "info", "warning", "error"],
    "targets": [{}, {"archive": {"kind": "s3", "bucket": "b"}, "a-2": {"kind": "folder", "list": (1, 2)}}],
    "export_key": ["{id}.wav", "{year}/{month}/{day}/{hour}/{handler}/{node}/{retention}-{id}.wav", "a/b.c/{id}x.wav"],
    "export_at": ["", "00:00", "23:59"],
    "export_until": ["", "05:30"],
    "export_concurrency": [1, 64],
    "export_bandwidth": [0, 1_000_000],
    "export_webhook": ["", "https://ops.example.net/x?y=1", "http://[::1]:8/"],
    "export_webhook_secret": ["", "x" * 200],
    "allow_plaintext_ftp": [True, False],
}
WRONG: dict[str, list[object]] = {
    "dialplan": ["", "apps", "apps:", ":dialplan", "apps.py:x y", "apps:dialplan\n", 7],
    "listen": ["", "127.0.0.1", ":8084", "8084", "::1:8084", "[::1]", "[127.0.0.1]:1", "a b:1", "h:65536", "h:-1", 1],
    "allow": [[], "10.0.0.5", ["10.0.0.0/33"], ["10.0.0.1/8"], ["localhost"], [1], [["::1"]]],
    "switch_address": ["", "127.0.0.1", 8021],
    "switch_password": ["", "x" * 201, "two\nlines", "é", 1],
    "socket_address": ["8084", "a b:1", "10.0.0.5", 1],
    "retention": [[], ["short=1"], ["default=1", "default=2"], ["default"], ["default=-1"], ["Default=1"], "default=1"],
    "log_format": ["", "JSON", 1],
    "node": ["a b", "n/x", "n" * 65, 1],
    "api_listen": ["8080", "a b:1", 8080],
    "api_certificate": ["a\nb", 1],
    "api_certificate_key": ["a\0b", 1],
    "api_redirect_from": ["80", 80],
    "api_open_on_loopback": ["yes", "maybe", "", None, 2],
    "api_rate": [0, -1, "fast", float("inf"), True],
    "workers": [-1, 65, 1.5, "many", True, None],
    "ports": [0, -1, 100001, 1.5, "many", True, None],
    "when_full": ["", "HANGUP", "busy", 1],
    "reply_timeout": [0, -1, 601, "soon", float("nan"), float("inf"), True],
    "probe_interval": [0, 0.5, 3601],
    "verb_limit": [0, 604801],
    "call_limit": [0, 604801],
    "hangup_grace": [-0.1, 3601],
    "blocking_limit": [-1, 3601],
    "lag_limit": [-1, 3601],
    "drain_timeout": [-1, 604801],
    "reload_timeout": [-1, 604801],
    "worker_patience": [0, 3601],
    "prompts_path": ["a b", "sounds!", "${x}", "sounds\n"],
    "prompts_extension": ["wav", ".", ".w v", ".wav\n"],
    "recordings_path": ["", "a b", "${x}", "a;b", "a,b", "recordings\n", "~/x", "'a'"],
    "language": ["", "e", "english", "en GB", "en;x"],
    "fallback_languages": ["en", ["english"], [""], [1], [["en"]]],
    "database": ["", "sqlite:fsivr.db", "sqlite:///", "sqlite:///a\n", "sqlite:///a?mode=ro", "fsivr.db", 7],
    "log_level": ["", "INFO", "loud"],
    "targets": [[], {"archive": 1}, "{", "[1]", {"A": {}}, {"../x": {}}, {"run": {}}, {"a" * 33: {}}, {"a\n": {}}, 7],
    "export_key": [
        "",
        "x.wav",
        "{id}",
        "{id}.wav\n",
        "{id}/../{id}.wav",
        "/{id}.wav",
        "a//{id}.wav",
        "{caller}/{id}.wav",
        "{id!r}.wav",
        "{id:>9}.wav",
        "{id.x}.wav",
        "{id}{.wav",
        "{id} .wav",
        "manifests/{id}.wav",
        "{}/{id}.wav",
        "./{id}.wav",
        "{{id}}.wav",
        7,
    ],
    "export_at": ["24:00", "1:30", "01:60", "01:30\n", "noon", 130],
    "export_until": ["5", "05:00:00", 5],
    "export_concurrency": [0, 65, 1.5, "many", True],
    "export_bandwidth": [-1, "fast", 1.5],
    "export_webhook": ["ftp://x", "x", "https://a b", "https://x\n", 1],
    "export_webhook_secret": ["x" * 201, "a\nb", 1],
    "allow_plaintext_ftp": ["yes", None, 2],
}
NAMES = [setting.name for setting in SETTINGS]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_allowed_is_taken(name: str) -> None:
    for value in RIGHT[name]:
        found = getattr(Settings.defaults(**{name: value}), name)
        assert found == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_allowed_is_refused_by_name_value_and_advice(name: str) -> None:
    (setting,) = (setting for setting in SETTINGS if setting.name == name)
    for value in WRONG[name]:
        with pytest.raises(ConfigError) as caught:
            Settings.defaults(**{name: value})
        shown = "********" if setting.secret else repr(value)
        assert str(caught.value) == f"setting {name} from argument is {shown}: allowed is {setting.allowed}"


def test_the_password_is_not_shown() -> None:
    assert "s3cr3t" not in repr(Settings.defaults(switch_password="s3cr3t"))
    assert Settings.defaults(switch_password="s3cr3t") != Settings.defaults()


@pytest.mark.parametrize("setting", SETTINGS, ids=NAMES)
def test_each_default_is_allowed(setting) -> None:
    given_value = list(setting.default) if isinstance(setting.default, tuple) else setting.default
    assert getattr(Settings.defaults(**{setting.name: given_value}), setting.name) == setting.default


@pytest.mark.parametrize("setting", SETTINGS, ids=NAMES)
def test_each_says_what_it_does(setting) -> None:
    assert setting.help.endswith(".")
    assert setting.help[0].isupper()
    # A time says its unit, once in the help and once in what is allowed.
    assert ("seconds" in setting.help) == setting.allowed.startswith("seconds")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings.defaults().ports = 5  # type: ignore[misc]


def test_a_long_wrong_value_is_cut() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.defaults(dialplan="x" * 100_000)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8084", ("127.0.0.1", 8084)),
        ("[::1]:0", ("::1", 0)),
        ("[::ffff:10.0.0.1]:80", ("::ffff:10.0.0.1", 80)),
        ("ivr.example.net:65535", ("ivr.example.net", 65535)),
    ],
)
def test_an_address_has_a_host_and_a_port(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address
    assert Settings.defaults(listen=text).listen_address == address


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        host, port = parse_address(text)
    except ValueError:
        return
    assert text in (f"{host}:{port}", f"[{host}]:{port}") or int(text.rpartition(":")[2]) == port
    assert host
    assert 0 <= port <= 65535


def test_the_networks_of_allow() -> None:
    networks = Settings.defaults(allow=["10.0.0.5", "fe80::/10"]).allow_networks
    assert [str(network) for network in networks] == ["10.0.0.5/32", "fe80::/10"]


@pytest.mark.parametrize(
    "wrong",
    [
        "postgresql://ivr:SECRET@db",
        "postgresql://ivr:SEC@RET@db/ivr",
        "postgres://ivr:SECRET@db/ivr",
        "postgresql://ivr:SECRET\n@db/ivr",
        "postgresql://db/ivr?password=SECRET",
        "ivr:SECRET@db/ivr",
    ],
)
def test_a_password_is_not_in_what_is_said_of_a_wrong_database(wrong: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.defaults(database=wrong)
    assert "***" in str(caught.value)
    assert "SEC" not in str(caught.value)
    assert "RET" not in str(caught.value)
