"""What the tests of the verbs share: hostile text, and handlers made of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fsivr import (
    Call,
    Handler,
    NoInput,
    NoMatch,
)
from tests.esl.peer import OK, Peer, complete
from tests.esl.switch_rules import Packet

Open = Callable[..., tuple[Call, Peer]]

#: Text as a caller, a database or a mistake may hold it.
HOSTILE = [
    "a\rb", "a\nb", "a\0b", "a\r\n\r\napi system id", "a\n\nexit", "${system(id)}", "$${base_dir}", "\\${x}", "${x",
    "it's", 'say "hi"', "a,b", "a!b", "a|b", "a b", " a", "a ", "%0a", "%0AEvent-Name: X", "%41", "{x=y}a", "[x=y]a",
    "<x=y>a", "a;b=c", "^^:a:b", "a:_:b", "a&b", "`id`", "\\n", "\\", "é", "\N{PILE OF POO}", "a\u2028b", "a\x85b",
    "\ud800", "x" * 70_000, "é" * 35_000,
]  # fmt: skip

IDS = [ascii(text[:16]) for text in HOSTILE]


def argument(packet: Packet) -> str:
    return packet.body if packet.body is not None else packet.get("execute-app-arg") or ""


# -- what the verbs do, in a call ------------------------------------------------------------------


def in_call(run: Callable[[Call], Any]) -> type[Handler]:
    return type("InCall", (Handler,), {"run": lambda self, call: run(call)})


def answers_of(switch: Any, run: Callable[[Call], Any], dial: Callable[[Any], Any]) -> list[Any]:
    """What a handler's question came to: its value, or the error."""
    got: list[Any] = []

    def asks(call: Call) -> None:
        call.answer()
        try:
            got.append(run(call))
        except (NoInput, NoMatch) as error:
            got.append(error)

    with switch.call(handler=in_call(asks)) as caller:
        dial(caller)
        caller.join()
    return got


def plays(peer: Peer, packet: Packet) -> Any:
    if packet.get("execute-app-name") == "play_and_get_digits":
        return OK + complete(packet, "_none_", {"variable_fsivr_digits": "1234"})
    return OK + complete(packet) if packet.get("execute-app-name") else NotImplemented
