"""What the sample applications keep is kept in a folder of the test's own."""

from __future__ import annotations

import pytest

from apps import notebook


@pytest.fixture(autouse=True)
def notes(tmp_path, monkeypatch):
    monkeypatch.setattr(notebook, "FOLDER", tmp_path / "notes")
