"""A folder of recordings and its database, for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recordings.serving import Kept


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Nothing recorded yet."""
    made = Kept(tmp_path)
    yield made
    made.store.close()
