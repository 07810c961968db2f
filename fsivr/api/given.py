"""What the API is given to answer from."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app

from fsivr.api.overview import Observer
from fsivr.config import Settings
from fsivr.dialplan import Dialplan
from fsivr.store import Store
from fsivr.switch import Switch

_NAME = "fsivr"


@dataclasses.dataclass(frozen=True)
class Given:
    """What an application answers from; what it was not given is None."""

    settings: Settings
    store: Store
    #: Tells how all of the system does.
    observer: Observer
    switch: Switch | None = None
    dialplan: Dialplan | None = None
    #: The files of recordings: an ``Archive``.
    archive: Any = None
    #: Runs an export.
    export: Any = None
    #: Seconds since 1970.
    clock: Callable[[], float] = time.time
    #: When the API began, in seconds since 1970.
    started: float = 0.0


def attach(app: Flask, what: Given) -> None:
    """Have the resources of an application find what it was given."""
    app.extensions[_NAME] = what


def given() -> Given:
    """What the application that answers the current request was given."""
    found: Given = current_app.extensions[_NAME]
    return found
