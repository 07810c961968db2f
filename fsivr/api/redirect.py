"""Plain HTTP, answered with the way to TLS, and to nowhere else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import quote

_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}]|[a-z0-9.-]{1,253})(?::[0-9]{1,5})?", re.ASCII)
_QUERY = re.compile(r"[!-~]*", re.ASCII)
_Answer = Callable[[str, list[tuple[str, str]]], Any]


def redirecting(names: Sequence[str], port: int, usual: str) -> Callable[[dict[str, Any], _Answer], Iterable[bytes]]:
    """A WSGI application that answers 308 with the same address over TLS.

    The host is the one that was asked for only where the certificate is for it, so that nobody can make a
    link to us that leads to himself.

    :param names: those of the certificate.
    :param port: of the API's TLS.
    :param usual: the host where the one that was asked for is none of ours.
    """
    place = "" if port == 443 else f":{port}"

    def application(environ: dict[str, Any], answer: _Answer) -> Iterable[bytes]:
        asked = _HOST.fullmatch(str(environ.get("HTTP_HOST", "")).lower())
        host = asked[1].strip("[]") if asked is not None else ""
        host = host if any(_is_for(name.lower(), host) for name in names) else usual
        path = quote(str(environ.get("PATH_INFO", "/")).encode("latin-1", "replace"), safe="/:@!$&'()*+,;=-._~")
        query = str(environ.get("QUERY_STRING", ""))
        query = f"?{query}" if query and _QUERY.fullmatch(query) else ""
        where = f"https://{_written(host)}{place}/{path.lstrip('/')}{query}"
        answer("308 Permanent Redirect", [("Location", where), ("Content-Length", "0"), ("Connection", "close")])
        return []

    return application


def _is_for(name: str, host: str) -> bool:
    """Whether a certificate's name is that of a host; a star stands for its first part."""
    if name.startswith("*."):
        first, _, rest = host.partition(".")
        return bool(first) and rest == name[2:]
    return name == host


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host
