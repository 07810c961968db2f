"""An archive in a temporary folder, over each of the databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsivr.recordings import Archive
from fsivr.store import Store
from tests.store.conftest import address, postgresql, store

__all__ = ["address", "postgresql", "store"]


@pytest.fixture
def archive(tmp_path: Path, store: Store) -> Archive:
    return Archive(tmp_path / "recordings", store, node="ivr-1", retention={"default": 30, "complaints": 3650})
