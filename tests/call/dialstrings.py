"""How FreeSWITCH reads a dial string: the rules of switch_ivr_originate.c, read independently of what writes them."""

from __future__ import annotations

from tests.esl.switch_rules import expansions, separate

_QUOTED, _UNQUOTED = "\x01", "\x02"  # what commas within [] become before the endpoints are separated


def read(text: str) -> list[tuple[str, dict[str, str]]]:
    """Each endpoint that is called, with the variables its leg gets.

    :raises AssertionError: an application's argument that would be expanded, or a dial
        string that FreeSWITCH refuses or takes for several.
    """
    assert not expansions(text), "it is expanded"
    assert ":_:" not in text, "it is several dial strings"
    shared: dict[str, str] = {}
    text = text.lstrip(" ")
    for opening, closing in ("<>", "{}"):
        while text.startswith(opening):
            inside, text = _brackets(text, opening, closing)
            shared |= _variables(inside, ",")
    legs = []
    for alternative in separate(text.lstrip(" "), "|", 128):
        for endpoint in separate(_hide_commas(alternative), ",", 128):
            own: dict[str, str] = {}
            endpoint = endpoint.lstrip(" ")
            while endpoint.startswith("["):
                inside, endpoint = _brackets(endpoint, "[", "]")
                own |= _variables(inside.replace(_QUOTED, ","), _UNQUOTED)
            assert _QUOTED not in endpoint
            assert _UNQUOTED not in endpoint
            legs.append((endpoint.lstrip(" "), shared | own))
    return legs


def _brackets(text: str, opening: str, closing: str) -> tuple[str, str]:
    """What is within the brackets, which count whether quoted or not, and the rest."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == opening) - (char == closing)
        if not depth:
            return text[1:at], text[at + 1 :]
    raise AssertionError(f"it is refused: {opening} without {closing}")


def _variables(text: str, separator: str) -> dict[str, str]:
    if text.startswith("^^"):
        separator, text = text[2], text[3:]
    pairs = [separate(part, "=", 2) for part in separate(text, separator, 1024)]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[1]}


def _hide_commas(text: str) -> str:
    out, end, quoted, other = "", -1, False, False
    for at, char in enumerate(text):
        if end < 0 and char == "[":
            inside, _ = _brackets(text[at:], "[", "]")
            end, quoted, other = at + len(inside) + 1, False, inside.startswith("^^")
        quoted ^= char == "'"
        if char == "," and at < end and text[at - 1] != "\\":
            char = _QUOTED if quoted or other else _UNQUOTED
        end = -1 if at == end else end
        out += char
    return out
