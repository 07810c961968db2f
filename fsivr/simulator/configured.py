"""What the simulated switch tells of its configuration (mod_commands.c), which a test may write."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsivr.simulator.switch import Switch

#: Its configuration where a test writes no other: by the last word of ``xml_locate``.
CONFIGURATION = {
    "event_socket.conf": '<configuration name="event_socket.conf"><settings>'
    '<param name="listen-ip" value="127.0.0.1"/><param name="password" value="a-password-of-its-own"/>'
    '<param name="apply-inbound-acl" value="loopback.auto"/></settings></configuration>',
    "sofia.conf": '<configuration name="sofia.conf"><profiles><profile name="trunks"><settings>'
    '<param name="sip-port" value="5060"/><param name="apply-inbound-acl" value="trunks"/>'
    '<param name="auth-calls" value="true"/><param name="inbound-codec-prefs" value="PCMA,PCMU"/>'
    '<param name="tls" value="false"/></settings></profile></profiles></configuration>',
    "switch.conf": '<configuration name="switch.conf"><settings><param name="rtp-start-port" value="10000"/>'
    '<param name="rtp-end-port" value="20000"/></settings></configuration>',
    "acl.conf": '<configuration name="acl.conf"><network-lists><list name="trunks" default="deny">'
    '<node type="allow" cidr="127.0.0.1/32"/></list></network-lists></configuration>',
}
_CODECS = "type,name,ikey\ncodec,G.711 alaw,CORE_PCM_MODULE\ncodec,G.711 ulaw,CORE_PCM_MODULE\n\n2 total.\n"


def show(switch: Switch, argument: str) -> str:
    """The API command ``show``: of codecs, or how many calls there are."""
    return _CODECS if argument.startswith("codec") else f"\n{len(switch.channels)} total.\n"


def _xml_locate(switch: Switch, argument: str) -> str:
    return switch.configuration.get(argument.rpartition(" ")[2], "can't find anything\n")


def _file_exists(switch: Switch, argument: str) -> str:
    return "true" if argument and os.path.exists(switch.root + argument) else "false"


def _acl(switch: Switch, argument: str) -> str:
    address, _, name = argument.partition(" ")
    return "true" if address.startswith("127.") or name in switch.open_lists else "false"


API: dict[str, Callable[[Switch, str], str]] = {
    "xml_locate": _xml_locate,
    "file_exists": _file_exists,
    "acl": _acl,
    "say_string": lambda switch, argument: "file_string://digits/5.wav",
}
