"""A simulated switch whose clock is the one on the wall, and what the doctor tells of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fsivr.config import Settings
from fsivr.doctor.checks import CHECKS
from fsivr.doctor.examining import examine
from fsivr.doctor.finding import Finding
from fsivr.doctor.site import Site
from fsivr.simulator import Switch
from fsivr.simulator.clock import RealClock
from fsivr.store import Store
from tests.exporter.weed import Weed, installed


@pytest.fixture
def switch() -> Iterator[Switch]:
    one = Switch(("127.0.0.1", 1), clock=RealClock())
    yield one
    one.stop()


@pytest.fixture
def settings(switch: Switch, tmp_path: Path) -> dict[str, object]:
    """Settings that are right here; a test changes some."""
    host, port = switch.inbound.address
    return {
        "switch_address": f"{host}:{port}",
        "database": f"sqlite:///{tmp_path}/fsivr.db",
        "recordings_path": f"{tmp_path}/recordings",
        "reply_timeout": 2.0,
    }


@pytest.fixture
def findings(settings: dict[str, object]) -> Callable[..., list[Finding]]:
    """Examines one check with settings: ``findings("switch.version", ports=30)``."""

    def look(name: str, *, site: dict[str, object] | None = None, **more: object) -> list[Finding]:
        made = Site(Settings.defaults(**{**settings, **more}), **(site or {}))  # type: ignore[arg-type]
        try:
            return examine(made, [check for check in CHECKS if check.whole_name == name])
        finally:
            made.close()

    return look


@pytest.fixture
def levels(findings: Callable[..., list[Finding]]) -> Callable[..., list[str]]:
    """As ``findings``, of each the level alone."""
    return lambda name, **more: [each.level.value for each in findings(name, **more)]


@pytest.fixture
def store(settings: dict[str, object]) -> Iterator[Store]:
    """The database of the settings, up to date."""
    one = Store(str(settings["database"]))
    one.migrate()
    yield one
    one.close()


@pytest.fixture(scope="session")
def weed() -> Iterator[Weed]:
    server = Weed(installed())
    yield server
    server.close()


@pytest.fixture
def system(tmp_path: Path) -> Callable[..., dict[str, object]]:
    """A system's own texts: ``system({"/proc/meminfo": "…"})`` gives the arguments of a ``Site`` on it."""

    def make(texts: dict[str, str]) -> dict[str, object]:
        root = tmp_path / "root"
        for name, text in texts.items():
            place = root / name.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return {"root": root}

    return make
