"""What it means that an FTP server refused, or that its connection failed, and what to do about it."""

from __future__ import annotations

import re
import ssl

from fsivr.errors import ExportError, PermanentError, TransientError
from fsivr.exporter.partial import plain

_SAYS_FULL = re.compile(r"no space|disk full|\bfull\b|quota|exceeded|no free|insufficient", re.IGNORECASE)
_NO_TLS = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE", "WRONG_VERSION_NUMBER")
_SAYS_DENIED = re.compile(r"denied|not permitted|not allowed|privilege|read-?only", re.IGNORECASE)


def sorted_out(answer: str, what: str) -> ExportError:
    """The error to raise for an answer of 4xx or 5xx: permanent where it stays so until somebody mends it.

    The codes are of RFC 959, section 4.2.1, and RFC 4217; what they mean differs from server to server, so
    its words are looked at too.
    """
    code, said = answer[:3], plain(answer)
    if code in ("452", "552") or _SAYS_FULL.search(answer):
        return PermanentError(f"{what}: its disk or the user's quota is full ({said}); make room there")
    if code in ("430", "530", "532"):
        return PermanentError(f"{what}: it does not let us in ({said}); see that the user and the password are right")
    if code.startswith("4"):
        return TransientError(f"{what}: {said}")
    if code == "550" and not _SAYS_DENIED.search(answer):
        return PermanentError(f"{what}: there is no such file or folder, or no right to it ({said})")
    if code in ("550", "553"):
        return PermanentError(f"{what}: permission denied ({said}); give that user the right to it on the server")
    return PermanentError(f"{what}: {said}")


def broken(error: Exception, what: str, said: str) -> ExportError:
    """The error to raise for a connection that failed: permanent where TLS found the server to be another."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return PermanentError(
            f"{what}, shows a certificate that is not good: {plain(error.verify_message)}. Either it was not renewed, "
            "it is for another name than the host that is set, its authority is not in the ca that is set, or it is "
            "not that server. Nothing was sent to it"
        )
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return PermanentError(f"{what}, has no TLS 1.2 or later ({plain(error.reason)}): have it set up there")
    return TransientError(f"{what}, broke off: {said or type(error).__name__}")
