"""The switch's dialplan: that it sends each number of the applications to this server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from fsivr.dialplan import Dialplan, load_dialplan
from fsivr.dialplan_xml import as_xml, stale
from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, warning
from fsivr.doctor.site import Site
from fsivr.errors import ConfigError

_MOST_TOLD = 10
_FOREIGN = "is no longer in the dialplan"
_MAKE = "fsivr dialplan > freeswitch/dialplan/apps.xml; fs_cli -x reloadxml"
_CONTEXT = "public"


def _file(site: Site) -> Iterator[Told]:
    if site.dialplan_file is None:
        raise NotLookedAt("no file is given: --dialplan-file")
    try:
        text = Path(site.dialplan_file).read_text()
        yield from _compared(site, text, site.dialplan_file)
    except (OSError, UnicodeDecodeError) as failure:
        why = getattr(failure, "strerror", None) or "it is no text in UTF-8"
        yield error(f"{site.dialplan_file} cannot be read: {why}", f"ls -l {site.dialplan_file}")
    except ConfigError as failure:
        yield error(f"{site.dialplan_file}: {failure}", _MAKE)


def _live(site: Site) -> Iterator[Told]:
    """What the switch goes by now, which an edited file is not until it is read again."""
    contexts = dict.fromkeys([_CONTEXT, *(each.context for each in _table(site) if each.context is not None)])
    parts = []
    for context in contexts:
        try:
            parts.append(ElementTree.tostring(site.located(f"dialplan context name {context}"), encoding="unicode"))
        except NotLookedAt as failure:
            site.ask("status")  # raises where the switch itself is away
            yield error(f"context {context}: {failure}", _MAKE)
    if parts:
        yield from _compared(site, f"<include>{''.join(parts)}</include>", "what the switch has loaded")


def _table(site: Site) -> Dialplan:
    try:
        return load_dialplan(site.settings.dialplan)
    except ConfigError:
        raise NotLookedAt("the dialplan cannot be loaded: see settings.dialplan") from None


def _compared(site: Site, text: str, where: str) -> Iterator[Told]:
    servers = _servers(text)
    if not servers:
        yield error(f"{where} sends no call to a server of fsivr", _MAKE)
        return
    settings = site.settings
    ours = settings.socket_address or settings.listen
    if ours not in servers:
        yield note(
            f"{where} sends calls to {', '.join(servers)}, and not to {ours}", "fsivr dialplan --server HOST:PORT …"
        )
    told = stale(text, as_xml(_table(site), servers))
    wrong = [line for line in told if _FOREIGN not in line]
    for line in wrong[:_MOST_TOLD]:
        yield warning(f"{where}: {line}", _MAKE)
    if len(wrong) > _MOST_TOLD:
        yield warning(f"{where}: {len(wrong) - _MOST_TOLD} more are stale", _MAKE)
    if others := len(told) - len(wrong):
        yield note(f"{where} has {others} extensions that are not the applications'", _MAKE)
    if not wrong:
        yield ok(f"{where} sends each number to {', '.join(servers)}")


def _servers(text: str) -> tuple[str, ...]:
    """The servers that the first ``socket`` of a dialplan names, without the paths of extensions."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as failure:
        raise ConfigError(f"it is no XML: {failure}") from None
    for action in root.iter("action"):
        if action.get("application") == "socket":
            hosts = action.get("data", "").partition(" ")[0].split("|")
            return tuple(dict.fromkeys(re.sub(r"/.*", "", each) for each in hosts if each))
    return ()


AREA = "dialplan"
CHECKS = (
    Check(AREA, "file", _file, "a number that the switch does not send here is not answered by its handler"),
    Check(AREA, "switch", _live, "the switch goes by what it has loaded, not by the file that was edited since"),
)
