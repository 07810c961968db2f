"""What a test needs of the machine and does not find."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """Skip the test; on a machine that tests changes it is a failure.

    :param what: what there is not, and how it is had.
    """
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
