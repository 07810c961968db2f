"""Fixtures of a switch played by hand, and of what reaches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fsivr import Dialplan, Switch
from fsivr.config import Settings
from tests.leaks import left, nothing_more_than
from tests.switch.switchboard import DIALPLAN, Switchboard


@pytest.fixture
def nothing_is_left() -> Iterator[None]:
    before = left()
    yield
    nothing_more_than(before)


@pytest.fixture
def board() -> Iterator[Switchboard]:
    one = Switchboard()
    yield one
    one.close()


@pytest.fixture
def reach(board: Switchboard) -> Iterator[Callable[..., Switch]]:
    made: list[Switch] = []

    def make(dialplan: Dialplan | None = DIALPLAN, **settings: object) -> Switch:
        given = {"switch_address": f"127.0.0.1:{board.port}", **settings}
        made.append(Switch.of(Settings.defaults(**given), dialplan))
        return made[-1]

    yield make
    for one in made:
        one.close()
