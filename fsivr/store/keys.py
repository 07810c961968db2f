"""Keys to the API: made, proved and revoked; the store never holds one.

A key's secret is 256 random bits, so nobody finds it by trying, and a slow hash, which
guards what people choose, would only let anyone spend our CPU with wrong keys. One BLAKE2b it is.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from enum import IntEnum
from hashlib import blake2b
from typing import NamedTuple

from peewee import Database, IntegrityError

from fsivr.store.models import ApiKey, to_microseconds
from fsivr.store.rows import audited, write

_KEY = re.compile(r"fsivr_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)
_NAME = re.compile(r"[\w][\w .@-]{0,63}", re.ASCII)
_NOBODY = "0" * 64


class Role(IntEnum):
    """What a key may do; each includes those before it."""

    READ = 1
    OPERATE = 2
    ADMIN = 3

    @classmethod
    def named(cls, name: str) -> Role:
        """The role of a name, as ``operate``.

        :raises ValueError: there is none.
        """
        for role in cls:
            if role.name.lower() == name:
                return role
        raise ValueError(f"a role is 'read', 'operate' or 'admin', not {name[:80]!r}")


class Holder(NamedTuple):
    """Who a key belongs to."""

    id: str
    name: str
    role: Role


class Keys:
    """The keys of a store.

    :param database: where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, role: str, *, by: str) -> str:
        """A new key, which is shown this once.

        :param name: what it is known by; no two have the same.
        :param role: ``read``, ``operate`` or ``admin``.
        :param by: who makes it, for the audit.
        :raises ValueError: the name is taken or has other characters than letters, digits, blanks and ``_ . @ -``.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"a key's name has up to 64 letters, digits, blanks and _ . @ -, not {name[:80]!r}")
        kind = Role.named(role).name.lower()
        ident, secret = secrets.token_hex(6), secrets.token_hex(32)
        row = {"id": ident, "name": name, "role": kind, "hash": _hash(secret), "created": time.time(), "created_by": by}
        with self._database.connection_context():
            try:
                with self._database.atomic():
                    ApiKey.insert(**row).bind(self._database).execute()
                    write(self._database, [audited(by, "apikey.create", name, role=kind, id=ident)])
            except IntegrityError:
                raise ValueError(f"there is a key named {name!r} already") from None
        return f"fsivr_{ident}_{secret}"

    def verify(self, key: str) -> Holder | None:
        """Who holds a key, or None where it is none of ours or was revoked; takes the same time for any."""
        match = _KEY.fullmatch(key)
        ident, secret = match.groups() if match else ("", "")
        with self._database.connection_context():
            found = ApiKey.select().where(ApiKey.id == ident).bind(self._database).first()
        right = hmac.compare_digest(_hash(secret), found.hash if found is not None else _NOBODY)
        if found is None or not right or found.revoked is not None:
            return None
        return Holder(found.id, found.name, Role.named(found.role))

    def revoke(self, name: str, *, by: str) -> bool:
        """Whether there was such a key in force; it no longer is."""
        now = to_microseconds(time.time())
        with self._database.connection_context(), self._database.atomic():
            query = ApiKey.update(revoked=time.time()).where((ApiKey.name == name) & ApiKey.revoked.is_null())
            changed = int(query.bind(self._database).execute())
            if changed:
                write(self._database, [audited(by, "apikey.revoke", name, revoked=now)])
        return changed > 0

    def all(self) -> list[ApiKey]:
        """Every key, the oldest first, those that were revoked included."""
        with self._database.connection_context():
            return list(ApiKey.select().order_by(ApiKey.created, ApiKey.id).bind(self._database))


def _hash(secret: str) -> str:
    return blake2b(secret.encode(), digest_size=32, person=b"fsivr api key").hexdigest()
