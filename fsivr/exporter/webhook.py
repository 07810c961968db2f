"""Webhook: an address that is told how an export ended."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

#: The header of the signature: ``t=SECONDS,v1=HEX``, an HMAC-SHA256 of ``SECONDS.BODY`` by the secret.
SIGNATURE = "X-Fsivr-Signature"
_TRIES = 3
_TIMEOUT = 10.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A report goes nowhere but where it was told to."""

    def redirect_request(self, *args: Any, **options: Any) -> None:
        return None


def signature(secret: str, body: bytes, at: int) -> str:
    """What the header of a signed report says.

    :param at: seconds since 1970; a receiver refuses what is old, so that nobody can send it again.
    """
    digest = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def tell(
    address: str, report: dict[str, Any], *, secret: str = "", sleep: Callable[[float], object] = time.sleep
) -> str:
    """What kept the address from being told; "" where it was.

    :param secret: what the report is signed with; "" leaves it unsigned.
    """
    body = json.dumps(report).encode()
    said = ""
    for number in range(_TRIES):
        if number:
            sleep(2.0**number)
        try:
            with _opener.open(_request(address, body, secret), timeout=_TIMEOUT):
                return ""
        except urllib.error.HTTPError as error:
            said = f"it answers {error.code}"
            if error.code < 500 and error.code != 429:
                break
        except (OSError, ValueError) as error:
            said = str(getattr(error, "reason", error)) or type(error).__name__
    return f"the webhook could not be told: {said}"


def _request(address: str, body: bytes, secret: str) -> urllib.request.Request:
    headers = {"Content-Type": "application/json", "User-Agent": "fsivr"}
    if secret:
        headers[SIGNATURE] = signature(secret, body, int(time.time()))
    return urllib.request.Request(address, data=body, headers=headers, method="POST")


_opener = urllib.request.build_opener(_NoRedirect)
