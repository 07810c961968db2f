"""authenticate: how we prove to an SSH server who we are, with private keys, an agent, a password."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko

from fsivr.errors import PermanentError, TransientError
from fsivr.exporter.partial import plain


def private_keys(path: Path | None, *, passphrase: str | None = None, agent: bool = False) -> list[paramiko.PKey]:
    """The private keys to try: that of a file, and those of the agent at ``SSH_AUTH_SOCK``.

    An encrypted key takes some 0.3 s of a processor.

    :raises PermanentError: the file has none that can be used; there is no agent that has one.
    """
    keys: list[paramiko.PKey] = [] if path is None else [_of_file(path, passphrase)]
    if agent:
        try:
            found = paramiko.Agent().get_keys()
        except (paramiko.SSHException, OSError) as error:
            raise PermanentError(f"the SSH agent does not answer: {plain(error)}") from None
        if not found:
            raise PermanentError("no SSH agent that has a key: start one, set SSH_AUTH_SOCK, and `ssh-add` a key")
        keys += found
    return keys


def authenticate(
    transport: paramiko.Transport, user: str, keys: list[paramiko.PKey], *, password: str | None, where: str
) -> None:
    """Let the server know us: each key in turn, then the password; also where it wants a key and a password.

    :raises PermanentError: it refused all of them.
    :raises TransientError: it broke off, or did not answer in time.
    """
    refused: list[str] = []
    for what, attempt in _attempts(transport, user, keys, password):
        try:
            attempt()
        except paramiko.AuthenticationException as error:
            # paramiko has the same class for a refusal and for an end of the connection; after a
            # refusal the end is the server's limit of attempts.
            if not refused and (not transport.is_active() or "timeout" in str(error)):
                raise TransientError(f"{where} broke off while we authenticated: {plain(error)}") from None
            refused.append(_said(what, error))
        except Exception as error:
            raise TransientError(f"{where} broke off while we authenticated: {plain(error)}") from None
        if transport.is_authenticated():
            return
        if not transport.is_active():
            break
    tried = ", ".join(refused) or "nothing, as neither a password nor a key is set"
    raise PermanentError(
        f"{where} does not let us in; tried: {tried}. "
        "See that the user is right, and that its password is, or that the public key is in the user's authorized_keys"
    )


def _attempts(
    transport: paramiko.Transport, user: str, keys: list[paramiko.PKey], password: str | None
) -> Iterator[tuple[str, Callable[[], object]]]:
    for key in keys:
        yield f"the key {key.get_name()} {key.fingerprint}", functools.partial(transport.auth_publickey, user, key)
    if password is not None:
        yield "the password", functools.partial(transport.auth_password, user, password)


def _said(what: str, error: paramiko.AuthenticationException) -> str:
    if isinstance(error, paramiko.BadAuthenticationType):
        return f"{what} (the server takes {plain(', '.join(error.allowed_types))} alone)"
    return what


def _of_file(path: Path, passphrase: str | None) -> paramiko.PKey:
    try:
        # Its loaders take bytes, whatever its annotation says.
        secret = None if passphrase is None else passphrase.encode()
        return paramiko.PKey.from_path(path, secret)  # type: ignore[arg-type]
    except OSError as error:
        raise PermanentError(f"the private key {path} cannot be read: {error.strerror}") from None
    except Exception as error:
        # The loaders raise all kinds of errors, and some could quote what they read.
        raise PermanentError(
            f"{path} is no private key that can be used ({type(error).__name__}): allowed are RSA, ECDSA and "
            f"ed25519 keys as ssh-keygen makes them; {'its' if passphrase else 'no'} passphrase is set"
        ) from None
