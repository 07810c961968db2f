"""An export that the API is asked for: a process of its own, whose runs are known before the answer."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fsivr.exporter.lock import only_run
from tests.cli.process import Process
from tests.cli.test_api import LINES, OPEN, PATIENCE, fetched, until, url_in
from tests.cli.test_export import Site
from tests.exporter.kept import files_below


def posted(url: str) -> tuple[int, Any]:
    """A status, and what came with it."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "lines.py").write_text(LINES)
    return Site(tmp_path)


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    """Where the API of that folder's settings is."""
    here = {"FSIVR_RECORDINGS_PATH": str(site.folder / "recordings"), "FSIVR_DATABASE": site.store_address}
    arguments = ("api", "--listen", "127.0.0.1:0", "--config", "fsivr.toml")
    with Process(*arguments, cwd=site.folder, variables={**OPEN, **here}) as api:
        yield url_in(api.reads("openapi.json\n"))


def test_runs_are_known_at_once_and_bring_what_waits(site: Site, url: str) -> None:
    kept = site.keep(3)
    status, begun = posted(f"{url}/api/v1/exports")
    assert status == 202
    (run,) = begun["exports"]
    assert fetched(f"{url}/api/v1/exports/{run}")[1]["state"] in ("running", "done")
    assert until(lambda: fetched(f"{url}/api/v1/exports/{run}")[1]["state"] == "done")
    told = fetched(f"{url}/api/v1/exports/{run}")[1]
    assert (told["target"], told["recordings"], told["failed"]) == ("archive", 3, 0)
    assert told["report"]["run"] == run
    for each in kept:
        recording = fetched(f"{url}/api/v1/recordings/{each.id}")[1]
        assert recording["state"] == "exported"
        assert recording["arrivals"]["archive"]["export"] == run
    assert sum(name.endswith(".wav") for name in files_below(site.folder / "there")) == 3
    (line,) = site.store.audit(action="export.run").items
    assert (line.who, line.subject) == ("loopback", run)


def test_one_that_is_under_way_elsewhere_is_told(site: Site, url: str) -> None:
    site.keep(1)
    folder = site.archive.folders.spool / ".exports/archive@ivr-1"
    folder.mkdir(parents=True)
    with only_run(folder / "lock", "process 1 since ever"):
        status, told = posted(f"{url}/api/v1/exports")
    assert status == 409
    assert told["error"]["code"] == "export_under_way"
    assert posted(f"{url}/api/v1/exports")[0] == 202


def test_without_a_target_it_is_told_what_to_set(site: Site) -> None:
    (site.folder / "fsivr.toml").write_text("")
    with Process("api", "--listen", "127.0.0.1:0", cwd=site.folder, variables=OPEN) as api:
        status, told = posted(f"{url_in(api.reads('openapi.json' + chr(10)))}/api/v1/exports")
    assert status == 409
    assert "[targets.NAME]" in told["error"]["message"]


@pytest.mark.parametrize("given", ["archive", "archive=", "archive=x", "=20261124T020000.000Z-0123456789ab", "a=b=c"])
def test_an_id_that_is_none_is_refused(fsivr: Any, given: str) -> None:
    ran = fsivr("export", "run", "--id", given)
    assert ran.code == 2
    assert "--id is TARGET=ID" in ran.err
