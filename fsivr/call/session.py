"""What a call needs of the event socket that controls it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from fsivr.call.channel import Control, Described
from fsivr.causes import HangupCause
from fsivr.errors import Hangup


class Running(Protocol):
    """An application that was started and not waited for."""

    def stop(self) -> str:
        """End it, and wait until it has ended; what the switch said of it, ``""`` for nothing."""


class Limits(Protocol):
    """How long a session waits."""

    @property
    def probe(self) -> float:
        """How often a long wait asks whether the switch still knows the call, in seconds."""


class Session(Control, Protocol):
    """The event socket of one call; each method raises ``Hangup`` when the call is over."""

    @property
    def limits(self) -> Limits:
        """How long it waits."""

    @property
    def over(self) -> bool:
        """Whether the call is over."""

    @property
    def hangup_cause(self) -> HangupCause | None:
        """Why it ended."""

    @property
    def outliving(self) -> bool:
        """Whether something is waited for whose end is of use also after the hangup."""

    def ended(self) -> Hangup:
        """What a verb raises when the call is over."""

    def execute(
        self, application: str, argument: str = "", *, timeout: float | None = None, outlives: bool = False
    ) -> Described:
        """Run an application and wait for its end; ``outlives``: also where the caller hangs up meanwhile."""

    def execute_all(self, steps: Sequence[tuple[str, str]], *, timeout: float | None = None) -> Sequence[Described]:
        """Run several without a gap and wait for the end of the last."""

    def lend(
        self, application: str, argument: str, *, timeout: float, taken: Callable[[Described], bool] | None = None
    ) -> tuple[Described, Described | None]:
        """Run an application that may give the call to somebody; its end, and where it did that of their talk."""

    def begin(self, application: str, argument: str = "", *, loops: int = 1) -> Running:
        """Start an application; what is executed afterwards runs inside it, and it goes on."""

    def api(self, command: str, argument: str = "") -> str:
        """Ask an API command and wait for what it prints."""

    def post(self, command: str, argument: str = "", *, now: bool = False) -> None:
        """Have an API command run before what is sent next, or ``now``."""

    def watch(self, event: str, function: Callable[[Described], None]) -> Callable[[], None]:
        """Have a function called on the hub with each event of a name; what is returned ends it."""

    def when_over(self, function: Callable[[], None]) -> Callable[[], None]:
        """Have a function called once, on the hub as it may be, when the call is over; what is returned ends it."""

    def await_end(self, seconds: float) -> None:
        """Wait for the last event of a call that is over, or for the end of its connection."""

    def refresh(self) -> None:
        """Have the switch describe the channel anew."""

    def kill(self, cause: HangupCause) -> None:
        """Hang up now."""
