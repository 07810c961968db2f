"""NotedCall: a call whose verbs leave notes in its timeline.

A class of its own, so that a call of which nothing is kept costs nothing more. What
is done in the call's greenlet is little: two times and one append for each verb.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import Any, Unpack

from fsivr.call import noting
from fsivr.call.call import Call
from fsivr.call.channel import Variables
from fsivr.call.dialled import Dial, Dialled
from fsivr.call.placing import CallsSwitch, DialOptions
from fsivr.call.questions import Question
from fsivr.call.session import Session
from fsivr.call.speech import Missed, Speech
from fsivr.call.timeline import Failure, Timeline, failure


class NotedCall(Call):
    """A call that remembers what its handler did."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        #: What the handler did, and what came of it.
        self.timeline = Timeline()
        self.channel.variables = _NotedVariables(self._session, self.timeline)

    @property
    def switch(self) -> CallsSwitch:
        """As ``Call.switch``; what is placed with it is noted."""
        return _NotedSwitch(super().switch.shared, self._session, self.timeline)

    def _one_try(self, asked: Question) -> tuple[str, str]:
        keyed, ended_by = super()._one_try(asked)
        self.timeline.tried(keyed, ended_by, silent=not keyed and not ended_by, ahead=self.type_ahead)
        return keyed, ended_by

    def _ask_in_secret(self, asked: Question) -> str:
        self.timeline.secret = True
        try:
            return super()._ask_in_secret(asked)
        finally:
            self.timeline.secret = False

    def _spoken_try(self, answer: Speech | Missed) -> None:
        said = answer.text[: noting.MOST_SAID] if isinstance(answer, Speech) else ""
        self.timeline.tried(said, silent=answer is Missed.SILENCE)


class _NotedVariables(Variables):
    """Variables of which it is noted that they were set; not to what, which may be a secret."""

    __slots__ = ("_timeline",)

    def __init__(self, session: Session, timeline: Timeline) -> None:
        super().__init__(session)
        self._timeline = timeline

    def __setitem__(self, name: str, value: str) -> None:
        timeline = self._timeline
        if timeline.busy:
            super().__setitem__(name, value)
            return
        began = monotonic()
        came = None
        try:
            super().__setitem__(name, value)
        except BaseException as error:
            came = failure(error)
            raise
        finally:
            timeline.note(("set_variable", began, monotonic(), (name,), {}, came, ()))


class _NotedSwitch(CallsSwitch):
    def __init__(self, switch: Any, session: Session, timeline: Timeline) -> None:
        super().__init__(switch, session)
        self.timeline = timeline

    def dial_many(
        self,
        calls: Iterable[str | Dial],
        handler: type[Any] | None = None,
        *,
        concurrency: int = 10,
        per_second: float = 1.0,
        **options: Unpack[DialOptions],
    ) -> Iterator[Dialled]:
        """As ``Switch.dial_many``; noted when its last call is told, or nobody asks for more."""
        began = monotonic()
        group = super().dial_many(calls, handler, concurrency=concurrency, per_second=per_second, **options)
        return self._counted(group, began)

    def _counted(self, group: Iterator[Dialled], began: float) -> Iterator[Dialled]:
        counts: Counter[str] = Counter()
        came: Failure | None = None
        try:
            for one in group:
                counts[one.result.name] += 1
                yield one
        except BaseException as error:
            came = None if isinstance(error, GeneratorExit) else failure(error)
            raise
        finally:
            getattr(group, "close", lambda: None)()
            self.timeline.note(("dial_many", began, monotonic(), (), {}, came or dict(counts), ()))


_VERBS: dict[str, tuple[noting.Keep | None, noting.Gist | None]] = {
    "answer": (None, None),
    "play": (None, None),
    "ask": (noting.question, noting.nothing),
    "menu": (noting.without(), noting.nothing),
    "confirm": (None, None),
    "flush": (None, None),
    "on_digit": (noting.function_name, None),
    "sleep": (None, None),
    "listen": (noting.without("parameters"), noting.speech),
    "detect_machine": (None, None),
    "record": (None, None),
    "consent": (None, None),
    "bridge": (noting.without(), None),
    "conference": (noting.without("pin"), None),
    "queue": (None, None),
    "serve_queue": (None, None),
    "park": (noting.without("on_slot"), None),
    "unpark": (None, None),
    "execute": (noting.application, noting.response),
}
for _name, (_keep, _gist) in _VERBS.items():
    setattr(NotedCall, _name, noting.noted_verb(_name, getattr(Call, _name), _keep, _gist))
for _name in ("invoke", "hand_over", "hangup", "transfer"):
    setattr(NotedCall, _name, noting.noted_around(_name, getattr(Call, _name)))
for _name in ("music", "deadline", "interruptible", "recording"):
    setattr(NotedCall, _name, noting.noted_block(_name, getattr(Call, _name)))
_NotedSwitch.originate = noting.noted_verb("originate", CallsSwitch.originate, noting.without("variables"))  # type: ignore[method-assign]
_NotedSwitch.api = noting.noted_verb("api", CallsSwitch.api, noting.first, noting.nothing)  # type: ignore[method-assign]
