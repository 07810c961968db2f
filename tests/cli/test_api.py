"""``fsivr api``, alone and as a child of ``fsivr serve``: real processes, killed as they would be."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from fsivr.cli.api_child import environment
from fsivr.config import load
from tests.cli.process import Process

PATIENCE = 30.0
LINES = """
from fsivr import Dialplan, Extension, Handler


class Answering(Handler):
    def run(self, call):
        call.answer()


dialplan = Dialplan([Extension("22", Answering)])
"""
SERVE = ("serve", "--listen", "127.0.0.1:0", "--dialplan", "lines:dialplan", "--api", "127.0.0.1:0")
OPEN = {"FSIVR_API_OPEN_ON_LOOPBACK": "true"}


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """A folder with a dialplan."""
    (tmp_path / "lines.py").write_text(LINES)
    return tmp_path


def url_in(out: str) -> str:
    """Where an API said last that it is."""
    return re.findall(r"API on (http://[\d.]+:\d+)", out)[-1]


def fetched(url: str) -> tuple[int, Any]:
    """A status, and what came with it; 0 where nothing listens."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    except OSError:
        return 0, None


def until(condition: Any) -> bool:
    """Whether a condition came true in time."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_there(pid: int) -> bool:
    """Whether a process runs still."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_it_serves_alone_and_ends_at_a_signal(lines: Path) -> None:
    with Process("api", "--listen", "127.0.0.1:0", cwd=lines, variables=OPEN) as api:
        url = url_in(api.reads("openapi.json\n"))
        assert fetched(f"{url}/health/live") == (200, {"status": "live"})
        assert fetched(f"{url}/health/ready")[0] == 503
        assert fetched(f"{url}/api/v1/status")[0] == 200
        api.signals(signal.SIGTERM)
        assert api.ends() == 0
    assert "no calls can be placed by the API" in api.out


def test_a_server_serves_the_api_beside_itself(lines: Path) -> None:
    with Process(*SERVE, cwd=lines, variables=OPEN) as serving:
        url = url_in(serving.reads("openapi.json\n"))
        assert until(lambda: fetched(f"{url}/health/ready")[0] == 200)
        status = fetched(f"{url}/api/v1/status")[1]
        (child,) = children(serving.pid)
        assert [worker["pid"] for worker in status["workers"]] == [serving.pid]
        serving.signals(signal.SIGTERM)
        assert serving.ends() == 0
        assert not is_there(child)
        assert fetched(f"{url}/health/live") == (0, None)
    assert serving.out.splitlines()[-1] == "stopped"


def test_it_ends_with_a_server_that_was_killed(lines: Path) -> None:
    with Process(*SERVE, cwd=lines) as serving:
        url = url_in(serving.reads("openapi.json\n"))
        (child,) = children(serving.pid)
        serving.signals(signal.SIGKILL)
        assert until(lambda: not is_there(child))
        assert fetched(f"{url}/health/live") == (0, None)


def test_it_is_started_again_where_it_is_killed(lines: Path) -> None:
    with Process(*SERVE, cwd=lines) as serving:
        serving.reads("openapi.json\n")
        (child,) = children(serving.pid)
        os.kill(child, signal.SIGKILL)
        serving.reads("the API ended with exit code -9: unexpectedly; calls go on, and it is started again in 1 s")
        assert until(lambda: [each for each in children(serving.pid) if each != child])
        assert until(lambda: serving.more().count("API on") == 2)
        assert fetched(f"{url_in(serving.out)}/health/live")[0] == 200
        serving.signals(signal.SIGTERM)
        assert serving.ends() == 0


def test_a_taken_address_is_told_and_does_not_stop_calls(lines: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        where = f"127.0.0.1:{other.getsockname()[1]}"
        with Process(*SERVE[:-1], where, cwd=lines) as serving:
            serving.reads("the API ended with exit code 2: what was wrong is told above; calls go on")
            assert f"fsivr: the API cannot listen on {where}: Address already in use" in serving.out
            serving.signals(signal.SIGTERM)
            assert serving.ends() == 0


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (("--listen", "nonsense"), {}, "is 'nonsense': allowed is HOST:PORT"),
        ((), {}, "setting api_listen is empty"),
        (("--listen", "127.0.0.1:0"), {"FSIVR_API_CERTIFICATE": "nowhere.pem"}, "nowhere.pem cannot be read"),
    ],
)
def test_what_is_wrong_is_told(lines: Path, arguments: tuple[str, ...], variables: dict[str, str], said: str) -> None:
    with Process("api", *arguments, cwd=lines, variables=variables) as api:
        assert api.ends() == 2
    assert said in api.out


def test_no_secret_is_on_its_command_line(lines: Path) -> None:
    secret = {"FSIVR_SWITCH_PASSWORD": "S3cret-of-tests"}
    with Process(*SERVE, cwd=lines, variables=secret) as serving:
        serving.reads("openapi.json\n")
        (child,) = children(serving.pid)
        shown = Path(f"/proc/{child}/cmdline").read_text()
        assert "--until-eof" in shown
        assert "S3cret" not in shown


def test_the_child_has_every_setting_of_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "here.toml"
    file.write_text('language = "de"\nports = 5\nretention = ["default=1", "complaints=2"]')
    variables = {
        "PATH": "/bin",
        "FSIVR_PORTS": "7",
        "FSIVR_ALLOW": "10.0.0.0/8,::1",
        "FSIVR_SWITCH_PASSWORD": " a b, c",
        "FSIVR_DATABASE": "postgresql://ivr:p%40ss@db/ivr",
        "FSIVR_NODE": "ivr-1",
    }
    options = {"node": "ivr-2", "fallback_languages": ["en", "pt_BR"], "api_open_on_loopback": True, "api_rate": 0.5}
    settings = load(file, variables, **options, api_listen="")
    found = dataclasses.replace(settings, listen="127.0.0.1:40000")
    monkeypatch.chdir(tmp_path)
    given = environment(found, variables, config="here.toml")
    assert given["PATH"] == "/bin"
    monkeypatch.chdir("/")
    assert load(None, given) == found


def test_the_settings_file_of_the_folder_is_the_childs_too(lines: Path) -> None:
    (lines / "fsivr.toml").write_text("api_open_on_loopback = true")
    with Process(*SERVE, cwd=lines) as serving:
        url = url_in(serving.reads("openapi.json\n"))
        assert fetched(f"{url}/api/v1/status")[0] == 200


def test_a_settings_file_that_is_named_is_the_childs_too(lines: Path) -> None:
    (lines / "other.toml").write_text("api_open_on_loopback = true")
    with Process(*SERVE, "--config", "other.toml", cwd=lines) as serving:
        url = url_in(serving.reads("openapi.json\n"))
        assert fetched(f"{url}/api/v1/status")[0] == 200
