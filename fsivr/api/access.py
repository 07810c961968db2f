"""Who may do what: API keys, their roles, and those who need none."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from hashlib import blake2b
from inspect import cleandoc
from ipaddress import IPv6Address, ip_address
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue

from fsivr.api.errors import Problem
from fsivr.api.limits import Buckets
from fsivr.store import Keys, Role
from fsivr.store.keys import Holder

#: Seconds for which a key that was proved is not asked after again: as long as one that is revoked may still be used.
TRUSTED = 5.0
#: Wrong keys a second, and at once, that one address may try.
WRONG_RATE, WRONG_BURST = 1.0, 10.0
#: Who it is that connects from this machine without a key, where that is allowed.
LOOPBACK = Holder("loopback", "loopback", Role.ADMIN)

#: The security of OpenAPI.
SCHEME = {"type": "http", "scheme": "bearer", "description": "An API key: `fsivr_...`"}

_MOST_KEYS = 1000
_ROLE = "__fsivr_role__"
_F = TypeVar("_F", bound=Callable[..., Any])


def needs(role: Role) -> Callable[[_F], _F]:
    """Marks a view as one that only holders of this role, or of a higher one, may use."""

    def mark(function: _F) -> _F:
        @wraps(function)
        def marked(*arguments: Any, **named: Any) -> Any:
            return function(*arguments, **named)

        documented = deepcopy(getattr(function, "_apidoc", {}))
        manual = documented.setdefault("manual_doc", {})
        manual["security"] = [{"key": []}]
        manual["x-role"] = role.name.lower()
        told = cleandoc(function.__doc__ or "").partition("\n\n")[2].partition("\n:")[0].strip()
        manual["description"] = f"{told}\n\nNeeds the role `{role.name.lower()}`.".strip()
        marked._apidoc = documented  # type: ignore[attr-defined]
        setattr(marked, _ROLE, role)
        return cast(_F, marked)

    return mark


def public(function: _F) -> _F:
    """Marks a view as one that nobody needs a key for."""
    setattr(function, _ROLE, None)
    return function


def holder() -> Holder:
    """Who makes the current request: ``name`` for the audit, and ``role``.

    :raises RuntimeError: the view is a public one.
    """
    found: Holder | None = g.get("holder")
    if found is None:
        raise RuntimeError("nobody in particular makes this request: its view is public")
    return found


def check_all_are_marked(app: Flask) -> None:
    """Make sure that no view was left without saying who may use it.

    :raises RuntimeError: one was.
    """
    for rule in app.url_map.iter_rules():
        for method in rule.methods or ():
            view = _view(app, rule.endpoint, method)
            if not hasattr(view, _ROLE):
                raise RuntimeError(f"{method} {rule.rule} says of nobody that he may use it: needs(Role...) or public")


class Gate:
    """Lets in who may come in; called before each request.

    :param keys: the store's.
    :param rate: requests a second of each key.
    :param open_on_loopback: whether who connects from this machine needs no key.
    :param clock: seconds of a clock that never goes back.
    """

    def __init__(
        self, keys: Keys, rate: float, *, open_on_loopback: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = keys
        self._open = open_on_loopback
        self._clock = clock
        self._requests = Buckets(rate, 2 * rate, clock, most=_MOST_KEYS)
        self._wrong = Buckets(WRONG_RATE, WRONG_BURST, clock)
        self._trusted: OrderedDict[bytes, tuple[Holder, float]] = OrderedDict()

    def __call__(self) -> ResponseReturnValue | None:
        """Nothing, where the current request may go on.

        :raises Problem: it may not.
        """
        if request.url_rule is None:
            return None  # there is nothing to keep from anybody
        role: Role | None = getattr(_view(current_app, request.url_rule.endpoint, request.method), _ROLE)
        if role is None:
            return None
        who = self._who()
        self._slow_down(self._requests.take(who.id), "this key makes more requests than the setting api_rate allows")
        if who.role < role:
            need, has = role.name.lower(), who.role.name.lower()
            raise Problem(403, f"this needs the role {need}, and the key's is {has}", details={"role": need})
        g.holder = who
        return None

    def _who(self) -> Holder:
        given = request.headers.getlist("Authorization")
        if not given and self._open and _is_loopback(request.remote_addr):
            _refuse_other_sites()
            return LOOPBACK
        if not given:
            raise _unauthorized("an API key is needed: Authorization: Bearer fsivr_...")
        scheme, _, key = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer" or len(key) > 200:
            raise _unauthorized("the header Authorization is to be: Bearer fsivr_...")
        return self._held(key.strip(" "))

    def _held(self, key: str) -> Holder:
        digest, now = blake2b(key.encode("utf-8", "surrogateescape"), digest_size=32).digest(), self._clock()
        found = self._trusted.get(digest)
        if found is not None and now < found[1]:
            return found[0]
        self._trusted.pop(digest, None)
        address = _network(request.remote_addr)
        # Looked at before the database is asked, so that nobody can keep that busy with what is no key.
        self._slow_down(self._wrong.wait(address), "too many wrong keys came from this address")
        who = self._keys.verify(key)
        if who is None:
            self._wrong.take(address)
            raise _unauthorized("this is no API key, or it was revoked")
        self._trusted[digest] = (who, now + TRUSTED)
        while len(self._trusted) > _MOST_KEYS:
            self._trusted.popitem(last=False)
        return who

    def _slow_down(self, seconds: float, why: str) -> None:
        if seconds > 0:
            raise Problem(429, why, headers={"Retry-After": str(max(1, math.ceil(seconds)))})


def _view(app: Flask, endpoint: str, method: str) -> Any:
    function: Any = app.view_functions[endpoint]
    view_class = getattr(function, "view_class", None)
    if view_class is None:
        return function
    found = getattr(view_class, method.lower(), None)
    return getattr(view_class, "get", None) if found is None and method == "HEAD" else found


def _unauthorized(message: str) -> Problem:
    return Problem(401, message, headers={"WWW-Authenticate": 'Bearer realm="fsivr"'})


def _is_loopback(peer: str | None) -> bool:
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _network(peer: str | None) -> str:
    """What counts as one address: of IPv6 everybody has 2^64."""
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(int(address) >> 64)
    return str(address)


def _refuse_other_sites() -> None:
    """Keep out what a page of another site has a browser of this machine ask.

    A name of that site's may lead to this machine (DNS rebinding), which the header Host tells.

    :raises Problem: the request is, or may be, such a one.
    """
    try:
        host = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
    except ValueError:
        host = ""
    if host != "localhost" and not _is_loopback(host):
        raise Problem(403, "without a key the header Host is to be a name of this machine", code="other_site")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.headers.get('Host', '')}":
        raise Problem(403, "without a key no page of another site may ask", code="other_site")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise Problem(403, "without a key no page of another site may ask", code="other_site")
