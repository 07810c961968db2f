"""An application over a store of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fsivr.api.app import create_app
from fsivr.config import Settings
from fsivr.store import Store

Client = Callable[..., FlaskClient]


class Clock:
    """Seconds that go on when they are told to."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/fsivr.db")
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def make(store: Store, clock: Clock, tmp_path: Path) -> Client:
    """A client of an application: ``make(api_rate=1)``, with a key of a role: ``make(role="read")``."""

    def client(role: str = "", given: dict[str, Any] | None = None, **settings: Any) -> FlaskClient:
        checked = Settings.defaults(**{"recordings_path": str(tmp_path / "recordings"), "api_rate": 100000, **settings})
        app = create_app(checked, store, clock=clock, ticks=clock, **(given or {}))
        made = app.test_client()
        if role:
            key = store.keys.create(f"{role} {len(store.keys.all())}", role, by="tests")
            made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        return made

    return client
