"""Keys to the API."""

from __future__ import annotations

import pytest

from fsivr.store import ApiKey, Role, Store


def test_a_key_is_shown_once_and_kept_as_a_hash(store: Store) -> None:
    key = store.keys.create("night export", "operate", by="root")
    holder = store.keys.verify(key)
    assert holder is not None
    assert (holder.name, holder.role) == ("night export", Role.OPERATE)
    (row,) = store.keys.all()
    secret = key.rpartition("_")[2]
    assert secret not in "".join(str(getattr(row, name)) for name in ApiKey._meta.fields)
    assert secret not in "".join(entry.detail for entry in store.audit().items)
    assert [entry.action for entry in store.audit(subject="night export").items] == ["apikey.create"]


def test_what_is_no_key(store: Store) -> None:
    key = store.keys.create("a", "read", by="root")
    other = store.keys.create("b", "admin", by="root")
    head, _, secret = key.rpartition("_")
    mixed = other.rpartition("_")[0] + "_" + secret
    for wrong in ("", "a", key + "0", key[:-1], head, mixed, key.upper(), key + "\n", "\ud800", "fsivr_' OR 1=1"):
        assert store.keys.verify(wrong) is None


def test_a_revoked_key_is_none(store: Store) -> None:
    key = store.keys.create("a", "read", by="root")
    assert store.keys.revoke("a", by="root")
    assert not store.keys.revoke("a", by="root")
    assert not store.keys.revoke("b", by="root")
    assert store.keys.verify(key) is None


def test_names_and_roles(store: Store) -> None:
    store.keys.create("a", "read", by="root")
    with pytest.raises(ValueError, match="there is a key named 'a' already"):
        store.keys.create("a", "read", by="root")
    with pytest.raises(ValueError, match="'read', 'operate' or 'admin'"):
        store.keys.create("b", "root", by="root")
    for wrong in ("", " a", "a\n", "x" * 65, "a;b"):
        with pytest.raises(ValueError, match="a key's name"):
            store.keys.create(wrong, "read", by="root")
    assert Role.READ < Role.OPERATE < Role.ADMIN
