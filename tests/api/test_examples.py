"""The curl commands of docs/api.md do what the text says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.stock import CALLS, EXPORT, HANDLER, SEALED, Stage
from tests.store.calls import start

_TEXT = (Path(__file__).parent.parent.parent / "docs/api.md").read_text()
COMMANDS = [
    command
    for block in re.findall(r"^```sh\n(.*?)^```", _TEXT, re.M | re.S)
    for command in re.findall(r"^curl .*?(?=^curl |\Z)", block, re.M | re.S)
    if "/api/v1/" in command and "/status" not in command
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("api"))
    yield stage
    stage.close()


def _run(client: FlaskClient, command: str, values: dict[str, str]) -> Any:
    """What the request of a curl command is answered with."""
    words = [re.sub(r"\$([A-Z]+)", lambda match: values[match[1]], word) for word in shlex.split(command)[1:]]
    options: dict[str, str] = {}
    headers: dict[str, str] = {}
    (address,) = _take_options(words, options, headers)
    if "--json" in options:
        json.loads(options["--json"])
        headers["Content-Type"] = "application/json"
    if "-r" in options:
        headers["Range"] = f"bytes={options['-r']}"
    method = options.get("-X", "POST" if "--json" in options else "GET")
    path = address.removeprefix("http://127.0.0.1:8080")
    body = options.get("--json", "").replace("apps.reminder.Reminder", HANDLER)
    return client.open(path, method=method, headers=headers, data=body)


def _take_options(words: list[str], options: dict[str, str], headers: dict[str, str]) -> list[str]:
    rest = iter(words)
    found = []
    for word in rest:
        if word == "-H":
            name, value = next(rest).split(": ", 1)
            headers[name] = value
        elif word in ("-X", "-r", "-o", "--json"):
            options[word] = next(rest)
        else:
            assert not word.startswith("-"), f"curl's {word} is not known here"
            found.append(word)
    return found


def test_there_is_one_of_every_operation() -> None:
    assert len(COMMANDS) >= 15


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: re.sub(r".*/api/v1/", "", command.splitlines()[0]))
def test_an_example_works(stage: Stage, command: str) -> None:
    live = start(CALLS - 1).uuid
    stage.board.up.add(live)
    values = {"KEY": stage.keys["admin"], "UUID": live, "ID": SEALED, "EXPORT": EXPORT}
    answer = _run(stage.app.test_client(), command, values)
    assert answer.status_code < 300, answer.text
    assert answer.status_code == (206 if " -r " in command else answer.status_code)
