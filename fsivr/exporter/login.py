"""Login: how we prove to an SSH server who we are, with private keys, an agent, a password."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko

from fsivr.errors import PermanentError, TransientError
from fsivr.exporter.partial import plain

_AGENT_TIMEOUT = 10.0


class Login:
    """As whom we come to an SSH server, and how we prove it: private keys, an agent, a password.

    :param key: a file with a private key: RSA, ECDSA or ed25519, with ``passphrase`` where it is encrypted.
    :param agent: whether to ask the agent at ``SSH_AUTH_SOCK`` for keys.
    """

    def __init__(
        self, user: str, *, password: str | None, key: Path | None, passphrase: str | None, agent: bool
    ) -> None:
        self.user = user
        self._password = password
        self._path = key
        self._passphrase = passphrase
        self._agent = agent
        # An encrypted key takes some 0.3 s of a processor, so it is read once.
        self._key: paramiko.PKey | None = None

    def __repr__(self) -> str:
        return f"Login({self.user!r})"

    def load(self) -> None:
        """Read the private key.

        :raises PermanentError: the file has none that can be used.
        """
        if self._path is not None and self._key is None:
            self._key = _of_file(self._path, self._passphrase)

    def authenticate(self, transport: paramiko.Transport, *, where: str) -> None:
        """Let the server know us: each key in turn, then the password; also where it wants a key and a password.

        :raises PermanentError: it refused all of them; there is no agent that has a key.
        :raises TransientError: it broke off, or did not answer in time.
        """
        self.load()
        agent = _agent() if self._agent else None
        try:
            keys = [] if self._key is None else [self._key]
            keys += [] if agent is None else agent.get_keys()
            _let_in(transport, list(_attempts(transport, self.user, keys, self._password)), where)
        finally:
            if agent is not None:
                agent.close()


def _agent() -> paramiko.Agent:
    """The agent, asked for its keys."""
    found: list[paramiko.Agent] = []
    # It waits for the agent without an end.
    asking = threading.Thread(target=lambda: found.append(paramiko.Agent()), daemon=True)
    asking.start()
    asking.join(_AGENT_TIMEOUT)
    if found and found[0].get_keys():
        return found[0]
    if found:
        found[0].close()
    raise PermanentError("no SSH agent that answers and has a key: start one, set SSH_AUTH_SOCK, and `ssh-add` a key")


def _let_in(transport: paramiko.Transport, attempts: list[tuple[str, Callable[[], object]]], where: str) -> None:
    refused: list[str] = []
    for what, attempt in attempts:
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
