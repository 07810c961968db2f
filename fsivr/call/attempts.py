"""One try of a question: on the switch alone, with what was typed ahead, or in secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fsivr.call.keys import Keypad
from fsivr.call.questions import Question
from fsivr.call.session import Session
from fsivr.prompts import Prompt

Steps = list[tuple[Prompt, tuple[str, str]]]


def with_keys_ahead(
    asked: Question, session: Session, keypad: Keypad, play_until_a_key: Callable[[Steps], object]
) -> tuple[str, str]:
    """What was keyed, before the question or in it, and the terminator that ended it.

    What must be heard whole is heard first, and drops what was typed ahead of it. The
    other prompts are not begun where a key is there already.
    """
    first = asked.whole
    if first:
        completions = session.execute_all(asked.steps[:first])
        keypad.forget(completions[-1])
        asked.check_played(completions)
    keyed, ended_by = keypad.take(asked.most, asked.terminator)
    said = len(asked.steps) - 1
    if not keyed and not ended_by and said > first:
        if keypad.secret:
            session.execute_all(asked.steps[first:said])
        else:
            play_until_a_key(list(zip(asked.prompts[first:said], asked.steps[first:said], strict=True)))
            keyed, ended_by = keypad.take(asked.most, asked.terminator)
    if ended_by or len(keyed) == asked.most:
        return keyed, ended_by
    rest = asked.rest(keyed) if keyed else asked
    collected, ended_by = rest.once(session, rest.steps[-1:])
    completion = session.channel
    if completion is not None and not ended_by:
        ended_by = completion.get("variable_read_terminator_used") or ""
    keypad.settle(completion, collected + ended_by)
    more, ended_by = keypad.take(rest.most, asked.terminator)
    return keyed + more, ended_by


@contextmanager
def in_secret(session: Session, keypad: Keypad | None, variable: str) -> Iterator[None]:
    """A ``with`` block after which nobody knows what was keyed in it.

    While ``sensitive_dtmf`` is true, the switch tells no event, log or record of keys
    (switch_channel.c, switch_channel_queue_dtmf and switch_channel_dequeue_dtmf).
    """
    if keypad is not None:
        keypad.forget()  # what was keyed before it has been told, and is no secret
    session.post("uuid_setvar_multi", f"{session.uuid} sensitive_dtmf=true")
    if keypad is not None:
        keypad.secret = True
    try:
        session.execute("flush_dtmf")
        try:
            yield
        finally:
            if not session.over:  # what is left of a secret must not answer the next question
                session.execute("flush_dtmf")
    finally:
        session.post("uuid_setvar_multi", f"{session.uuid} {variable}=;sensitive_dtmf=;read_terminator_used=")
        try:
            if not session.over:
                session.refresh()
        finally:
            if keypad is not None:
                keypad.secret = False
