"""The switch: reached, new enough, with what the verbs need and room for the calls."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, warning
from fsivr.doctor.site import Site, profiles
from fsivr.errors import AuthenticationError, CommandRefused, ESLError

#: The modules that are needed, and what needs each; as in freeswitch/autoload_configs/modules.conf.xml.
NEEDED = {
    "mod_event_socket": "calls reach fsivr by it",
    "mod_sofia": "calls come by SIP",
    "mod_dialplan_xml": "the dialplan sends calls to fsivr",
    "mod_commands": "every verb",
    "mod_dptools": "every verb",
    "mod_sndfile": "prompts and recordings",
    "mod_tone_stream": "tones and silence",
}
#: Those that one verb needs.
WANTED = {
    "mod_console": "the console",
    "mod_logfile": "the switch's log",
    "mod_db": "limits of the dialplan",
    "mod_hash": "limits of the dialplan",
    "mod_loopback": "calls from one handler to another",
    "mod_native_file": "prompts in the format of the codec",
    "mod_local_stream": "music",
    "mod_conference": "call.conference",
    "mod_fifo": "call.queue",
    "mod_callcenter": "call.queue with agents",
    "mod_valet_parking": "call.park",
    "mod_avmd": "call.detect_machine",
}
_OLDEST = (1, 10)
_CODECS = {"PCMA": "G.711 alaw", "PCMU": "G.711 ulaw"}
# Each port is a call, which may be bridged to a second leg.
_LEGS = 2
_CONFIGURE = "fs_cli -x 'load {module}'; add it to modules.conf.xml"


def _reachable(site: Site) -> Iterator[Told]:
    address = site.settings.switch_address
    try:
        site.switch.api("status")
    except AuthenticationError as failure:
        yield error(str(failure), "set switch_password to that of event_socket.conf.xml; see its apply-inbound-acl")
    except CommandRefused:
        yield ok(f"it answers on {address}")
    except ESLError as failure:
        yield error(str(failure), "systemctl status freeswitch; set switch_address and switch_password")
    else:
        yield ok(f"it answers on {address}")


def _version(site: Site) -> Iterator[Told]:
    said = site.ask("version", "short")
    found = re.match(r"(\d+)\.(\d+)", said)
    if found is None:
        raise NotLookedAt(f"the switch calls its version {said[:80]!r}")
    if (int(found[1]), int(found[2])) < _OLDEST:
        yield error(f"FreeSWITCH {said} is older than 1.10", "apt-get install freeswitch")
    else:
        yield ok(f"FreeSWITCH {said}")


def _modules(site: Site) -> Iterator[Told]:
    language = site.settings.language[:2].lower()
    wanted = {**WANTED, f"mod_say_{language}": f"Say in {language}"}
    missing = 0
    for module, what in {**NEEDED, **wanted}.items():
        if site.ask("module_exists", module) != "true":
            missing += 1
            tell = error if module in NEEDED else warning
            yield tell(f"{module} is not loaded: {what}", _CONFIGURE.format(module=module))
    if not missing:
        yield ok(f"{len(NEEDED) + len(wanted)} modules that verbs need are loaded")


def _codecs(site: Site) -> Iterator[Told]:
    known = site.ask("show", "codec")
    for codec, name in _CODECS.items():
        if name not in known:
            yield error(f"it has no {codec}", _CONFIGURE.format(module="CORE_PCM_MODULE"))
    for name, values in profiles(site):
        listed = values.get("inbound-codec-prefs") or values.get("codec-prefs") or ""
        words = [each.partition("@")[0].upper() for each in listed.split(",") if each]
        if not set(words) & set(_CODECS):
            yield error(f"profile {name} takes {listed or 'no codec'}, and not G.711", "inbound-codec-prefs PCMA,PCMU")
        elif words[0] not in _CODECS:
            yield note(f"profile {name} takes {words[0]} first", "inbound-codec-prefs PCMA,PCMU costs the least")
        else:
            yield ok(f"profile {name} takes {listed}")


def _sessions(site: Site) -> Iterator[Told]:
    most = _in_status(site, r"(\d+) session\(s\) max")
    said = f"it has room for {most} sessions; {site.ports} ports have up to {_LEGS * site.ports} legs"
    mend = f"fsivr_max_sessions={_LEGS * site.ports} in freeswitch/local/vars.xml; fs_cli -x 'fsctl max_sessions N'"
    if most < site.ports:
        yield error(said, mend)
    else:
        yield warning(said, mend) if most < _LEGS * site.ports else ok(said)


def _rate(site: Site) -> Iterator[Told]:
    most = _in_status(site, r"session\(s\) per Sec out of max (\d+)")
    # All ports within twelve seconds, which is what a campaign or an hour's end brings.
    wanted = max(10, site.ports // 12)
    said = f"it takes {most} sessions a second; {site.ports} ports ask for {wanted}"
    mend = f"sessions-per-second {wanted} in switch.conf.xml; fs_cli -x 'fsctl sps {wanted}'"
    yield warning(said, mend) if most < wanted else ok(said)


def _in_status(site: Site, pattern: str) -> int:
    found = re.search(pattern, site.ask("status"))
    if found is None:
        raise NotLookedAt("the switch's status does not tell it")
    return int(found[1])


def _here(site: Site) -> Iterator[Told]:
    name = site.ask("hostname")
    if name == socket.gethostname():
        yield ok(f"it runs on this machine, {name}")
    elif site.switch_is_here:
        yield note(
            f"it is reached at {site.settings.switch_address}, and calls its machine {name[:80]}",
            "see that recordings_path and prompts_path are the same folders on both",
        )
    else:
        yield note(
            f"it runs on {name[:80]}, another machine",
            "mount recordings_path and prompts_path on both, under the same name",
        )


AREA = "switch"
CHECKS = (
    Check(AREA, "reachable", _reachable, "without it no call is placed, and calls that vanish are not noticed"),
    Check(AREA, "version", _version, "older ones lack what the verbs use"),
    Check(AREA, "modules", _modules, "a verb whose module is missing fails the call"),
    Check(AREA, "codecs", _codecs, "carriers deliver G.711: others are refused or cost processor time"),
    Check(AREA, "sessions", _sessions, "past its limit the switch refuses calls, however many ports are free"),
    Check(AREA, "rate", _rate, "past its limit the switch refuses calls that come in one moment"),
    Check(AREA, "machine", _here, "the switch writes the recordings, and fsivr reads them"),
)
