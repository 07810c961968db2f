"""The log: what is in a line, and what is in none."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest

from fsivr.config import Settings
from fsivr.logs import configure
from fsivr.whose import about

log = logging.getLogger("fsivr.test")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def written(capsys: pytest.CaptureFixture[str], form: Any = "text", call: str = "", **options: Any) -> list[str]:
    def run() -> None:
        configure("info", form, **options)
        if call:
            about(call)
        log.info("heard %s", "4711\n2026 forged\x1b[31m\u2028")
        log.debug("too small")
        log.warning("call abc: the password is hunter22 and pass")
        try:
            raise ValueError("bad\nhunter22")
        except ValueError:
            log.exception("it failed")

    copy_context().run(run)
    return capsys.readouterr().err.splitlines()


def test_a_line_has_time_level_call_and_message(capsys) -> None:
    first = written(capsys, call="abc")[0]
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO call abc: heard 4711\\n2026 forged\\x1b\[31m\\u2028", first
    )


def test_the_call_is_named_once(capsys) -> None:
    assert written(capsys, call="abc")[1].count("abc") == 1


def test_without_a_call_none_is_named(capsys) -> None:
    assert " INFO heard" in written(capsys)[0]


def test_only_records_begin_a_line(capsys) -> None:
    lines = written(capsys)
    assert [line for line in lines if not line.startswith("  ")] == [line for line in lines if line.startswith("20")]
    assert len([line for line in lines if line.startswith("20")]) == 3
    assert "  ValueError: bad" in lines


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_in_any_line(capsys, form) -> None:
    told = "\n".join(written(capsys, form, secrets=["hunter22", "pass", "abc", ""]))
    assert "hunter22" not in told
    assert "the ********word is ********" in told
    assert "abc" in told  # too short to be hidden


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "secret", ['quo"ted', "back\\slash", "pässwörd", "it's\ttabbed", "\N{KEY}\N{LOCK}\N{KEY}\N{LOCK}"]
)
def test_no_secret_gets_out_by_how_it_is_spelt(capsys: pytest.CaptureFixture[str], form: Any, secret: str) -> None:
    configure("info", form, secrets=[secret])
    log.warning("the password is %s.", secret)
    log.warning("the password is %r.", secret)
    try:
        raise ValueError(secret)
    except ValueError as error:
        log.warning("it failed: %r", error, exc_info=error)
    told = capsys.readouterr().err
    spellings = {secret, repr(secret)[1:-1], ascii(secret)[1:-1]}
    for each in spellings | {json.dumps(each)[1:-1] for each in spellings}:
        assert each not in told
    assert told.count("********") >= 4


def test_each_json_line_is_an_object(capsys) -> None:
    heard, password, failed = (json.loads(line) for line in written(capsys, "json", call="abc"))
    assert heard["message"] == "heard 4711\n2026 forged\x1b[31m\u2028"
    assert {heard["level"], heard["logger"], heard["call"]} == {"info", "fsivr.test", "abc"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", heard["time"])
    assert password["level"] == "warning"
    assert "ValueError: bad\n" in failed["exception"]


def test_the_settings_know_their_passwords() -> None:
    settings = Settings.defaults(switch_password="s3cr3t", database="postgresql://u:p%40ss@db/x")
    assert settings.secret_values >= {"s3cr3t", "p%40ss", "p@ss"}
    targets = {"archive": {"kind": "s3", "bucket": "calls", "secret": "s3s3cr3t"}}
    settings = Settings.defaults(targets=targets, export_webhook_secret="h00k")
    assert settings.secret_values == {"ClueCon", "s3s3cr3t", "h00k"}
    assert Settings.defaults().secret_values == {"ClueCon"}
