"""The dialplan as FreeSWITCH's XML: what sends calls to the extensions of a table, and what is stale in a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from fsivr.dialplan import Dialplan, Extension
from fsivr.errors import ConfigError

#: Where a call goes that no server takes, or that its server left: ``freeswitch/dialplan/fallback.xml``.
FALLBACK = "fallback XML fsivr"

_MADE_BY = "Made by 'fsivr dialplan': not to be edited, but to be made again."


def as_xml(dialplan: Dialplan, servers: Sequence[str], *, context: str = "public", made_of: str = "") -> str:
    """The XML of FreeSWITCH's dialplan that has each number call the servers, the first that answers.

    :param servers: HOST:PORT of each server, in the order in which they are tried (FACTS 5.4).
    :param context: that of extensions which name none.
    :param made_of: what the dialplan is called, for whoever reads the file.
    :raises ConfigError: no server, or an extension that the switch would understand otherwise.
    """
    if not servers:
        raise ConfigError("a dialplan of the switch names at least one server, as 127.0.0.1:8084")
    lines = ["<include>", f"  <!-- {_comment(_MADE_BY + (f' Of {made_of}.' if made_of else ''))} -->"]
    for name in _contexts(dialplan, context):
        lines.append(f"  <context name={quoteattr(name)}>")
        for extension in dialplan:
            if extension.context in (None, name):
                lines += _extension(extension, servers)
        lines.append("  </context>")
    return "\n".join([*lines, "</include>", ""])


def stale(text: str, wanted: str) -> list[str]:
    """What of a file is not as it would be made now, in words; nothing where it is the same.

    :param text: the file.
    :param wanted: what ``as_xml`` gives.
    :raises ConfigError: the file is no XML.
    """
    there, now = _parsed(text), _parsed(wanted)
    told = []
    for context, name in {**there, **now}:
        where = f"extension {name!r} of context {context!r}"
        if (context, name) not in there:
            told.append(f"{where} is missing")
        elif (context, name) not in now:
            told.append(f"{where} is no longer in the dialplan")
        elif there[context, name] != now[context, name]:
            told.append(f"{where} has changed")
    if not told and list(there) != list(now):
        told.append("the order of the extensions has changed, and the first that matches answers")
    return told


def _contexts(dialplan: Dialplan, default: str) -> Iterable[str]:
    """The contexts in the order in which they are met, each once."""
    return dict.fromkeys([default, *(each.context for each in dialplan if each.context is not None)])


def _extension(extension: Extension, servers: Sequence[str]) -> list[str]:
    if "${" in extension.number or "\n" in extension.number:
        raise ConfigError(f"the switch would understand the number {extension.number!r} otherwise: it expands ${{…}}")
    path = f"/{extension.path}" if extension.path else ""
    hosts = "|".join(f"{server}{path}" for server in servers)
    handler = extension.handler
    name = f"{extension.number} {handler.__module__}.{handler.__qualname__}{path}"
    return [
        f"    <extension name={quoteattr(name)}>",
        # The whole number must match, as in fsivr.
        f'      <condition field="destination_number" expression={quoteattr(f"^(?:{extension.number})$")}>',
        # A server that dies leaves the caller to the next action, not to silence.
        '        <action application="set" data="socket_resume=true"/>',
        f'        <action application="socket" data={quoteattr(f"{hosts} async full")}/>',
        f'        <action application="transfer" data="{FALLBACK}"/>',
        "      </condition>",
        "    </extension>",
    ]


def _comment(text: str) -> str:
    return text.replace("--", "- -")


def _parsed(text: str) -> dict[tuple[str, str], str]:
    """Each extension by its context and name, in order."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ConfigError(f"it is no XML: {error}") from None
    return {
        (context.get("name", ""), extension.get("name", "")): _canonical(extension)
        for context in root.iter("context")
        for extension in context.iter("extension")
    }


def _canonical(extension: ElementTree.Element) -> str:
    return ElementTree.canonicalize(ElementTree.tostring(extension, encoding="unicode"), strip_text=True)
