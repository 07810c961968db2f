"""The switch's doors: who gets to its event socket, and who may call."""

from __future__ import annotations

from collections.abc import Iterator

from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, warning
from fsivr.doctor.site import Site, parameters, profiles, true

_DEFAULTS = {"ClueCon": "the one that FreeSWITCH comes with", "change-me-in-local": "the one of the repository"}
_SHORTEST = 12
_SET = "fsivr_event_socket_password in freeswitch/local/vars.xml, and switch_password in the settings"
# Addresses that no carrier has (RFC 5737, RFC 3849).
_STRANGERS = ("192.0.2.77", "198.51.100.77", "203.0.113.77")


def _password(site: Site) -> Iterator[Told]:
    # By what the switch was configured with, where it tells; the one that we know got us in.
    try:
        given = parameters(site.configuration("event_socket.conf")).get("password", "ClueCon")
    except NotLookedAt:
        site.ask("status")
        given = site.settings.switch_password
    if given in _DEFAULTS:
        yield error(f"it is {_DEFAULTS[given]}, which everybody knows", f"{_SET}: openssl rand -hex 24")
    elif len(given) < _SHORTEST:
        yield warning(f"it has {len(given)} characters, which can be guessed", f"{_SET}: openssl rand -hex 24")
    else:
        yield ok("it is none that is known")


def _access(site: Site) -> Iterator[Told]:
    values = parameters(site.configuration("event_socket.conf"))
    host = values.get("listen-ip", "::")
    acl = values.get("apply-inbound-acl")
    mend = "apply-inbound-acl loopback.auto in event_socket.conf.xml; fs_cli -x 'reload mod_event_socket'"
    if acl is None:
        # mod_event_socket.c, config: without one it takes loopback.auto itself.
        yield note(f"it has none of its own on {host}; the switch takes loopback.auto then", mend)
        return
    let_in = _strangers(site, acl)
    if let_in:
        yield error(f"the access list {acl} of the event socket lets in {let_in}, a stranger", mend)
    else:
        yield ok(f"the access list {acl} guards the event socket on {host}")


def _strangers(site: Site, acl: str) -> str:
    """A stranger that access lists let in, each of them; "" for none."""

    def passes(address: str) -> bool:
        return all(site.ask("acl", f"{address} {name}") == "true" for name in acl.split())

    return next((each for each in _STRANGERS if passes(each)), "")


def _callers(site: Site) -> Iterator[Told]:
    found = False
    for name, values in profiles(site):
        found = True
        acl = _of_profile(values.get("apply-inbound-acl", ""))
        if acl is not None and (let_in := _strangers(site, acl)):
            yield error(f"the access list {acl} of profile {name} lets in {let_in}, a stranger", _list(acl))
        elif acl is None and not true(values.get("auth-calls", "false")):
            yield error(
                f"profile {name} lets in anybody", "apply-inbound-acl trunks, auth-calls true; sofia profile restart"
            )
        elif acl is not None and not _named(site, acl):
            yield warning(
                f"the access list {acl} of profile {name} names nobody: no carrier's call comes in", _list(acl)
            )
        else:
            yield ok(f"profile {name} lets in who is on {acl or 'no list, with a password alone'}")
    if not found:
        yield error("the switch has no SIP profile", "freeswitch/sip_profiles/trunks.xml; fs_cli -x 'reload mod_sofia'")


def _of_profile(given: str) -> str | None:
    """The access lists of a SIP profile; None for none.

    Each is LIST or LIST:CONTEXT, and ``none`` undoes those before it (sofia.c).
    """
    found: list[str] = []
    for word in given.split():
        found = [] if word.lower() == "none" else [*found, word.partition(":")[0]]
    return " ".join(found) or None


def _list(acl: str) -> str:
    return f"the carriers' addresses, and no others, for {acl} in freeswitch/local/acl/; fs_cli -x reloadacl"


def _named(site: Site, acl: str) -> bool:
    """Whether each of access lists has somebody on it; one that there is not has nobody."""
    lists = {each.get("name"): each for each in site.configuration("acl.conf").iter("list")}
    for name in acl.split():
        own = lists.get(name)
        if own is None:
            # Those that the switch makes itself, as localnet.auto, stand in no file (switch_core.c).
            if not name.endswith(".auto"):
                return False
        elif own.get("default") != "allow" and own.find("node") is None:
            return False
    return True


AREA = "access"
CHECKS = (
    Check(AREA, "password", _password, "whoever knows it, and reaches the port, can run commands as the switch"),
    Check(AREA, "event-socket", _access, "an access list keeps others out whatever password they know"),
    Check(
        AREA, "callers", _callers, "strangers who may call place calls at your cost; carriers who may not cannot call"
    ),
)
