"""An archive in a temporary folder, over each of the databases; and a folder that a server keeps recordings in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fsivr.recordings import Archive
from fsivr.store import Store
from tests.recordings.serving import Kept
from tests.store.conftest import address, postgresql, store

__all__ = ["address", "postgresql", "store"]


@pytest.fixture
def archive(tmp_path: Path, store: Store) -> Archive:
    return Archive(tmp_path / "recordings", store, node="ivr-1", retention={"default": 30, "complaints": 3650})


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Nothing recorded yet."""
    made = Kept(tmp_path)
    yield made
    made.store.close()
