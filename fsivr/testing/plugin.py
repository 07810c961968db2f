"""The pytest plugin: ``def test_it(switch)``, with ``switch.call("4100")``.

It is loaded by pytest before the tests and whatever they import, so it is the
place to make the standard library cooperative: after ``ssl`` has been imported
it would be too late.
"""

from gevent import monkey

if not monkey.is_module_patched("socket"):
    monkey.patch_all()

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fsivr.config import Settings
from fsivr.testing.leftovers import Leftovers
from fsivr.testing.served import ServedSwitch

_DIALPLAN = "fsivr_dialplan"
_STRICT = "fsivr_strict_blocking"
_MARKER = "fsivr"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option of ``pytest.ini`` or ``setup.cfg``."""
    parser.addini(_DIALPLAN, "the dialplan that `switch.call` reaches, as module:name", default="apps:dialplan")
    parser.addini(_STRICT, "seconds for which a handler may keep all calls waiting; a test in which one does fails")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers", f"{_MARKER}(**settings): settings of the server behind `switch`, as ports=2, reply_timeout=0.2"
    )


@pytest.fixture
def switch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedSwitch]:
    """A simulated switch, and a real server with this project's handlers for it to call.

    At the end of the test nothing may be left of its calls: no call, no port in
    use, no greenlet, no socket.
    """
    before = Leftovers.now()
    # Made by the first recording, if there is one.
    folder = tmp_path_factory.getbasetemp() / f"recordings-{uuid.uuid4().hex}"
    served = ServedSwitch(_settings(request.node, folder), request.config.getini(_DIALPLAN))
    try:
        yield served
    finally:
        calls = served.close()
    left = calls + before.since()
    if request.config.getini(_STRICT) and served.blocks:
        named = "\n".join(f"  {each}" for each in served.blocks)
        pytest.fail(f"a handler kept all calls waiting:\n{named}", pytrace=False)
    if left:
        pytest.fail("the test left something behind:\n" + "\n".join(f"  {each}" for each in left), pytrace=False)


def _settings(node: pytest.Item, recordings: Path) -> Settings:
    given: dict[str, Any] = {"listen": "127.0.0.1:0", "recordings_path": str(recordings)}
    given["blocking_limit"] = float(node.config.getini(_STRICT) or 0)
    for marker in reversed(list(node.iter_markers(_MARKER))):
        given.update(marker.kwargs)
    return Settings.defaults(**given)
