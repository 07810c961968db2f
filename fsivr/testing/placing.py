"""Calls placed in a test: by a real ``Switch``, over the simulated switch's socket, in the simulated switch's time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import gevent

from fsivr import simulator
from fsivr.config import Settings
from fsivr.dialplan import Dialplan
from fsivr.server import Server
from fsivr.switch import Switch

_T = TypeVar("_T")


class PlacingSwitch(Switch):
    """A switch whose pauses take the simulated time."""

    def __init__(
        self, simulated: simulator.Switch, settings: Settings, dialplan: Dialplan, listening: tuple[str, int]
    ) -> None:
        super().__init__(settings, dialplan, listening=listening)
        self._simulated = simulated

    def now(self) -> float:
        """Seconds of the simulated switch's clock."""
        return self._simulated.clock.now()

    def rest(self, seconds: float) -> None:
        """Wait, on that clock."""
        self._simulated.rest(seconds)


class PlacingServer(Server):
    """A server whose handlers place calls on the simulated switch."""

    def __init__(self, simulated: simulator.Switch, dialplan: Dialplan, settings: Settings) -> None:
        super().__init__(dialplan, settings)
        self._simulated = simulated
        self._served = dialplan

    def make_switch(self) -> Switch:
        """The simulated switch, as a handler reaches it."""
        return PlacingSwitch(self._simulated, self.settings, self._served, self.address)

    def leave_switch(self) -> None:
        """Close the connection to the simulated switch, before that is gone."""
        if self._switch is not None:
            self._switch.close()


class Order:
    """Something that is waited for in the test's own greenlet, while the simulated time passes."""

    def __init__(self, switch: simulator.Switch) -> None:
        self._switch = switch

    @property
    def handlers_turn(self) -> bool:
        """Whether time stands still: nothing rings, and nobody rests."""
        return not self._switch.sleeping

    def wait(self, function: Callable[[], _T]) -> _T:
        """What a function returns, which waits for the switch."""
        came: list[_T] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                came.append(function())
            except Exception as error:  # noqa: BLE001  raised again below, in the test
                failed.append(error)
            finally:
                ended.append(True)
                self._switch.pump.touch(self)

        ended: list[bool] = []
        greenlet = gevent.spawn(run)
        patience = self._switch.patience
        try:
            self._switch.pump.run(self, lambda: bool(ended), until=None, patience=patience, strict=False)
            greenlet.join(patience)
        finally:
            greenlet.kill()
        for error in failed:
            raise error
        if not came:
            raise AssertionError(f"the order did not end: nothing happened for {patience:g} real seconds")
        return came[0]
